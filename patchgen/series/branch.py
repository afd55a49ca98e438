# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a series from a branch: its base, its cover letter, and which patch each commit is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover
from patchgen.odb import (
    ComparedSeries,
    Git,
    Repository,
    compare_series,
    find_branch_base,
    read_commit,
    read_commits,
    reparent,
    require_range,
    resolve_object,
)
from patchgen.series.record import Record, RecordedPatch, digest_message, read_record
from patchgen.series.tracking import MARKER, Tracking, is_cover_commit, parse_cover_commit
from patchgen.series.trailers import parse_message

# The number of commits to read at a time in the search for a cover letter: at first, and at most.
_FIRST_PAGE = 256
_LARGEST_PAGE = 16384


@dataclass(frozen=True, slots=True)
class SeriesBranch:
    """The commits from `base` to `tip`; `commits` are the patches, oldest first.

    `cover_commit`, `cover` and `tracking` are None if the branch has no commit with a cover letter,
    `record` is None if patchgen did not make the series.
    """

    name: str
    base: Oid
    tip: Oid
    commits: tuple[Commit, ...]
    cover_commit: Oid | None = None
    cover: Cover | None = None
    tracking: Tracking | None = None
    record: Record | None = None

    @property
    def start(self) -> Oid:
        """The commit right below the first patch: the cover letter's, or the base."""
        return self.cover_commit or self.base


def read_branch(
    repository: Repository, git: Git, name: str, tip: Oid, base: Oid | None = None
) -> SeriesBranch:
    """Return the series that ends in `tip`, on the branch `name`.

    It starts above `base` if that is given, else above its cover letter, else where it forks from
    all other branches. Raises RefusedError if the start cannot be determined, or if the commits are
    not linear.
    """
    cover_oid = find_cover_commit(git, tip, base)
    if cover_oid is None:
        start = base or find_branch_base(repository, name, tip)
        if repository.is_partial:
            require_range(git, start, tip)
        return SeriesBranch(name, start, tip, _require_commits(name, read_commits(git, start, tip)))
    if repository.is_partial:
        require_range(git, cover_oid, tip)
    commit = read_commit(git, cover_oid)
    if commit.files:
        raise RefusedError(
            f"the commit of the cover letter, {cover_oid[:12]}, changes {commit.files[0]}",
            code="cover-damaged",
            hint="patchgen and b4 require it to be empty: move the change into a separate commit",
        )
    parent = resolve_object(git, f"{cover_oid}^")
    start = base or parent
    if start != parent:
        raise RefusedError(
            f"the cover letter of {name} is on {parent[:12]}, not on {start[:12]}",
            code="cover-damaged",
            hint="leave the commit out, or rebase the branch onto it",
            parameters=("start",),
        )
    cover, tracking = parse_cover_commit(commit.message)
    return SeriesBranch(
        name,
        start,
        tip,
        _require_commits(name, read_commits(git, cover_oid, tip)),
        cover_oid,
        cover,
        tracking,
        read_record(tracking),
    )


def find_cover_commit(git: Git, tip: Oid, base: Oid | None = None) -> Oid | None:
    """Return the youngest commit above `base` that is a cover letter, None without one.

    A series is a linear history on its cover letter, so the search ends at the first cover letter,
    merge or root commit. In a kernel tree it reads a page or two, as mainline consists of merges.
    Unlike in b4, neither dates nor committers limit the search: SOURCE_DATE_EPOCH may date a
    series, and it may be a colleague's.
    """
    next_oid: Oid | None = tip
    page_size = _FIRST_PAGE
    while next_oid is not None:
        cover_oid, next_oid = _search_page(git, next_oid, base, page_size)
        if cover_oid is not None:
            return cover_oid
        page_size = min(page_size * 4, _LARGEST_PAGE)
    return None


def _search_page(git: Git, tip: Oid, base: Oid | None, size: int) -> tuple[Oid | None, Oid | None]:
    """Return the cover letter among the next commits, and the commit to continue with, if any."""
    args = ["log", "--no-show-signature", f"--max-count={size}", "--first-parent"]
    args += ["--format=%H%x00%P%x00%B%x00", tip]
    if base is not None:
        args += ["--not", base]
    fields = git.run(*args).stdout.decode("utf-8", "replace").split("\0")
    parents: list[str] = []
    for oid, parent_oids, message in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        parents = parent_oids.split()
        if len(parents) == 1 and MARKER in message and is_cover_commit(message):
            return Oid(oid.strip()), None
        if len(parents) != 1:
            return None, None
    return None, Oid(parents[0]) if parents else None


