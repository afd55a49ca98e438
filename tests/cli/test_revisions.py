# SPDX-License-Identifier: GPL-2.0-or-later
"""A revision that cannot be read: the message names the option or argument that has it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("apply", "--variant", "pvops", "--base", "nosuch"), "--base"),
        (("run", "pvops", "--since", "nosuch"), "--since"),
        (("explain", "nosuch"), "COMMIT"),
        (("audit", "--rev", "nosuch"), "--rev"),
        (("audit", "--diff", "nosuch..HEAD"), "--diff"),
    ],
)
def test_the_option_that_is_named_is_the_one_that_was_given(patchgen, toy, words, name):
    done = patchgen(*words, "--tree", toy)
    assert done.code == 1
    assert done.err == (
        f"patchgen: {toy} has no commit 'nosuch' [revision-unknown]\n"
        f"hint: {name} takes a branch, a tag or a commit id\n"
    )


def test_an_unknown_source_of_mails_is_not_called_a_revision(patchgen, toy):
    done = patchgen("import", "nosuch.mbox", "--tree", toy)
    assert done.code == 1
    assert "'nosuch.mbox' is not a file, folder, branch or commit" in done.err


@pytest.mark.parametrize("command", ["import", "verify"])
@pytest.mark.parametrize("path", ["../nosuch", "outgoing/../nosuch", "./nosuch", "/nosuch/v1..v2"])
def test_a_path_that_does_not_exist_is_not_read_as_a_range(patchgen, toy, command, path):
    done = patchgen(command, path, "--tree", toy)
    assert done.code == 1
    assert done.err == f"patchgen: no such file or folder: {path} [file-missing]\n"


@pytest.mark.parametrize("text", ["nosuch..HEAD", "HEAD..nosuch", "..nosuch"])
def test_a_range_with_an_unknown_end_is_explained_in_words(patchgen, toy, text):
    done = patchgen("verify", text, "--tree", toy)
    assert done.code == 1
    assert done.err == (
        f"patchgen: {toy} has no commit 'nosuch' [revision-unknown]\n"
        f"hint: each end of {text} takes a branch, a tag or a commit id\n"
    )


@pytest.mark.parametrize("text", ["HEAD..", "..HEAD"])
def test_an_end_that_is_not_named_is_head(patchgen, toy, text):
    assert f"{text} has no commits of its own" in patchgen("verify", text, "--tree", toy).err


def test_a_revision_out_of_a_mail_is_not_blamed_on_an_option(patchgen, toy, tmp_path):
    patch = tmp_path / "1.patch"
    patch.write_text(
        "From: Bea <bea@example.org>\nSubject: [PATCH] x\n\n---\n"
        "diff --git a/Makefile b/Makefile\n--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-a\n+b\n"
        f"base-commit: {'1' * 40}\n"
    )
    done = patchgen("verify", patch, "--tree", toy, "--skip=build", "--skip=code")
    assert done.code == 1
    assert "--rev" not in done.err
