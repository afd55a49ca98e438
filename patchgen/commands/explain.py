# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain what a commit was made from, by the record that travels with its branch."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.odb import Quarantine, Repository, digest_commits, read_commit, require_range
from patchgen.series import (
    Record,
    RecordedPatch,
    SeriesBranch,
    find_cover_commit,
    is_generated_cover,
    match_commits,
    parse_cover_commit,
    read_branch,
    read_record,
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A commit, the record of its series, and its patch in it.

    `patch` is None for the cover letter's commit, and for a commit that a person added. `edited`
    lists what was changed by hand: "code" or "message" of a patch, the "text" of a cover letter.
    """

    commit: Commit
    change_id: str
    record: Record
    patch: RecordedPatch | None
    is_cover: bool
    edited: tuple[str, ...] = ()


def explain_commit(tree: Path, revision: str) -> Explanation:
    """Return the record of a commit. Raises RefusedError for a commit without one."""
    with closing(Repository(tree)) as repository:
        oid = repository.resolve_commit(revision)
        # Not in the repository itself, where the user's configuration changes the form of diffs.
        with Quarantine(repository) as quarantine:
            return _explain(repository, quarantine, revision, oid)


def _explain(
    repository: Repository, quarantine: Quarantine, revision: str, oid: Oid
) -> Explanation:
    cover_oid = find_cover_commit(quarantine, oid)
    if cover_oid is None:
        raise _no_record(revision, oid)
    if repository.is_partial:
        require_range(quarantine, cover_oid, oid)
    commit = read_commit(quarantine, oid)
    cover, tracking = parse_cover_commit(read_commit(quarantine, cover_oid).message)
    record = read_record(tracking)
    if record is None:
        raise _no_record(revision, oid)
    if cover_oid == oid:
        is_generated = is_generated_cover(cover, record)
        return Explanation(
            commit, tracking.change_id, record, None, True, () if is_generated else ("text",)
        )
    # Commits are matched to patches only over the whole series.
    series = _read_series(repository, quarantine, revision, oid, cover_oid)
    change_digests = digest_commits(quarantine, series.start, series.tip)
    commits = match_commits(series.commits, change_digests, record)
    matched = next(match for match in commits if match.commit.oid == oid)
    edited = matched.list_edited(change_digests)
    return Explanation(commit, tracking.change_id, record, matched.patch, False, edited)


def _read_series(
    repository: Repository, quarantine: Quarantine, revision: str, oid: Oid, cover_commit: Oid
) -> SeriesBranch:
    """Return the series of a commit: up to the tip of a branch that has it, else to the commit."""
    args = ("for-each-ref", f"--contains={oid}", "--format=%(objectname)")
    listed = repository.run(*args, "refs/heads", "refs/remotes").stdout.decode().split()
    for tip in map(Oid, listed):
        if find_cover_commit(quarantine, tip) == cover_commit:
            try:
                return read_branch(repository, quarantine, revision, tip)
            except RefusedError:
                # Another branch was merged on top of the series.
                continue
    return read_branch(repository, quarantine, revision, oid)


def _no_record(revision: str, oid: Oid) -> RefusedError:
    return RefusedError(
        f"{revision} ({oid[:12]}) has no record",
        code="record-missing",
        hint="patchgen stores the record in the cover letter's commit, below the patches",
    )
