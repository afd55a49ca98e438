# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen list`: the series of a repository, from its branches, its sent tags and its journals.

`patchgen status` compares a series with a newer base.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.odb import Repository, SentVersion, list_sent, parse_raw_commit
from patchgen.pipeline.journal import Journal, MailState
from patchgen.series import (
    APPROVALS,
    REVIEW_TAGS,
    NamedSeries,
    Tracking,
    list_series,
    parse_message,
)


class SeriesState(StrEnum):
    """How far the version on a branch has come. Of several states, a series has the first.

    UNREADABLE: its cover letter or the journal of its mails cannot be read. SUPERSEDED: a newer
    version is on another branch, or was sent. EDITED: its code differs from the code that was sent.
    ACKED: it was sent, and each patch has a Reviewed-by or an Acked-by. SENT: all mails were sent.
    PARTLY_SENT: some mails were sent. DRAFT: no mail was sent.
    """

    UNREADABLE = "unreadable"
    SUPERSEDED = "superseded"
    EDITED = "edited"
    ACKED = "acked"
    SENT = "sent"
    PARTLY_SENT = "partly sent"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class SentMails:
    """The mails of a version that were sent: `count` of `total`.

    `time` is that of the last one, in seconds since 1970. `tag` is None until all are sent.
    """

    count: int
    total: int
    time: float
    tag: str | None


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A series of the repository. Its version and subject are None if they cannot be read.

    `base_name` is the recorded name of the base, or its short id. `approved` counts the patches
    with a Reviewed-by or an Acked-by, and `tags` the review tags of all patches by name. `problem`
    is the reason for the state UNREADABLE, else "".
    """

    branch: str
    is_current: bool
    base: Oid
    base_name: str
    patches: int
    approved: int
    tags: Mapping[str, int]
    state: SeriesState
    tracking: Tracking | None = None
    subject: str | None = None
    sent: SentMails | None = None
    problem: str = ""


def summarise_series(tree: Path) -> tuple[SeriesSummary, ...]:
    """Return the series of a repository, those with the newest commits first."""
    with closing(Repository(tree)) as repository:
        listed = list(list_series(repository, count=0))
        sent = list_sent(repository)
        newest = dict(_find_newest(listed, sent))
        head = repository.find_head_branch()
        return tuple(_summarise(repository, series, sent, newest, head) for series in listed)


def _find_newest(
    listed: Sequence[NamedSeries], sent: Sequence[SentVersion]
) -> Iterator[tuple[str, int]]:
    """Yield the change-id and the number of each version, the newest last."""
    trackings = (series.tracking for series in listed)
    versions = [(tracking.change_id, tracking.revision) for tracking in trackings if tracking]
    yield from sorted(versions + [(version.change_id, version.revision) for version in sent])


def _summarise(
    repository: Repository,
    series: NamedSeries,
    sent: Sequence[SentVersion],
    newest: Mapping[str, int],
    head: str | None,
) -> SeriesSummary:
    trailers = [parse_message(patch.text).trailers for patch in series.patches]
    counts = Counter(trailer.name for patch in trailers for trailer in patch)
    approved = sum(any(trailer.name in APPROVALS for trailer in patch) for patch in trailers)
    tracking, problem = series.tracking, series.problem
    mails: SentMails | None = None
    state = SeriesState.UNREADABLE
    if tracking is not None:
        version = next((entry for entry in sent if _is_of(entry, tracking)), None)
        try:
            mails = _find_mails(repository, series, tracking, version)
        except RefusedError as err:
            problem = err.message
        else:
            is_newest = newest[tracking.change_id] == tracking.revision
            is_same = version is None or _has_same_code(repository, series, version)
            is_acked = approved == len(series.patches)
            state = _judge(mails, is_newest=is_newest, is_same=is_same, is_acked=is_acked)
    return SeriesSummary(
        branch=series.branch,
        is_current=series.branch == head,
        base=series.base,
        base_name=_name_base(series),
        patches=len(series.patches),
        approved=approved,
        tags={name: counts[name] for name in REVIEW_TAGS if counts[name]},
        state=state,
        tracking=tracking,
        subject=series.subject,
        sent=mails,
        problem=problem,
    )


def _is_of(version: SentVersion, tracking: Tracking) -> bool:
    return (version.change_id, version.revision) == (tracking.change_id, tracking.revision)


def _judge(
    mails: SentMails | None, *, is_newest: bool, is_same: bool, is_acked: bool
) -> SeriesState:
    if not is_newest:
        return SeriesState.SUPERSEDED
    if mails is None:
        return SeriesState.DRAFT
    if not is_same:
        return SeriesState.EDITED
    if mails.count < mails.total:
        return SeriesState.PARTLY_SENT
    return SeriesState.ACKED if is_acked else SeriesState.SENT


def _name_base(series: NamedSeries) -> str:
    # read_record() would import pydantic, which takes longer than the whole list.
    record = series.tracking.record if series.tracking else None
    name = record.get("describe") if record and record.get("base") == series.base else None
    return name if name and isinstance(name, str) else series.base[:12]


def _find_mails(
    repository: Repository, series: NamedSeries, tracking: Tracking, version: SentVersion | None
) -> SentMails | None:
    """Return the mails that were sent, None for a draft.

    Raises RefusedError if the journal of the version cannot be read.
    """
    if version is not None:
        total = len(version.message_ids) or len(series.patches) + 1
        return SentMails(total, total, version.time, version.tag)
    entries, _ = Journal(repository, tracking.change_id, tracking.revision).read()
    times = [entry.time for entry in entries if entry.state is MailState.SENT]
    return SentMails(len(times), len(entries), max(times), None) if times else None


def _has_same_code(repository: Repository, series: NamedSeries, version: SentVersion) -> bool:
    """Return whether the patches of a branch lead to the same trees as those that were sent."""
    oid = version.tip
    for patch in reversed(series.patches):
        [found] = repository.objects.read([oid])
        sent = parse_raw_commit(found[1]) if found else None
        if sent is None or sent.tree != patch.tree or len(sent.parents) != 1:
            return False
        oid = sent.parents[0]
    return oid == series.base
