# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree read by patchgen itself has the files that git lists."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pytest

from patchgen.errors import ToolError
from patchgen.model.base import compile_glob
from patchgen.odb import Repository
from patchgen.odb.tree import GitTree
from tests.support.programs import list_programs

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


def test_several_files_are_read_with_one_request(tree, monkeypatch):
    requests = []
    read = tree._git.objects.read
    monkeypatch.setattr(
        type(tree._git.objects), "read", lambda _, oids: requests.append(oids) or read(oids)
    )
    files = [*tree.find(NAMES), *tree.find(["top.c"])]
    requests.clear()
    assert tree.read_all(files) == [os.fsencode(file.path) for file in files]
    assert tree.read(files[0]) == os.fsencode(files[0].path)
    assert [len(oids) for oids in requests] == [len(files) - 1, 0]


@pytest.mark.parametrize(
    "paths",
    [(), (".",), ("a",), ("a", "a.c"), ("a.c", "a", "a/b", "a-b"), ("a/link.c", "no", "top.c/x")],
    ids=" ".join,
)
@pytest.mark.parametrize("suffixes", [("",), (".c",), ("b.c", "1.c")], ids=" ".join)
def test_files_below_paths_are_listed_in_the_order_of_git(tree, paths, suffixes):
    below = [] if "." in paths else paths
    listed = tree._git.run("--literal-pathspecs", "ls-tree", "-r", "-z", tree.oid, "--", *below)
    rows = [os.fsdecode(row).partition("\t") for row in listed.stdout.split(b"\0")[:-1]]
    expected = [
        (name, (head.split()[0], head.split()[2]))
        for head, _, name in rows
        if head.startswith("100") and name.endswith(suffixes)
    ]
    found = tree.list_entries(map(PurePosixPath, paths), suffixes)
    assert list(found.items()) == expected


def test_a_mode_of_an_old_git_is_read_as_git_reads_it(tree, git):
    blob = tree.get("top.c")[1]
    top = tree._git.top
    raw = bytes.fromhex(blob)
    odd = b"100664 x.c\0" + raw + b"100775 y.c\0" + raw
    file = top / "odd"
    file.write_bytes(odd)
    tree_id = git(top, "hash-object", "-t", "tree", "-w", "--literally", file).strip()
    shown = git(top, "ls-tree", tree_id).split()
    assert (shown[0], shown[4]) == ("100644", "100755")
    found = GitTree(tree._git, tree_id).list_entries()
    assert found == {"x.c": ("100644", blob), "y.c": ("100755", blob)}


def test_all_questions_are_answered_by_one_program(tree):
    repository = tree._git
    repository.objects.find(["HEAD"])
    with list_programs() as started:
        files = tree.find(["**"])
        assert all(tree.read(file) for file in files)
        assert tree.get("a/b") and repository.find_ref("HEAD")
    assert started == []


def test_threads_share_a_reader(tree):
    files = tree.find(["**"])
    oids = [file.oid for file in files] * 50
    expected = [tree.read(file) for file in files] * 50

    def read(_: int) -> list[bytes]:
        return [found[1] for found in tree._git.objects.read(oids) if found]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(8))) == [expected] * 8


def test_a_reader_reports_that_its_process_died_and_starts_another(tree):
    objects = tree._git.objects
    [head] = objects.find(["HEAD"])
    process = objects._process
    process.kill()
    process.wait()
    with pytest.raises(ToolError, match="git cannot read objects: it has ended"):
        objects.find(["HEAD"])
    assert objects.find(["HEAD"]) == [head]


def test_an_interrupted_read_neither_hangs_nor_leaves_answers(tree, git, monkeypatch):
    top = tree._git.top
    (top / "large").write_bytes(b"x" * 1_000_000)
    oid = git(top, "hash-object", "-w", "large").strip()
    objects = tree._git.objects
    with monkeypatch.context() as patched:
        patched.setattr(objects, "_read_answer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(objects.read([oid] * 9))
    assert objects.find(["HEAD", oid])[1] == (oid, "blob")


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt
