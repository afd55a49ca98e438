# SPDX-License-Identifier: GPL-2.0-or-later
"""Render the status of a series as one HTML page: a bar of its stages, and a row for each patch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

from patchgen.counting import count
from patchgen.status.remarks import describe_file, sort_files
from patchgen.status.result import PatchState, PatchStatus, SentMail, SeriesStatus, Stage
from patchgen.templating import render_html_page

_TEMPLATES = Path(__file__).with_name("templates")
_ARCHIVE = "https://lore.kernel.org/r/"


@dataclass(frozen=True, slots=True)
class PatchOwners:
    """The git trees that take a patch, each a name and a location, and the maintainers.

    Those of the most files come first.
    """

    trees: tuple[tuple[str, str], ...] = ()
    maintainers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StagePart:
    """The part of the bar for a stage: `count` patches, after `start` patches at earlier stages.

    `counted` is the word for the stage after that number.
    """

    stage: str
    counted: str
    count: int
    start: int


@dataclass(frozen=True, slots=True)
class PersonLabel:
    """A name, and the text with the address that it comes from. `role` is the key of a tag."""

    name: str
    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class MailLink:
    """A mail in the archive: the day when it was sent, "" if unknown, and its recipients."""

    url: str
    date: str
    people: tuple[PersonLabel, ...]


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A patch as shown on the page.

    `files` are paths with a remark on each, "" for none. `upstream` are commits that made the same
    change, each an id and a subject.
    """

    number: int
    subject: str
    commit: str
    stage: str
    note: str
    files: tuple[tuple[str, str], ...]
    trees: tuple[tuple[str, str], ...]
    maintainers: tuple[PersonLabel, ...]
    tags: tuple[PersonLabel, ...]
    mail: MailLink | None
    upstream: tuple[tuple[str, str], ...]


def render_page(status: SeriesStatus, owners: Sequence[PatchOwners], now: datetime) -> str:
    """Return the page of a series as of `now`; `owners` are those of its patches."""
    cover, tracking = status.series.cover, status.series.tracking
    starts = accumulate(status.stages.values(), initial=0)
    sent = tracking.history if tracking else {}
    return render_html_page(
        _TEMPLATES,
        {
            "status": status,
            "headline": cover.subject if cover else status.branch,
            "now": f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "total": len(status.patches),
            "applied": status.stages[Stage.APPLIED],
            "parts": [
                StagePart(stage.value, stage.counted, count, start)
                for (stage, count), start in zip(status.stages.items(), starts, strict=False)
            ],
            "versions": [
                (version, _link(SentMail(ids[0]))) for version, ids in sent.items() if ids
            ],
            "cover_mail": _link(status.mail),
            "rows": list(_build_rows(status.patches, owners)),
        },
        search=True,
    )


def _build_rows(
    patches: Sequence[PatchStatus], owners: Sequence[PatchOwners]
) -> Iterator[PatchRow]:
    for number, (patch, owner) in enumerate(zip(patches, owners, strict=True), 1):
        yield PatchRow(
            number=number,
            subject=patch.commit.subject,
            commit=patch.commit.oid[:12],
            stage=patch.stage.value,
            note=_describe_state(patch),
            files=tuple((str(file.path), describe_file(file)) for file in sort_files(patch.files)),
            trees=owner.trees,
            maintainers=tuple(map(_split_person, owner.maintainers)),
            tags=tuple(_split_person(tag.value, tag.name) for tag in patch.tags),
            mail=_link(patch.mail),
            upstream=tuple((commit.oid[:12], commit.subject) for commit in patch.made_by),
        )


def _describe_state(patch: PatchStatus) -> str:
    """Return a note on a patch next to its stage, "" without one."""
    if patch.present_at is not None:
        return f"already there ({patch.present_at})"
    conflicts = [file for file in patch.files if file.state is PatchState.CONFLICTS]
    notes = [f"{len(conflicts)} of {count(len(patch.files), 'file')}"] if conflicts else []
    notes += ["partly applied"] if patch.is_partly_applied else []
    return ", ".join(notes)


def _split_person(text: str, role: str = "") -> PersonLabel:
    name = text.partition("<")[0].strip(' "')
    return PersonLabel(name or text, text, role)


def _link(mail: SentMail | None) -> MailLink | None:
    if mail is None:
        return None
    people = tuple(map(_split_person, (*mail.to, *mail.cc)))
    return MailLink(_ARCHIVE + quote(mail.message_id, safe="@"), mail.date, people)
