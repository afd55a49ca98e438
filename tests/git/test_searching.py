# SPDX-License-Identifier: GPL-2.0-or-later
"""A search for words in a work tree finds all that a search of the objects finds."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from patchgen.odb import Repository, grep_files, plan_search, searching
from tests.support.kernels import commit_all

WORDS = frozenset({"kmalloc", "kzalloc"})
WITH_WORDS = {"a.c", "fs/b.c", "fs/d[1].c", "fs/ü.c"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository with files that have one of the words, or longer ones."""
    folder = tmp_path / "tree"
    (folder / "fs").mkdir(parents=True)
    for name in WITH_WORDS:
        (folder / name).write_text("x = y;\nx = kmalloc(n);\n")
    (folder / "fs/none.c").write_text("x = my_kmalloc(n);\nkmallocs(x);\n")
    (folder / "fs/b.h").write_text("kmalloc\n")
    commit_all(folder, "start")
    return folder


def search(folder: Path, *paths: str, base: str = "HEAD") -> set[str]:
    repository = Repository(folder)
    tree = repository.resolve_tree(repository.resolve_commit(base))
    planned = plan_search(repository, tree, tuple(map(PurePosixPath, paths)), (".c",))
    found = list(grep_files(repository, planned, WORDS))
    repository.close()
    assert len(found) == len(set(found))
    return set(found)


def test_the_same_in_a_work_tree_a_linked_one_and_a_bare_repository(tree, git, tmp_path):
    git(tree, "clone", "-q", "--bare", tree, tmp_path / "bare.git")
    git(tree, "worktree", "add", "-q", tmp_path / "linked")
    for folder in (tree, tree / "fs", tree / ".git", tmp_path / "bare.git", tmp_path / "linked"):
        assert search(folder) == WITH_WORDS
        assert search(folder, "a.c") == {"a.c"}
        assert search(folder, "fs") == WITH_WORDS - {"a.c"}
        assert search(folder, "fs/d[1].c", "fs/none.c") == {"fs/d[1].c"}


@pytest.mark.parametrize("has_pcre", [True, False])
def test_a_word_that_begins_with_another_one_is_found(tmp_path, monkeypatch, has_pcre):
    monkeypatch.setattr(searching, "_has_pcre", lambda *_: has_pcre)
    args = ("lock", "lock_irq", "lock_irqsave", "asm/lock.h", "asm")
    folder = tmp_path / "tree"
    folder.mkdir()
    for number, word in enumerate(args):
        (folder / f"{number}.c").write_text(f"unlock\n {word}(x);\n")
    (folder / "none.c").write_text("unlock(); lock_irqs(); lock2; xasm asm_\n")
    commit_all(folder, "start")
    repository = Repository(folder)
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    planned = plan_search(repository, tree, (), (".c",))
    found = set(grep_files(repository, planned, frozenset(args)))
    assert found == {f"{number}.c" for number in range(len(args))}
    repository.close()


def test_from_below_the_top(tree, monkeypatch):
    monkeypatch.chdir(tree / "fs")
    assert search(Path()) == WITH_WORDS and search(Path(), "a.c") == {"a.c"}


@pytest.mark.parametrize("staged", [False, True])
def test_what_was_changed_in_the_work_tree_is_found_as_it_was(tree, git, staged):
    (tree / "a.c").write_text("nothing\n")
    (tree / "fs/b.c").unlink()
    (tree / "fs/d[1].c").rename(tree / "fs/moved.c")
    (tree / "fs/none.c").write_text("kmalloc\n")
    if staged:
        git(tree, "add", "-A")
    assert search(tree) >= WITH_WORDS
    assert search(tree, "fs") >= WITH_WORDS - {"a.c"}
    # Another tree than that of HEAD is not in the work tree at all.
    git(tree, "stash", "-q")
    (tree / "a.c").write_text("nothing\n")
    git(tree, "commit", "-qam", "other")
    assert search(tree, base="HEAD~1") == WITH_WORDS
    assert search(tree) == WITH_WORDS - {"a.c"}


@pytest.mark.parametrize(
    "flag", ["--skip-worktree", "--assume-unchanged", "sparse", "filter", "encoding"]
)
def test_where_git_would_not_notice_a_change_objects_are_searched(tree, git, flag):
    ran = tree.parent / "ran"
    if flag == "sparse":
        git(tree, "sparse-checkout", "set", "--no-cone", "/fs/none.c")
        assert not (tree / "a.c").exists()
    elif flag == "filter":
        git(tree, "config", "filter.gone.clean", f"touch {ran}; cat")
        git(tree, "config", "filter.gone.smudge", "sed s/kmalloc/k/")
        (tree / ".git/info/attributes").write_text("fs/b.c filter=gone\n")
        (tree / "fs/b.c").write_text("x = y;\nx = k(n);\n")
    elif flag == "encoding":
        (tree / ".gitattributes").write_text("fs/b.c working-tree-encoding=UTF-16\n")
        (tree / "fs/b.c").unlink()
        git(tree, "checkout", "fs/b.c")
        assert b"\0m\0a" in (tree / "fs/b.c").read_bytes()
    else:
        git(tree, "update-index", flag, "fs/b.c")
        (tree / "fs/b.c").write_text("nothing\n")
    assert search(tree) == WITH_WORDS
    assert not ran.exists()


def test_no_program_is_started_that_the_repository_names(tree, git):
    ran = tree.parent / "ran"
    hook = tree.parent / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    git(tree, "config", "core.fsmonitor", hook)
    os.utime(tree / "a.c", (1, 1))
    assert search(tree) == WITH_WORDS
    assert not ran.exists()
    git(tree, "status")
    assert ran.exists()


@pytest.mark.parametrize("has_pcre", [True, False])
def test_parts_of_words_and_strings_are_found(tmp_path, monkeypatch, has_pcre):
    monkeypatch.setattr(searching, "_has_pcre", lambda *_: has_pcre)
    folder = tmp_path / "tree"
    folder.mkdir()
    for number, text in enumerate(
        ('f(L"a b");', "wait_x();", "x_free();", "do_lock_it();", "own", "a<<b")
    ):
        (folder / f"{number}.c").write_text(f"{text}\n")
    for number, text in enumerate(('"a bc"', "xwait_", "x_freed", "unlocked", "ow", "a < < b")):
        (folder / f"none{number}.c").write_text(f"{text}\n")
    commit_all(folder, "start")
    repository = Repository(folder)
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    planned = plan_search(repository, tree, (), (".c",))
    words = ('"a b"', "wait_*", "*_free", "*_lock_*", "own", "<<")
    for number, word in enumerate(words):
        assert list(grep_files(repository, planned, frozenset({word}))) == [f"{number}.c"]
    found = set(grep_files(repository, planned, frozenset(words)))
    assert found == {f"{number}.c" for number in range(len(words))}
    repository.close()
