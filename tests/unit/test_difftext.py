# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs as mails have them: other prefixes, quoted names, trimmed, between prose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patchgen.odb.difftext import (
    Kind,
    classify_lines,
    digest_changes,
    find_strip,
    list_changes,
    list_paths,
    with_usual_prefixes,
)
from tests.support.kernels import commit_all

HUNK = "@@ -1 +1 @@\n-a\n+b\n"


def patch_id(tree: Path, text: str) -> bytes:
    args = ["git", "-C", tree, "patch-id", "--stable"]
    result = subprocess.run(args, input=text.encode(), capture_output=True, check=True)
    return result.stdout.split()[0]


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return a repository with files of odd names, changed in the work tree."""
    for name in ("sub/x.c", "grüße.c", "a b", 'q"uote'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("one\ntwo\n")
    commit_all(tmp_path, "first")
    for name in ("sub/x.c", "grüße.c", "a b", 'q"uote'):
        (tmp_path / name).write_text("one\nthree\n")
    (tmp_path / "new.c").write_text("x\n")
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("option", "strip"),
    [("--no-prefix", 0), ("--src-prefix=i/", 1), ("--default-prefix", 1), ("--unified=0", 1)],
)
def test_prefixes_and_quotes_make_no_other_patch(git, changed, option, strip):
    option = "--dst-prefix=b/" if option == "--default-prefix" else option
    usual = git(changed, "diff", "--cached")
    text = git(changed, "diff", "--cached", option)
    assert list_paths(text) == {"sub/x.c", "grüße.c", "a b", 'q"uote', "new.c"}
    assert find_strip(text) == strip
    assert digest_changes(text) == digest_changes(usual)
    if option != "--unified=0":
        same = patch_id(changed, with_usual_prefixes(text))
        assert same == patch_id(changed, with_usual_prefixes(usual))


@pytest.mark.parametrize("option", ["--unified=0", "--unified=9", "--ignore-space-change"])
def test_white_space_and_context_make_no_other_patch(git, changed, option):
    usual = git(changed, "diff", "--cached")
    mangled = git(changed, "diff", "--cached", option).replace("+three", "+  th ree\t")
    assert digest_changes(mangled) == digest_changes(usual) != ""
    assert digest_changes(usual.replace("+three", "+four")) != digest_changes(usual)


def test_a_patch_without_lines_is_known_by_its_other_changes(git, changed):
    git(changed, "commit", "-q", "-m", "all")
    git(changed, "update-index", "--chmod=+x", "new.c")
    mode = git(changed, "diff", "--cached")
    git(changed, "update-index", "--chmod=-x", "new.c")
    git(changed, "update-index", "--chmod=+x", "a b")
    assert "" != digest_changes(mode) != digest_changes(git(changed, "diff", "--cached"))


def test_prose_after_a_diff_is_prose_again():
    text = f"See:\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n{HUNK}\nWith that:\nAcked-by: B\n"
    kinds = [kind for kind, _ in classify_lines(text.split("\n"))]
    assert kinds[2:8] == [Kind.HEAD] * 4 + [Kind.HUNK] * 2
    assert set(kinds[8:]) == {Kind.TEXT}


def test_a_removed_line_that_looks_like_a_header_stays_a_line():
    hunk = "@@ -1,2 +1,1 @@\n--- a/other.c\n x\n"
    assert list_paths(f"diff --git a/x b/x\n--- a/x\n+++ b/x\n{hunk}") == {"x"}


def test_names_without_a_git_header_count():
    assert list_paths(f"text\n--- a/x.c\t2020\n+++ b/x.c\n{HUNK}") == {"x.c"}


def test_a_trimmed_quote_has_lines_of_the_patch_only():
    whole = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n"
    trimmed = "diff --git a/x b/x\n@@ -1,3 +1,3 @@\n a\n-b\n[...]\n"
    assert list_changes(trimmed.split("\n")) < list_changes(whole.split("\n"))


def test_a_surrogate_in_a_name_or_a_line_is_read_without_an_exception():
    odd = b"+2AA-".decode("utf-7")
    text = (
        f'diff --git "a/{odd}" "b/{odd}"\n--- "a/{odd}"\n+++ "b/{odd}"\n@@ -1 +1 @@\n-a\n+{odd}\n'
    )
    assert digest_changes(text) != digest_changes(text.replace(f"+{odd}", "+b")) != ""
    assert list_paths(text)


@given(st.text(st.sampled_from('-+ @"\\\n0123456789,adiffgt/'), max_size=200))
def test_any_text_is_read_without_an_exception(text):
    assert [line for _, line in classify_lines(text.split("\n"))] == text.split("\n")
    list_paths(text)
    digest_changes(text)
