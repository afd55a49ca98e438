# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read is the blob's content, whatever the work tree has in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Repository, list_files, read_contents, tree as odb_tree
from tests.support.kernels import commit_all

NAMES = ("a.c", "fs/b.c", "fs/c.c", "fs/d.c", "fs/e.c", "fs/ü.c")


def content(name: str) -> bytes:
    return f"/* {name} */\n".encode() * 3


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "fs").mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(content(name))
    commit_all(folder, "start")
    return folder


def read(folder: Path) -> dict[str, bytes]:
    repository = Repository(folder)
    files = list_files(repository, repository.resolve_tree(repository.resolve_commit("HEAD")))
    found = dict(zip((str(f.path) for f in files), read_contents(repository, files), strict=True))
    repository.close()
    return found


def test_contents_are_those_of_the_commit(tree):
    (tree / "a.c").write_bytes(b"changed\n")
    (tree / "fs/b.c").unlink()
    (tree / "fs/c.c").unlink()
    os.mkfifo(tree / "fs/c.c")
    (tree / "fs/d.c").unlink()
    (tree / "fs/d.c").symlink_to("e.c")
    (tree / "fs/e.c").unlink()
    (tree / "fs/e.c").mkdir()
    assert read(tree) == {name: content(name) for name in NAMES}


def test_objects_are_left_alone_where_the_work_tree_has_the_same(tree, monkeypatch):
    read_oids = []
    blobs = odb_tree.read_blobs
    monkeypatch.setattr(
        odb_tree, "read_blobs", lambda git, oids: read_oids.extend(oids) or blobs(git, oids)
    )
    assert read(tree) == {name: content(name) for name in NAMES} and read_oids == []
    (tree / "a.c").write_bytes(b"changed\n")
    assert read(tree)["a.c"] == content("a.c") and len(read_oids) == 1


def test_a_bare_repository_and_one_with_long_names(tree, git, tmp_path):
    git(tree, "clone", "-q", "--bare", tree, tmp_path / "bare.git")
    assert read(tmp_path / "bare.git") == {name: content(name) for name in NAMES}
    long = tmp_path / "long"
    git(tmp_path, "init", "-q", "--object-format=sha256", long)
    (long / "a.c").write_bytes(content("a.c"))
    commit_all(long, "start")
    assert read(long) == {"a.c": content("a.c")}


def test_reports_that_a_content_is_missing(tree):
    repository = Repository(tree)
    lost = TreeFile(Path("a.c"), "100644", Oid("1" * 40))
    with pytest.raises(MissingObjectsError, match=r"lacks the content of a\.c \(1111"):
        list(read_contents(repository, [lost]))
    repository.close()
