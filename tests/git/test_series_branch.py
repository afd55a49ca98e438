# SPDX-License-Identifier: GPL-2.0-or-later
"""A series is read back from its branch: however long it is, and whatever else has its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import Cover
from patchgen.odb import Quarantine, Repository
from patchgen.process import Completed
from patchgen.series import Tracking, find_cover_commit, read_branch
from patchgen.series.tracking import format_cover_commit

NAME = "patchgen/long-v1"
REF = f"refs/heads/{NAME}"
COVER = Cover("x86: Do all", "Because.\n")


@pytest.fixture
def repository(tmp_path, git) -> Iterator[Repository]:
    """Return a repository with one commit on master."""
    tree = tmp_path / "tree"
    git(tmp_path, "init", "-q", "-b", "master", tree)
    (tree / "file").write_text("0\n")
    git(tree, "add", "file")
    git(tree, "commit", "-q", "-m", "base")
    opened = Repository(tree)
    yield opened
    opened.close()


def write_series(repository: Repository, git, count: int) -> Oid:
    """Write a branch with a cover letter and so many patches, and return the cover's commit."""
    letter = format_cover_commit(COVER, Tracking("20210820-long-0123456789ab", 1))
    stream = f"feature done\n{commit(letter)}from refs/heads/master^0\n"
    for number in range(1, count + 1):
        stream += commit(f"x86: Do {number}\n\nWhy.\n")
        stream += f"M 100644 inline file\ndata 5\n{number:05}\n"
    git(repository.top, "fast-import", "--quiet", "--done", input=f"{stream}done\n")
    return Oid(git(repository.top, "rev-parse", f"{REF}~{count}").strip())


def commit(message: str, ref: str = REF) -> str:
    """Return the command of git-fast-import(1) for a commit on top of the one before."""
    size = len(message.encode())
    return f"commit {ref}\ncommitter A <a@example.org> 9 +0000\ndata {size}\n{message}"


def read(repository: Repository, base: Oid | None = None):
    with Quarantine(repository) as quarantine:
        tip = repository.find_ref(REF)
        assert tip is not None
        return read_branch(repository, quarantine, NAME, tip, base)


def test_a_series_of_more_than_500_patches_is_read_back(repository, git):
    cover = write_series(repository, git, 1300)
    series = read(repository)
    assert series.cover_commit == cover and series.cover == COVER
    assert [commit.subject for commit in series.commits] == [f"x86: Do {n}" for n in range(1, 1301)]
    assert {commit.files for commit in series.commits} == {(PurePosixPath("file"),)}


class Counted:
    """Real git, and how many commits it was asked to list."""

    def __init__(self, quarantine: Quarantine):
        self._quarantine = quarantine
        self.listed = 0

    def run(self, *args: str, stdin: bytes = b"", ok: tuple[int, ...] | None = (0,)) -> Completed:
        completed = self._quarantine.run(*args, stdin=stdin, ok=ok)
        self.listed += completed.stdout.count(b"\0") // 3
        return completed


def grow_history(tree: Path, git, count: int) -> None:
    """Put so many commits on master, in one process."""
    stream = "feature done\n"
    for number in range(count):
        stream += (
            f"commit refs/heads/master\ncommitter A <a@b> {number} +0000\ndata 2\n{number % 9}\n"
        )
        stream += "from refs/heads/master^0\n" if number == 0 else ""
    git(tree, "fast-import", "--quiet", "--done", input=f"{stream}done\n")


def test_the_history_below_a_cover_letter_is_not_walked(repository, git):
    grow_history(repository.top, git, 5000)
    cover = write_series(repository, git, 3)
    with Quarantine(repository) as quarantine:
        counted = Counted(quarantine)
        assert find_cover_commit(counted, repository.find_ref(REF)) == cover
    assert counted.listed < 500


def test_the_history_below_a_merge_is_not_walked(repository, git):
    tree = repository.top
    grow_history(tree, git, 5000)
    side = git(tree, "commit-tree", "-p", "master~4", "-m", "side", "master^{tree}").strip()
    args = ("-p", "master", "-p", side, "-m", "merge", "master^{tree}")
    merge = git(tree, "commit-tree", *args).strip()
    with Quarantine(repository) as quarantine:
        counted = Counted(quarantine)
        assert find_cover_commit(counted, Oid(merge)) is None
    assert counted.listed < 500


def test_a_base_that_is_not_the_cover_letters_is_refused(repository, git):
    write_series(repository, git, 2)
    tree = repository.top
    other = git(tree, "commit-tree", "-m", "other", "master^{tree}").strip()
    with pytest.raises(RefusedError, match="the cover letter of patchgen/long-v1 is on"):
        read(repository, Oid(other))


def test_a_change_in_the_cover_letters_commit_is_refused(repository, git):
    cover = write_series(repository, git, 1)
    tree = repository.top
    (tree / "file").write_text("sneaked in\n")
    git(tree, "add", "file")
    changed = git(tree, "write-tree").strip()
    message = git(tree, "show", "-s", "--format=%B", cover)
    new = git(tree, "commit-tree", "-p", "master", "-m", message, changed).strip()
    tip = git(tree, "commit-tree", "-p", new, "-m", "x86: Do 1", f"{REF}^{{tree}}").strip()
    git(tree, "update-ref", REF, tip)
    with pytest.raises(RefusedError, match=r"the commit of the cover letter, \w+, changes file"):
        read(repository)


def test_a_tag_of_the_branchs_name_is_not_read_as_the_branch(repository, git, patchgen):
    write_series(repository, git, 2)
    tree = repository.top
    git(tree, "tag", NAME, "master")
    git(tree, "tag", "master", "master")
    assert len(read(repository).commits) == 2
    git(tree, "checkout", "-q", "-B", NAME, REF)
    assert repository.find_head_branch() == NAME
    completed = patchgen("status", "--tree", tree)
    assert completed.code == 0, completed.err
    assert f"{NAME} on" in completed.out and "against master" in completed.out
    completed = patchgen("explain", NAME, "--tree", tree)
    assert completed.code == 1
    assert "is ambiguous: a branch and a tag have that name" in completed.err
    assert f"refs/heads/{NAME}" in completed.err


def test_a_branch_without_a_cover_letter_begins_below_a_tag_of_its_name(repository, git):
    tree = repository.top
    one = git(tree, "commit-tree", "-p", "master", "-m", "one", "master^{tree}").strip()
    git(tree, "update-ref", REF, one)
    git(tree, "tag", NAME, one)
    assert [commit.subject for commit in read(repository).commits] == ["one"]
