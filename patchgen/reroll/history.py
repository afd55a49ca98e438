# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a series: its record, the versions that were sent, and the next version.

b4 records a version that it sent as a tag, and its message-ids in the cover letter's commit.
patchgen reads both, so either tool may send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import RefusedError, UsageError
from patchgen.model.base import Oid
from patchgen.odb import (
    Quarantine,
    Repository,
    SentVersion,
    compare_series,
    digest_commits,
    read_commits,
    read_sent,
    reparent,
)
from patchgen.reroll.changelog import Earlier
from patchgen.reroll.hand_edits import Placed
from patchgen.series import Record, SeriesBranch, Tracking, read_branch, take_out_testing
from patchgen.series.trailers import parse_message


@dataclass(frozen=True, slots=True)
class SeriesHistory:
    """A series on its branch, with what was sent of it.

    `sent` is the newest version that was sent before the one to make, None if none was. `revision`
    is the version to make.
    """

    series: SeriesBranch
    record: Record
    tracking: Tracking
    sent: SentVersion | None
    revision: int

    @property
    def next_branch(self) -> str:
        """The name of a branch for the version to make."""
        return re.sub(r"-v\d+$", "", self.series.name) + f"-v{self.revision}"

    def find_earlier(
        self, git: Quarantine, commits: Sequence[Placed], change_digests: Mapping[Oid, str]
    ) -> list[Earlier | None]:
        """Return what each commit was in the last known version, None for a new one."""
        branch = [commit.before for commit in commits]
        if self.sent is None:
            return [Earlier(change_digests[c.oid], c.message) if c else None for c in branch]
        base, tip = self.sent.base, self.sent.tip
        changes = digest_commits(git, base, tip)
        known = read_commits(git, base, tip)
        sent = [Earlier(changes[commit.oid], commit.message) for commit in known]
        named = {commit.subject: version for commit, version in zip(known, sent, strict=True)}
        alike = {version.change_digest: version for version in sent}
        return [
            alike.get(change_digests[commit.oid]) or named.get(commit.subject) if commit else None
            for commit in branch
        ]

    def compare(self, git: Quarantine, start: Oid, commits: Sequence[Oid]) -> str:
        """Return the range-diff from the last known version to these commits."""
        known = (self.series.start, [commit.oid for commit in self.series.commits])
        if self.sent is not None:
            sent = read_commits(git, self.sent.base, self.sent.tip)
            known = (self.sent.base, [commit.oid for commit in sent])
        return compare_series(git, _without_notes(git, *known), _without_notes(git, start, commits))


def read_history(
    repository: Repository, quarantine: Quarantine, branch: str | None, wanted: int | None
) -> SeriesHistory:
    """Read a branch (None: the current one) and choose the next version.

    Raises RefusedError if the branch has no record or is a campaign's, or if the requested version
    was sent already; UsageError if it is older than the branch.
    """
    name, tip = repository.resolve_branch(branch)
    series = read_branch(repository, quarantine, name, tip)
    record, tracking = _recorded(series)
    if series.cover is not None:
        # The test results are not a hand edit, and may not hold for the next version.
        series = replace(series, cover=take_out_testing(series.cover, record)[0])
    sent = read_sent(repository, tracking.change_id)
    revision = _choose_revision(wanted, record, tracking, sent)
    newest = max(
        (version for version in sent if version.revision < revision),
        key=lambda version: version.revision,
        default=None,
    )
    return SeriesHistory(series, record, _with_sent(tracking, sent), newest, revision)


def _recorded(series: SeriesBranch) -> tuple[Record, Tracking]:
    if series.record is None or series.tracking is None:
        raise RefusedError(
            f"{series.name} has no record of how it was generated, so it cannot be rerolled",
            hint="`patchgen apply --b4`, the default, stores one in the cover letter's commit",
        )
    if series.record.split:
        made = series.record
        raise RefusedError(
            f"{series.name} is a campaign of {made.variant}; campaigns cannot be rerolled",
            hint=f"`patchgen run {made.variant} --base REV --split {made.split} "
            f"-v {made.revision + 1}` runs it again on the newer base; "
            "`patchgen status` shows which of its patches are still needed",
        )
    return series.record, series.tracking


def _with_sent(tracking: Tracking, sent: Sequence[SentVersion]) -> Tracking:
    """Return the tracking with the versions that tags record, as b4 stores them."""
    for version in sent:
        tracking = tracking.with_sent(
            version.revision, tuple(filter(None, version.message_ids[:1]))
        )
    return tracking


def _choose_revision(
    wanted: int | None, record: Record, tracking: Tracking, sent: Sequence[SentVersion]
) -> int:
    """Return the version to make: the next one, or a requested one that was not sent.

    b4 increments the version after sending one, patchgen when it rerolls.
    """
    out = [version.revision for version in sent]
    if wanted is None:
        return max(record.revision + 1, tracking.revision, *(revision + 1 for revision in out))
    if wanted in out:
        raise RefusedError(
            f"v{wanted} was sent already",
            hint="omit the version to make the next one",
            parameters=("revision",),
        )
    if wanted < record.revision:
        raise UsageError(
            f"v{wanted} is older than the branch, which has v{record.revision}",
            hint="omit the version to make the next one",
            parameters=("revision",),
        )
    return wanted


def _without_notes(git: Quarantine, start: Oid, commits: Sequence[Oid]) -> tuple[Oid, Oid]:
    """Return start and tip of a series without the text below the cut of its messages."""
    shown = read_commits(git, start, commits[-1])
    parsed = {commit.oid: parse_message(commit.message) for commit in shown}
    messages = {
        oid: str(replace(message, notes="")) for oid, message in parsed.items() if message.notes
    }
    return start, reparent(git, commits, start, messages=messages)[-1]
