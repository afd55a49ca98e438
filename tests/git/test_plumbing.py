# SPDX-License-Identifier: GPL-2.0-or-later
"""What git prints about trees, objects and changes is read whatever names the files have."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import given, strategies as st

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.odb import (
    GitTree,
    Repository,
    list_changes,
    list_entries,
    read_commit,
    read_commits,
    resolve_paths,
)
from patchgen.odb.commits import decode_text
from patchgen.odb.plumbing import parse_raw_diff
from patchgen.quoting import quote_name, quote_path, unquote_path

NAMES = (
    "plain.c",
    "a b.c",
    'q"u.c',
    "tab\t.c",
    "new\nline.c",
    "x\n:100644 100644 1 2 M",
    "line\u2028sep.c",
    os.fsdecode(b"\xff.c"),
    "dir/ünder.c",
)


@pytest.fixture
def repository(tmp_path, git):
    """Return a repository whose second commit changes every second file."""
    git(tmp_path, "init", "-q", "-b", "master")
    (tmp_path / "dir").mkdir()
    for name in NAMES:
        (tmp_path / name).write_text("before\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "base")
    for name in NAMES[::2]:
        (tmp_path / name).write_text("after\n")
    git(tmp_path, "commit", "-qa", "-m", ":100644 100644 1 2 M")
    opened = Repository(tmp_path)
    yield opened
    opened.close()


def test_a_tree_is_listed_with_any_names(repository):
    master = repository.resolve_commit("master")
    tree = GitTree(repository, repository.resolve_tree(master))
    assert set(tree.list_entries()) == set(NAMES)
    assert set(list_entries(repository, master)) == set(NAMES)
    for name in NAMES:
        [(path, (mode, oid))] = tree.list_entries([PurePosixPath(name)]).items()
        assert (mode, path, tree.get(name)) == ("100644", name, (mode, oid))
        assert repository.read_blob(oid) in (b"before\n", b"after\n")


def test_changes_are_read_with_any_names(repository):
    old, new = (repository.resolve_commit(name) for name in ("master~1", "master"))
    changes = list_changes(repository, old, new, (), ("",))
    assert changes is not None
    assert set(changes.after) == set(NAMES[::2])
    [commit] = read_commits(repository, old, new)
    assert set(commit.files) == set(map(PurePosixPath, NAMES[::2]))
    # A commit's message is a heading, not a change.
    shown = repository.run("log", "-z", "--raw", "--format=%B", f"{old}..{new}").stdout
    assert {change.path for change in parse_raw_diff(shown)} == set(NAMES[::2])


def test_missing_objects_are_distinguished_from_others(repository):
    master = repository.resolve_commit("master")
    nothing = Oid("1" * 40)
    assert [found and found[0] for found in repository.objects.read([nothing, master])] == [
        None,
        "commit",
    ]
    names = ["no\u2028where", f"{nothing} blob 5", master]
    assert repository.objects.find(names) == [None, None, (master, "commit")]


@pytest.mark.parametrize("name", ["no\u2028where", "no\x0bwhere", "no\nwhere"])
def test_a_path_with_a_line_separator_that_is_not_there_is_refused(repository, name):
    tree = repository.resolve_tree(repository.resolve_commit("master"))
    with pytest.raises(RefusedError, match="the tree has no"):
        resolve_paths(repository, tree, [PurePosixPath(name)])


@pytest.mark.parametrize(
    "name", ["", "master\n", "master\0", "master\ninfo HEAD", "refs/heads/x y"]
)
def test_a_name_that_git_cannot_have_names_nothing_and_the_next_is_found(repository, name):
    master = repository.resolve_commit("master")
    assert repository.objects.find([name, "refs/heads/master"]) == [None, (master, "commit")]
    assert repository.find_ref(name) is None
    assert repository.find_ref("refs/heads/master") == master


ODD_COMMITS = {
    "declared Latin-1": (b"J\xf6 <j@x> 1 +0000\nencoding ISO-8859-1", b"Gr\xfc\xdfe\n\nB\xf6.\n"),
    "undeclared Latin-1": ("Jö <j@x> 1 +0000".encode(), b"Gr\xfc\xdfe\n"),
    "no name": (b" <j@x> 1 +0000", b"x\n"),
    "signed": (b"J <j@x> 1 +0000\ngpgsig -----BEGIN\n \n abc\n -----END", b"\n\nx\n\n\n"),
    "no end of line": (b"J  K <j@x> 1 +0000", b"x\n\ny"),
}


@pytest.mark.parametrize("who, message", ODD_COMMITS.values(), ids=ODD_COMMITS)
def test_a_commit_is_read_as_git_shows_it(repository, git, tmp_path, who, message):
    master = repository.resolve_commit("master")
    head = f"tree {repository.resolve_tree(master)}\nparent {master}\n".encode()
    (tmp_path / "raw").write_bytes(
        head + b"author " + who.partition(b"\n")[0] + b"\ncommitter " + who + b"\n\n" + message
    )
    commit_id = Oid(
        git(tmp_path, "hash-object", "-t", "commit", "-w", "--literally", "raw").strip()
    )
    shown = repository.run("log", "-1", "--format=%an <%ae>%x00%cn <%ce>%x00%B", commit_id).stdout
    author, committer, text = map(decode_text, shown.split(b"\0"))
    commit = read_commit(repository, commit_id)
    assert (commit.author, commit.committer) == (author, committer)
    assert commit.message == text.strip("\n") + "\n"
    assert read_commits(repository, master, commit_id) == (commit,)
    for base, tip in (
        (commit_id, master),
        (commit_id, Oid(git(tmp_path, "rev-parse", "master~1").strip())),
    ):
        with pytest.raises(RefusedError, match="does not build on"):
            read_commits(repository, base, tip)
    assert read_commits(repository, commit_id, commit_id) == ()


@given(st.binary(min_size=1, max_size=12).filter(lambda raw: b"/" not in raw and b"\0" not in raw))
def test_a_quoted_path_is_read_again(raw):
    name = os.fsdecode(raw)
    assert unquote_path(quote_path(name)) == raw
    assert unquote_path(os.fsencode(quote_name(name))) == raw


def test_a_name_is_quoted_as_git_quotes_it(repository):
    master = repository.resolve_commit("master")
    args = ("-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", master)
    shown = os.fsdecode(repository.run(*args).stdout).split("\n")[:-1]
    assert sorted(shown) == sorted(quote_name(name) for name in NAMES)