def find_tracking(git: Git, tip: Oid) -> Tracking | None:
    """Return the tracking section of a branch, None if it has none that can be read."""
    oid = find_cover_commit(git, tip)
    if oid is None:
        return None
    try:
        _, tracking = parse_cover_commit(read_commit(git, oid).message)
    except RefusedError:
        return None
    return tracking


def _require_commits(name: str, commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    if not commits:
        raise RefusedError(f"{name} has no commits of its own", code="series-start")
    return commits


@dataclass(frozen=True, slots=True)
class MatchedCommit:
    """A commit of the branch; `patch` is its record, None if a person added the commit."""

    commit: Commit
    patch: RecordedPatch | None

    @property
    def name(self) -> str:
        """The patch's name, "" for a commit that a person added."""
        return self.patch.name if self.patch else ""

    def is_edited(self, change_digests: Mapping[Oid, str]) -> bool:
        """Return whether a person changed the code of the patch."""
        return self.patch is not None and self.patch.content != change_digests[self.commit.oid]

    def list_edited(self, change_digests: Mapping[Oid, str]) -> tuple[str, ...]:
        """Return the parts of the patch that a person changed: "code", "message"."""
        is_reworded = self.patch is not None and (
            digest_message(self.commit.message) != self.patch.message
        )
        code = ("code",) if self.is_edited(change_digests) else ()
        return (*code, "message") if is_reworded else code


def match_commits(
    commits: Sequence[Commit], change_digests: Mapping[Oid, str], record: Record
) -> tuple[MatchedCommit, ...]:
    """Return the commits of a branch, each with the recorded patch that it came from.

    A commit matches the patch with the same change, else the patch with the same subject. The
    remaining commits were reworded and edited: each matches the remaining patch that shares most
    files with it. Each patch matches at most one commit.
    """
    matches: dict[Oid, RecordedPatch] = {}
    unmatched = list(record.patches)

    def match(commit: Commit, patch: RecordedPatch) -> None:
        matches[commit.oid] = patch
        unmatched.remove(patch)

    for commit in commits:
        same_change = [patch for patch in unmatched if patch.content == change_digests[commit.oid]]
        if same_change:
            match(commit, same_change[0])
    for commit in commits:
        same_subject = [patch for patch in unmatched if patch.subject == commit.subject]
        if commit.oid not in matches and same_subject:
            match(commit, same_subject[0])
    files = {patch.name: set(patch.files) for patch in record.patches}
    for commit in commits:
        changed_paths = set(map(str, commit.files))
        similar = [patch for patch in unmatched if files[patch.name] & changed_paths]
        if commit.oid not in matches and similar:
            match(commit, max(similar, key=lambda patch: len(files[patch.name] & changed_paths)))
    return tuple(MatchedCommit(commit, matches.get(commit.oid)) for commit in commits)


def compare_versions(
    git: Git,
    theirs: tuple[Oid, Sequence[Commit]],
    ours: tuple[Oid, Sequence[Commit]],
    *,
    hidden: Collection[Oid] = (),
) -> str:
    """Return git's range-diff of two series, each given as start and commits; "" if equal.

    Notes below the cut are not compared, as after `git am`. `hidden` are commits that only
    the quarantine has; dashes replace their ids.
    """
    series = []
    for start, commits in (theirs, ours):
        bare = _remove_notes(git, start, commits)
        names = (None if commit.oid in hidden else commit.oid for commit in commits)
        series.append(ComparedSeries(start, dict(zip(bare, names, strict=True))))
    return compare_series(git, *series)


def _remove_notes(git: Git, start: Oid, commits: Sequence[Commit]) -> Sequence[Oid]:
    """Return the commits without the notes below the cut."""
    parsed = {commit.oid: parse_message(commit.message) for commit in commits}
    messages = {
        oid: str(replace(message, notes="")) for oid, message in parsed.items() if message.notes
    }
    return reparent(git, list(parsed), start, messages=messages)
