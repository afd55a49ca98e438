# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree read by patchgen itself has the files that git lists."""

from __future__ import annotations

import os

import pytest

from patchgen.model.base import compile_glob
from patchgen.odb import Repository
from patchgen.odb.tree import GitTree

PATTERNS = ["**", "*", "*.c", "a/*.c", "a/**.c", "a/b/*", "**/c.c", "a/?.c", "a/*/c.c", "gone/*"]
NAMES = ["top.c", "a.c", "a/1.c", "a/b/c.c", "a/b.c", "a-b/c.c", "a/b/d e\n.c", "a/b/\udcff.c"]


@pytest.fixture(params=["sha1", "sha256"])
def tree(request, git, tmp_path) -> GitTree:
    top = tmp_path / "tree"
    git(tmp_path, "init", "-q", "--object-format", request.param, top)
    for name in NAMES:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    (top / "a/link.c").symlink_to("1.c")
    (top / "a/run.c").write_text("run\n")
    (top / "a/run.c").chmod(0o755)
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "files")
    repository = Repository(top)
    commit = repository.resolve_commit("HEAD")
    return GitTree(repository, repository.resolve_tree(commit))


def list_by_git(tree: GitTree) -> dict[str, tuple[str, str]]:
    listed = tree._git.run("ls-tree", "-r", "-z", tree.oid).stdout
    rows = (os.fsdecode(row).partition("\t") for row in listed.split(b"\0")[:-1])
    files = {name: head.split() for head, _, name in rows}
    return {name: (mode, oid) for name, (mode, _, oid) in files.items() if mode != "120000"}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_what_git_lists(tree, pattern):
    listed = list_by_git(tree)
    expected = {name: row for name, row in listed.items() if compile_glob(pattern).fullmatch(name)}
    found = {str(file.path): (file.mode, file.oid) for file in tree.find([pattern])}
    assert found == expected
    assert bool(found) == (pattern != "gone/*")


def test_a_path_finds_its_file_and_nothing_else(tree):
    listed = list_by_git(tree)
    assert set(NAMES) < set(listed)
    for name, (mode, oid) in listed.items():
        (file,) = tree.find([name])
        assert (str(file.path), file.mode, file.oid) == (name, mode, oid)
    assert tree.find(["a", "a/link.c", "a/1.c/x", "a/", "no", "b.c", ""]) == []


def test_contents_are_those_of_the_files(tree):
    for name in NAMES:
        (file,) = tree.find([name])
        assert tree.read(file) == os.fsencode(name)
