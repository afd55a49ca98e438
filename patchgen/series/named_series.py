# SPDX-License-Identifier: GPL-2.0-or-later
"""The series of a repository: each branch with a cover letter's commit.

One git process reads the commits of all branches, and each commit below the series only once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import Cover
from patchgen.odb import ObjectReader, RawCommit, Repository, parse_raw_commit
from patchgen.series.tracking import MARKER, Tracking, is_cover_commit, parse_cover_commit

# The number of branches to search for series, newest first.
_SEARCHED = 200


@dataclass(frozen=True)
class NamedSeries:
    """A branch with a cover letter. `patches` are its commits above that letter, oldest first."""

    branch: str
    tip: Oid
    cover_commit: RawCommit
    patches: tuple[RawCommit, ...]

    @cached_property
    def letter(self) -> tuple[Cover, Tracking] | RefusedError:
        """The cover letter and its tracking section, or the reason why they cannot be read."""
        try:
            return parse_cover_commit(self.cover_commit.text)
        except RefusedError as err:
            return err

    @property
    def base(self) -> Oid:
        """The commit that the series is based on."""
        return self.cover_commit.parents[0]

    @property
    def tracking(self) -> Tracking | None:
        """The tracking section, None if it cannot be read."""
        return None if isinstance(self.letter, RefusedError) else self.letter[1]

    @property
    def subject(self) -> str | None:
        """The subject of the cover letter, None if it cannot be read."""
        return None if isinstance(self.letter, RefusedError) else self.letter[0].subject

    @property
    def problem(self) -> str:
        """The reason why the cover letter cannot be read, "" if it can."""
        return self.letter.message if isinstance(self.letter, RefusedError) else ""

    @property
    def description(self) -> str:
        """The version and subject of the series, or a remark if its cover letter cannot be read."""
        # A branch whose cover letter cannot be read is a series, too: the command reports why.
        if self.tracking is None:
            return "its cover letter cannot be read"
        return f"v{self.tracking.revision}, {self.subject}"


def list_series(repository: Repository, count: int = _SEARCHED) -> Iterator[NamedSeries]:
    """Yield each branch with a cover letter, those with the newest commits first.

    Of two whose commits have the same second, the one with the higher version in its name is first.
    Only the newest `count` branches are searched, 0 for all of them.
    """
    order = ("--sort=-version:refname", "--sort=-committerdate")
    args = ("for-each-ref", *order, f"--count={count}")
    listed = repository.run(*args, "--format=%(refname)%00%(objectname)", "refs/heads/")
    without_cover: set[Oid] = set()
    for line in listed.lines:
        ref, _, tip = line.partition("\0")
        if commits := _read_series(repository.objects, Oid(tip), without_cover):
            cover_commit, *patches = reversed(commits)
            branch = ref.removeprefix("refs/heads/")
            yield NamedSeries(branch, Oid(tip), cover_commit, tuple(patches))


def _read_series(objects: ObjectReader, tip: Oid, without_cover: set[Oid]) -> list[RawCommit]:
    """Return the commits from a tip down to the first cover letter, [] for a branch without one.

    The search ends as in `find_cover_commit`, and at a missing commit, as in a shallow clone. It
    also ends at `without_cover`: commits that are not on a cover letter, to which it adds those of
    a branch without one.
    """
    commits: list[RawCommit] = []
    read: list[Oid] = []
    oid = tip
    while oid not in without_cover:
        read.append(oid)
        [found] = objects.read([oid])
        commit = parse_raw_commit(found[1]) if found else None
        if commit is None or len(commit.parents) != 1:
            break
        commits.append(commit)
        if MARKER.encode() in commit.message and is_cover_commit(commit.text):
            return commits
        oid = commit.parents[0]
    without_cover.update(read)
    return []
