# SPDX-License-Identifier: GPL-2.0-or-later
"""Match the commits of a branch with the recorded patches, even after hand edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.series.record import Record, RecordedPatch


@dataclass(frozen=True, slots=True)
class Matched:
    """A commit of the branch; `patch` is the patch it was made as, None if a person added it."""

    commit: Commit
    patch: RecordedPatch | None

    @property
    def name(self) -> str:
        """The patch's name, "" if there is none."""
        return self.patch.name if self.patch else ""

    def is_edited(self, substances: Mapping[Oid, str]) -> bool:
        """Return whether a person changed the code of the patch."""
        return self.patch is not None and self.patch.content != substances[self.commit.oid]


def match_commits(
    commits: Sequence[Commit], substances: Mapping[Oid, str], record: Record
) -> tuple[Matched, ...]:
    """Return the commits of a branch, each with the recorded patch that it came from.

    A commit matches the patch with the same change, else the patch with the same subject. The
    remaining commits were reworded and edited: each matches the remaining patch that shares most
    files with it. Each patch matches at most one commit.
    """
    taken: dict[Oid, RecordedPatch] = {}
    left = list(record.patches)

    def take(commit: Commit, patch: RecordedPatch) -> None:
        taken[commit.oid] = patch
        left.remove(patch)

    for commit in commits:
        for patch in [each for each in left if each.content == substances[commit.oid]][:1]:
            take(commit, patch)
    for commit in commits:
        same = [each for each in left if each.subject == commit.subject]
        if commit.oid not in taken and same:
            take(commit, same[0])
    files = {patch.name: set(patch.files) for patch in record.patches}
    for commit in commits:
        touched = set(map(str, commit.files))
        alike = [each for each in left if files[each.name] & touched]
        if commit.oid not in taken and alike:
            take(commit, max(alike, key=lambda each: len(files[each.name] & touched)))
    return tuple(Matched(commit, taken.get(commit.oid)) for commit in commits)
