# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the patches that reviewers have seen and that a person has dropped from the branch since.

The change log lists them, as it lists those that a newer base has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.odb import Git, digest_commits, parse_diff, read_commits, read_diffs
from patchgen.reroll.hand_edits import DroppedPatch
from patchgen.reroll.history import SeriesHistory
from patchgen.series import MatchedCommit, match_commits


def find_gone(
    git: Git,
    history: SeriesHistory,
    branch: Sequence[MatchedCommit],
    change_digests: Mapping[Oid, str],
) -> list[DroppedPatch]:
    """Return the patches of the newest version that was sent which the branch does not have.

    A patch is on the branch if a commit there has its change, its subject, or its place in the
    record. Where a commit that a person wrote has changed in all of these, the result has neither
    this patch nor another one that a person wrote. It omits patches that the lists of changes since
    that version name already.
    """
    if history.sent is None:
        return []
    base, tip = history.sent.base, history.sent.tip
    sent_digests = digest_commits(git, base, tip)
    sent = match_commits(read_commits(git, base, tip), sent_digests, history.record)
    pairs = [
        (matched, other)
        for matched in sent
        for other in branch
        if sent_digests[matched.commit.oid] == change_digests[other.commit.oid]
        or matched.commit.subject == other.commit.subject
        or (matched.patch is not None and matched.name == other.name)
    ]
    present = {matched.commit.oid for matched, _ in pairs}
    known = {other.commit.oid for _, other in pairs}
    has_unknown = any(other.patch is None and other.commit.oid not in known for other in branch)
    gone = [
        matched.commit
        for matched in sent
        if matched.commit.oid not in present and (matched.patch is not None or not has_unknown)
        if matched.commit.subject not in _read_newer_changes(history, history.sent.revision)
    ]
    return [
        DroppedPatch(commit.subject, squashed_into=subject)
        for commit, subject in zip(gone, _find_squashed(git, history, gone), strict=True)
    ]


def _read_newer_changes(history: SeriesHistory, revision: int) -> str:
    """Return the lists of changes of the versions after one, without line ends."""
    notes = history.series.cover.notes if history.series.cover else ""
    return " ".join(notes.partition(f"Changes in v{revision}:")[0].split())


def _find_squashed(git: Git, history: SeriesHistory, gone: Sequence[Commit]) -> list[str]:
    """Return the subject of the commit that each patch was squashed into, "" for none.

    It has all lines that the patch added, and no other patch had them when they were sent.
    """
    if not gone or history.sent is None:
        return []
    sent_lines = _read_added(git, history.sent.base, history.sent.tip)
    lines = _read_added(git, history.series.start, history.series.tip)
    subjects = {commit.oid: commit.subject for commit in history.series.commits}
    squashed = []
    for commit in gone:
        own = sent_lines[commit.oid]
        others = [added for oid, added in sent_lines.items() if oid != commit.oid]
        is_own = bool(own) and not any(own <= added for added in others)
        found = (subjects[oid] for oid, added in lines.items() if is_own and own <= added)
        squashed.append(next(found, ""))
    return squashed


def _read_added(git: Git, base: Oid, tip: Oid) -> dict[Oid, set[tuple[PurePosixPath, bytes]]]:
    """Return the lines that each commit adds, with their files, without lines of spaces."""
    return {
        oid: {
            (path, line)
            for path, change in parse_diff(diff).items()
            for hunk in change.hunks
            for line in hunk.added
            if line.strip()
        }
        for oid, diff in read_diffs(git, base, tip).items()
    }
