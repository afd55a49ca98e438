"""What is said of a series against a newer base: of the whole, of each patch, and of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.series import Record


class State(StrEnum):
    """What a patch, or its part in one file, is on the newer base.

    APPLIED: what it does is there. NEEDED: it goes on, and changes something. CONFLICTS: a person
    has to look. GONE: what it would change is not there any more.
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

    `path` is the file's name on the old base, `renamed_to` the one that it has now, if another.
    `present` hunks are there already; `by` are commits that did them, as far as any did just that.
    `removed_by` deleted the file. `undone_by` took the same change back after it had been there.
    `after` is the number of an earlier patch of the series that conflicts in the file, from 1.
    """

    path: PurePosixPath
    state: State
    hunks: int
    present: int = 0
    renamed_to: PurePosixPath | None = None
    is_deleted: bool = False
    by: tuple[Upstream, ...] = ()
    removed_by: Upstream | None = None
    undone_by: Upstream | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class PatchStatus:
    """A commit of the series and what it is now."""

    commit: Commit
    files: tuple[FileStatus, ...]

    @property
    def state(self) -> State:
        """The state of the whole: what is still to be done counts more than what is done."""
        states = {file.state for file in self.files}
        order = (State.CONFLICTS, State.NEEDED, State.APPLIED)
        return next((state for state in order if state in states), State.GONE)

    @property
    def is_partly_applied(self) -> bool:
        """Whether some of it is there, and not all."""
        is_open = self.state in (State.NEEDED, State.CONFLICTS)
        return is_open and any(file.present for file in self.files)

    @property
    def by(self) -> tuple[Upstream, ...]:
        """The commits that did what is there, each once, those of the first file first."""
        return tuple(dict.fromkeys(commit for file in self.files for commit in file.by))


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """A branch against a newer base. `base` and `onto` are each an id and what people call it.

    `newer` counts the commits that the newer base has and the old one has not.
    """

    branch: str
    base: tuple[Oid, str]
    onto: tuple[Oid, str]
    newer: int
    patches: tuple[PatchStatus, ...]
    record: Record | None
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[State, int]:
        """How many patches are in each state."""
        states = [patch.state for patch in self.patches]
        return {state: states.count(state) for state in State}
