"""What a series was before: its record, the versions that went out, and which one comes next.

b4 keeps a version that it sent as a tag, and the message-ids in the cover letter's commit; patchgen
reads both, so that either may send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import BaseError, UsageError
from patchgen.model.base import Oid
from patchgen.odb import (
    Quarantine,
    Repository,
    SentVersion,
    compare_series,
    read_commits,
    read_sent,
    read_substances,
    rechain,
)
from patchgen.reroll.carry import Carried
from patchgen.reroll.version import Earlier
from patchgen.series import Record, SeriesBranch, Tracking, read_branch, take_out_testing
from patchgen.series.trailers import parse_message


@dataclass(frozen=True, slots=True)
class History:
    """A series on its branch, and what people know of it.

    `sent` is the newest version that went out, before the one that is to be made; None for none.
    `revision` is the version to make.
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
        self, git: Quarantine, commits: Sequence[Carried], substances: Mapping[Oid, str]
    ) -> list[Earlier | None]:
        """Return what each commit was in the version that people know, None for a new one."""
        branch = [each.before for each in commits]
        if self.sent is None:
            return [Earlier(substances[c.oid], c.message) if c else None for c in branch]
        base, tip = self.sent.base, self.sent.tip
        changes = read_substances(git, base, tip)
        known = read_commits(git, base, tip)
        sent = [Earlier(changes[commit.oid], commit.message) for commit in known]
        named = {commit.subject: each for commit, each in zip(known, sent, strict=True)}
        alike = {each.substance: each for each in sent}
        return [
            alike.get(substances[commit.oid]) or named.get(commit.subject) if commit else None
            for commit in branch
        ]

    def compare(self, git: Quarantine, start: Oid, commits: Sequence[Oid]) -> str:
        """Return the range-diff from the version that people know to these commits."""
        known = (self.series.start, [commit.oid for commit in self.series.commits])
        if self.sent is not None:
            sent = read_commits(git, self.sent.base, self.sent.tip)
            known = (self.sent.base, [commit.oid for commit in sent])
        return compare_series(git, _without_notes(git, *known), _without_notes(git, start, commits))


def read_history(
    repository: Repository, quarantine: Quarantine, branch: str | None, wanted: int | None
) -> History:
    """Read a branch (None: the one that is checked out) and choose the version that comes next.

    Raises BaseError where the branch has no record or is a campaign's, or where the version that is
    wanted went out already; UsageError where it is older than the branch.
    """
    name, tip = repository.resolve_branch(branch)
    series = read_branch(repository, quarantine, name, tip)
    record, tracking = _recorded(series)
    if series.cover is not None:
        # What was tested is no edit of somebody's, and may not hold for the next version.
        series = replace(series, cover=take_out_testing(series.cover, record)[0])
    sent = read_sent(repository, tracking.change_id)
    revision = _choose_revision(wanted, record, tracking, sent)
    newest = max(
        (each for each in sent if each.revision < revision),
        key=lambda each: each.revision,
        default=None,
    )
    return History(series, record, _with_sent(tracking, sent), newest, revision)


def _recorded(series: SeriesBranch) -> tuple[Record, Tracking]:
    if series.record is None or series.tracking is None:
        raise BaseError(
            f"{series.name} has no record of how it was made, so it cannot be made again",
            hint="`patchgen apply --b4`, the default, keeps one in the cover letter's commit",
        )
    if series.record.split:
        made = series.record
        raise BaseError(
            f"{series.name} is a campaign of {made.variant}, and is not rerolled",
            hint=f"`patchgen run {made.variant} --base REV --split {made.split} "
            f"-v {made.revision + 1}` runs it again on the newer base; "
            "`patchgen status` says which of its patches are still needed",
        )
    return series.record, series.tracking


def _with_sent(tracking: Tracking, sent: Sequence[SentVersion]) -> Tracking:
    """Return the tracking with the versions that tags tell of, as b4 keeps them."""
    for each in sent:
        tracking = tracking.with_sent(each.revision, tuple(filter(None, each.message_ids[:1])))
    return tracking


def _choose_revision(
    wanted: int | None, record: Record, tracking: Tracking, sent: Sequence[SentVersion]
) -> int:
    """Return the version to make: the next one, or one that was asked for and did not go out.

    b4 counts up when it has sent one; patchgen when it rerolls.
    """
    out = [each.revision for each in sent]
    if wanted is None:
        return max(record.revision + 1, tracking.revision, *(revision + 1 for revision in out))
    if wanted in out:
        raise BaseError(
            f"v{wanted} went out already",
            hint="name no version to make the next one",
            parameters=("revision",),
        )
    if wanted < record.revision:
        raise UsageError(
            f"v{wanted} is older than the branch, which has v{record.revision}",
            hint="name no version to make the next one",
            parameters=("revision",),
        )
    return wanted


def _without_notes(git: Quarantine, start: Oid, commits: Sequence[Oid]) -> tuple[Oid, Oid]:
    """Return start and tip of a series without what is below the cut of its messages."""
    shown = read_commits(git, start, commits[-1])
    parsed = {commit.oid: parse_message(commit.message) for commit in shown}
    messages = {
        oid: str(replace(message, notes="")) for oid, message in parsed.items() if message.notes
    }
    return start, rechain(git, commits, start, messages=messages)[-1]
