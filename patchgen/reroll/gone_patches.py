# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the patches that reviewers have seen and that a person has dropped from the branch since.

The change log lists them, as it lists those that a newer base has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.odb import Git, digest_commits, parse_diff, read_commits, read_diffs
from patchgen.reroll.hand_edits import DroppedPatch
from patchgen.reroll.history import SeriesHistory
from patchgen.series import MatchedCommit, match_commits

# The lines that each commit adds, with their files.
_Lines = Mapping[Oid, Set[tuple[PurePosixPath, bytes]]]


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
    newer = _read_newer_changes(history, history.sent.revision)
    gone = [
        matched.commit
        for matched in sent
        if matched.commit.oid not in present and (matched.patch is not None or not has_unknown)
        if matched.commit.subject not in _omit_items(newer, matched.commit)
    ]
    return [
        DroppedPatch(commit.subject, squashed_into=subject)
        for commit, subject in zip(gone, _find_subjects(git, history, gone), strict=True)
    ]


def _read_newer_changes(history: SeriesHistory, revision: int) -> str:
    """Return the lists of changes of the versions after one, without line ends."""
    notes = history.series.cover.notes if history.series.cover else ""
    return " ".join(notes.partition(f"Changes in v{revision}:")[0].split())


def _omit_items(changes: str, commit: Commit) -> str:
    """Return the lists without the subject of a commit where it is before an item about it."""
    return changes.replace(f'"{commit.subject}": ', "")


def find_squashed(
    git: Git, base: Oid, names: Mapping[Oid, str], generated: Mapping[str, Commit]
) -> dict[str, str]:
    """Return the names of generated patches that were squashed, each with that of the other patch.

    `names` are those of the commits of the series on the base, in order, and `generated` are the
    patches that were generated on it.
    """
    gone = set(generated) - set(names.values())
    if not gone:
        return {}
    lines = _read_added(git, base, list(names)[-1])
    before = _read_added(git, base, list(generated.values())[-1].oid)
    holders = {
        name: next((names[oid] for oid in _find_holders(generated[name].oid, before, lines)), None)
        for name in generated
        if name in gone
    }
    return {name: holder for name, holder in holders.items() if holder is not None}


def _find_subjects(git: Git, history: SeriesHistory, gone: Sequence[Commit]) -> list[str]:
    """Return the subject of the commit that each patch was squashed into, "" for none."""
    if not gone or history.sent is None:
        return []
    sent_lines = _read_added(git, history.sent.base, history.sent.tip)
    lines = _read_added(git, history.series.start, history.series.tip)
    subjects = {commit.oid: commit.subject for commit in history.series.commits}
    return [
        next((subjects[oid] for oid in _find_holders(commit.oid, sent_lines, lines)), "")
        for commit in gone
    ]


def _find_holders(gone: Oid, before: _Lines, lines: _Lines) -> Iterator[Oid]:
    """Yield the commits that a patch may have been squashed into.

    They have all lines that the patch added, and no other patch had them `before`.
    """
    own = before[gone]
    if own and not any(own <= added for oid, added in before.items() if oid != gone):
        yield from (oid for oid, added in lines.items() if own <= added)


def _read_added(git: Git, base: Oid, tip: Oid) -> _Lines:
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
