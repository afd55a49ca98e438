# SPDX-License-Identifier: GPL-2.0-or-later
"""The status of a series on a newer base: of the series, of each patch, and of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.outcome import Site
from patchgen.series import (
    APPROVALS,
    REVIEW_TAGS,
    NamedSeries,
    Record,
    SeriesBranch,
    Trailer,
    parse_message,
)


class _State(StrEnum):
    @property
    def counted(self) -> str:
        """The word that follows a number of patches: "1 conflicting", "2 conflicting"."""
        return "conflicting" if self.value == "conflicts" else self.value


class PatchState(_State):
    """The state of a patch, or of its part in one file, on the newer base.

    APPLIED: the base has its changes. NEEDED: it applies, and changes something. CONFLICTS: a
    person has to decide. GONE: the code that it would change was removed.
    """

    APPLIED = "applied"
    NEEDED = "needed"
    CONFLICTS = "conflicts"
    GONE = "gone"


class Stage(_State):
    """How far a patch has come on its way upstream; each patch has one.

    A patch in the state NEEDED is ACKED if it was reviewed or acked, else SENT if its mail was
    sent, else NEEDED. The other stages are the states of the same names.
    """

    APPLIED = "applied"
    ACKED = "acked"
    SENT = "sent"
    NEEDED = "needed"
    CONFLICTS = "conflicts"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class UpstreamCommit:
    """A commit between the old base and the newer one."""

    oid: Oid
    subject: str


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A patch's part in one file, of `hunks` hunks without context.

    `path` is the file's name on the old base, `renamed_to` its name now, if that differs. The
    newer base has `present` hunks; `made_by` are the commits that made exactly these. `removed_by`
    deleted the file. `undone_by` reverted the same change after another commit had made it.
    `conflicts_since` is the number, from 1, of an earlier patch of the series that conflicts in the
    file.
    """

    path: PurePosixPath
    state: PatchState
    hunks: int
    present: int = 0
    renamed_to: PurePosixPath | None = None
    is_deleted: bool = False
    made_by: tuple[UpstreamCommit, ...] = ()
    removed_by: UpstreamCommit | None = None
    undone_by: UpstreamCommit | None = None
    conflicts_since: int | None = None


@dataclass(frozen=True, slots=True)
class SentMail:
    """The mail of a patch that was sent. `time` is in seconds since 1970, None if unknown.

    `to` and `cc` are its recipients, () if unknown.
    """

    message_id: str
    time: float | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()

    @property
    def date(self) -> str:
        """The day in UTC, "" if it is unknown."""
        return f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%d}" if self.time else ""


@dataclass(frozen=True, slots=True)
class PatchStatus:
    """A commit of the series and its state now.

    `present_at` is where a probe of the variant found the patch; it takes precedence over the diff.
    `mail` is the one that was sent for it.
    """

    commit: Commit
    files: tuple[FileStatus, ...]
    present_at: Site | None = None
    mail: SentMail | None = None

    @property
    def state(self) -> PatchState:
        """The state of the whole patch: that of the file that needs most work."""
        if self.present_at is not None:
            return PatchState.APPLIED
        states = {file.state for file in self.files}
        order = (PatchState.CONFLICTS, PatchState.NEEDED, PatchState.APPLIED)
        return next((state for state in order if state in states), PatchState.GONE)

    @property
    def stage(self) -> Stage:
        """How far the patch has come."""
        if self.state is not PatchState.NEEDED:
            return Stage(self.state)
        if any(tag.name in APPROVALS for tag in self.tags):
            return Stage.ACKED
        return Stage.SENT if self.mail else Stage.NEEDED

    @property
    def tags(self) -> tuple[Trailer, ...]:
        """The review tags in the patch's message."""
        trailers = parse_message(self.commit.message).trailers
        return tuple(trailer for trailer in trailers if trailer.name in REVIEW_TAGS)

    @property
    def is_partly_applied(self) -> bool:
        """Whether the base has some of its hunks, but not all."""
        is_open = self.state in (PatchState.NEEDED, PatchState.CONFLICTS)
        return is_open and any(file.present for file in self.files)

    @property
    def made_by(self) -> tuple[UpstreamCommit, ...]:
        """The commits that made the present hunks, each once, those of the first file first."""
        return tuple(dict.fromkeys(commit for file in self.files for commit in file.made_by))


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """A branch on a newer base. `base` and `onto` are each an id and a readable name.

    `newer` is the number of commits that only the newer base has. `mail` is the cover letter's, if
    it was sent.
    """

    series: SeriesBranch
    base: tuple[Oid, str]
    onto: tuple[Oid, str]
    newer: int
    patches: tuple[PatchStatus, ...]
    mail: SentMail | None = None
    warnings: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        """The name of the branch."""
        return self.series.name

    @property
    def record(self) -> Record | None:
        """The record of how patchgen made the series, None if it did not."""
        return self.series.record

    @property
    def revision(self) -> int | None:
        """The version of the series, None without a cover letter."""
        return self.series.tracking.revision if self.series.tracking else None

    @property
    def counts(self) -> Mapping[PatchState, int]:
        """The number of patches in each state."""
        states = [patch.state for patch in self.patches]
        return {state: states.count(state) for state in PatchState}

    @property
    def stages(self) -> Mapping[Stage, int]:
        """The number of patches at each stage."""
        stages = [patch.stage for patch in self.patches]
        return {stage: stages.count(stage) for stage in Stage}


@dataclass(frozen=True, slots=True)
class ListedSeries:
    """A series of the repository. `problem` is why it has no status, "" if it has one."""

    series: NamedSeries
    status: SeriesStatus | None
    problem: str = ""
