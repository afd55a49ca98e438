# SPDX-License-Identifier: GPL-2.0-or-later
"""The status of a series on a newer base: of the series, of each patch, and of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.outcome import Site
from patchgen.series import Record


class PatchState(StrEnum):
    """The state of a patch, or of its part in one file, on the newer base.

    APPLIED: its changes are there. NEEDED: it applies, and changes something. CONFLICTS: a person
    has to look. GONE: the code that it would change is no longer there.
    """

    APPLIED = "applied"
    NEEDED = "needed"
    CONFLICTS = "conflicts"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A commit between the old base and the new one."""

    oid: Oid
    subject: str


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A patch's part in one file, of `hunks` hunks without context.

    `path` is the file's name on the old base, `renamed_to` its name now, if that differs. `present`
    hunks are there already; `made_by` are the commits that made exactly these. `removed_by` deleted
    the file. `undone_by` reverted the same change after another commit had made it.
    `conflicts_since` is the number, from 1, of an earlier patch of the series that conflicts in the
    file.
    """

    path: PurePosixPath
    state: PatchState
    hunks: int
    present: int = 0
    renamed_to: PurePosixPath | None = None
    is_deleted: bool = False
    made_by: tuple[Upstream, ...] = ()
    removed_by: Upstream | None = None
    undone_by: Upstream | None = None
    conflicts_since: int | None = None


@dataclass(frozen=True, slots=True)
class PatchStatus:
    """A commit of the series and its state now.

    `present_at` is where a probe of the variant found the patch, whatever its diff says.
    """

    commit: Commit
    files: tuple[FileStatus, ...]
    present_at: Site | None = None

    @property
    def state(self) -> PatchState:
        """The state of the whole patch: what is left to do takes precedence over what is done."""
        if self.present_at is not None:
            return PatchState.APPLIED
        states = {file.state for file in self.files}
        order = (PatchState.CONFLICTS, PatchState.NEEDED, PatchState.APPLIED)
        return next((state for state in order if state in states), PatchState.GONE)

    @property
    def is_partly_applied(self) -> bool:
        """Whether some of it is there, but not all."""
        is_open = self.state in (PatchState.NEEDED, PatchState.CONFLICTS)
        return is_open and any(file.present for file in self.files)

    @property
    def made_by(self) -> tuple[Upstream, ...]:
        """The commits that made the present hunks, each once, those of the first file first."""
        return tuple(dict.fromkeys(commit for file in self.files for commit in file.made_by))


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """A branch on a newer base. `base` and `onto` are each an id and its name for people.

    `newer` is the number of commits that the newer base has and the old one lacks.
    """

    branch: str
    base: tuple[Oid, str]
    onto: tuple[Oid, str]
    newer: int
    patches: tuple[PatchStatus, ...]
    record: Record | None
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[PatchState, int]:
        """The number of patches in each state."""
        states = [patch.state for patch in self.patches]
        return {state: states.count(state) for state in PatchState}
