"""Which commit of a branch is which patch of the variant, whatever people did to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.series.record import Record, RecordedPatch


@dataclass(frozen=True, slots=True)
class Matched:
    """A commit of the branch; `patch` is what it was made as, None where a person added it."""

    commit: Commit
    patch: RecordedPatch | None

    @property
    def name(self) -> str:
        """The patch's name, "" where there is none."""
        return self.patch.name if self.patch else ""

    def is_edited(self, substances: Mapping[Oid, str]) -> bool:
        """Tell whether a person changed the code of what was made."""
        return self.patch is not None and self.patch.content != substances[self.commit.oid]


def match_commits(
    commits: Sequence[Commit], substances: Mapping[Oid, str], record: Record
) -> tuple[Matched, ...]:
    """Return the commits of a branch, each with the recorded patch that it came from.

    A commit is the patch whose change it has, else the one whose subject it has. What remains on
    both sides is paired in order where the same files are touched: a commit that was reworded and
    edited. Each patch is taken once.
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
