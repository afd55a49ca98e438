# SPDX-License-Identifier: GPL-2.0-or-later
"""The text that `patchgen send` shows before it asks: a summary of one screen, or everything.

The screen has 24 lines of 80 columns, the size of the smallest terminals; the last line is the
question. Recipients are grouped by the mails that they get. A part that does not fit is cut, and
the summary states how much is missing.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from patchgen.commands.send import SendPlan
from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.mail import group_recipients, list_addresses, name_mails
from patchgen.model.series import Recipients
from patchgen.pipeline.journal import MailState

_COLUMNS = 80
# Without the line of the question.
_LINES = 23
# The minimum for warnings, even if mails and recipients do not fit then.
_WARNING_LINES = 6
# The maximum number of lines for notes of the checks that do not fit in full.
_NOTE_LINES = 3
# `Printer.warning` prints this before each.
_WARNING = "warning: "


@dataclass(slots=True)
class SendSummary:
    """The lines to print, and the warnings, which go to standard error.

    `is_whole` is unset if something did not fit.
    """

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_whole: bool = True


def list_everything(plan: SendPlan, notes: Sequence[str]) -> SendSummary:
    """Return each mail with each of its recipients, and all notes and warnings."""
    lines = [_title(plan)]
    for mail, (_, recipients) in zip(_list_mails(plan), _list_recipients(plan), strict=True):
        lines.append(mail)
        lines += [f"      To: {person}" for person in recipients.to]
        lines += [f"      Cc: {person}" for person in recipients.cc]
    lines.append(_count_recipients(plan))
    lines += [f"Bcc of all mails: {person}" for person in plan.bcc]
    return SendSummary([*lines, *_list_notes(notes)], list(plan.warnings))


def summarize(
    plan: SendPlan, notes: Sequence[str], *, has_question: bool = True, fits_screen: bool = True
) -> SendSummary:
    """Return what fits on one screen, together with the question.

    Without a question (`has_question`) warnings are complete. Unless `fits_screen`, everything is:
    a pipe or a file has no size.
    """
    if not fits_screen:
        return _summarize_all(plan, notes)
    summary = SendSummary()
    bcc = _wrap("Bcc of all mails: ", plan.bcc, summary, max_rows=1) if plan.bcc else []
    mails = [_shorten(line) for line in _list_mails(plan)]
    groups = list(_group_recipients(plan))
    people = [line for label, names in groups for line in _wrap(label, names, SendSummary())]
    summary.warnings = list(plan.warnings)
    room = _LINES - 2 - len(bcc)
    others = len(mails) + len(people) + sum(map(_count_rows, plan.warnings))
    note_lines = _fit_notes(_list_notes(notes), room - others, summary)
    room -= len(note_lines)
    if has_question:
        warning_room = max(room - len(mails) - len(people), _WARNING_LINES)
        summary.warnings = _cut_warnings(plan.warnings, warning_room, summary)
        room -= sum(map(_count_rows, summary.warnings))
    people_room = max(room - len(mails), room * 2 // 3)
    if len(people) > people_room:
        short = [_wrap(label, names, summary, max_rows=1)[0] for label, names in groups]
        people = _cut(short, people_room, "group of recipients", summary)
    mails = _cut(mails, room - len(people), "mail", summary)
    summary.lines = [_shorten(_title(plan)), *mails, *people, _count_recipients(plan)]
    summary.lines += [*bcc, *note_lines]
    return summary


def _summarize_all(plan: SendPlan, notes: Sequence[str]) -> SendSummary:
    people = [line for label, names in _group_recipients(plan) for line in _fill(label, names)]
    bcc = _fill("Bcc of all mails: ", plan.bcc) if plan.bcc else []
    lines = [_title(plan), *_list_mails(plan), *people, _count_recipients(plan), *bcc]
    return SendSummary([*lines, *_list_notes(notes)], list(plan.warnings))


def _title(plan: SendPlan) -> str:
    title = f"{plan.version.name}, v{plan.version.revision}"
    total = len(plan.entries)
    is_part = len(plan.numbers) < total
    return f"{title}: {len(plan.numbers)} of {count(total, 'mail')}" if is_part else title


def _list_mails(plan: SendPlan) -> list[str]:
    return [
        f"  {number} {entry.subject}"
        + ("" if entry.state is MailState.WAITING else f" ({entry.state})")
        for number, entry in ((number, plan.entries[number]) for number in plan.numbers)
    ]


def _list_recipients(plan: SendPlan) -> list[tuple[int, Recipients]]:
    """Return the numbers of the mails with their recipients."""
    entries = ((number, plan.entries[number]) for number in plan.numbers)
    return [(number, Recipients(entry.to, entry.cc)) for number, entry in entries]


def _list_notes(notes: Sequence[str]) -> list[str]:
    return [f"note: {note}" for note in notes]


def _count_recipients(plan: SendPlan) -> str:
    mails_by_address = Counter(
        address
        for _, recipients in _list_recipients(plan)
        for address in list_addresses(recipients)
    )
    mails = len(plan.numbers)
    complete = sum(mail_count == mails for mail_count in mails_by_address.values())
    total = f"{count(mails, 'mail')}, {count(len(mails_by_address), 'recipient')}"
    return f"{total}; {complete} of them get{'s' if complete == 1 else ''} all mails"


def _group_recipients(plan: SendPlan) -> Iterator[tuple[str, list[str]]]:
    """Yield groups of people with a label: "  mails 0, 2-4  Cc: "."""
    for group in group_recipients(_list_recipients(plan)):
        mails = name_mails(group.numbers, len(plan.numbers))
        yield f"  {mails}  {group.header}: ", list(map(escape_controls, group.people))


def _wrap(
    label: str, names: Sequence[str], summary: SendSummary, *, max_rows: int | None = None
) -> list[str]:
    """Return names after a label, on as many lines as necessary, or on `max_rows`."""
    rows = [_shorten(label, _COLUMNS // 2)]
    for index, name in enumerate(names):
        last = index == len(names) - 1
        more = f"and {len(names) - index} more"
        # The line may have to end with the number of names that are left out.
        spare = 0 if last or max_rows is None or len(rows) < max_rows else len(more) + 4
        if _width(rows[-1]) + _width(name) + 1 + spare <= _COLUMNS:
            rows[-1] += name + ("" if last else ", ")
        elif len(rows) == max_rows and index:
            summary.is_whole = False
            rows[-1] += more
            break
        else:
            if index:
                rows.append(" " * 6)
            is_full = len(rows) == max_rows and not last
            columns = _COLUMNS - (len(more) if is_full else 0)
            rows[-1] = _shorten(rows[-1] + name + ("" if last else ", "), columns)
    return [row.rstrip() for row in rows]


def _fill(label: str, names: Sequence[str]) -> list[str]:
    """Return all names in full after a label; a line is longer than others if a name is."""
    rows = [label]
    for index, name in enumerate(names):
        if index and _width(rows[-1]) + _width(name) >= _COLUMNS:
            rows.append(" " * 6)
        rows[-1] += name + ("" if index == len(names) - 1 else ", ")
    return [row.rstrip() for row in rows]


def _cut_warnings(warnings: Sequence[str], room: int, summary: SendSummary) -> list[str]:
    """Return the warnings if they fit, else the first ones, each cut to one line."""
    if sum(map(_count_rows, warnings)) <= room:
        return list(warnings)
    summary.is_whole = False
    shown = warnings if len(warnings) <= room else warnings[: room - 1]
    lines = [_shorten(warning.replace("\n", " "), _COLUMNS - len(_WARNING)) for warning in shown]
    left_out = len(warnings) - len(shown)
    return lines + ([count(left_out, "more warning")] if left_out else [])


def _cut(lines: list[str], room: int, noun: str, summary: SendSummary) -> list[str]:
    """Return the lines that fit, shortened, with the number of those left out in the last one."""
    room = max(room, 1)
    if len(lines) > room:
        summary.is_whole = False
        lines = [*lines[: room - 1], f"  ... and {count(len(lines) - room + 1, f'more {noun}')}"]
    return [_shorten(line) for line in lines]


def _fit_notes(notes: list[str], room: int, summary: SendSummary) -> list[str]:
    """Return the notes in full if they fit, else the first ones, each cut to one line."""
    rows = [
        row
        for note in notes
        for row in textwrap.wrap(
            escape_controls(note), _COLUMNS, subsequent_indent="  ", break_on_hyphens=False
        )
    ]
    if len(rows) <= room and all(_width(row) <= _COLUMNS for row in rows):
        return rows
    lines = _cut(notes, _NOTE_LINES, "note", summary)
    summary.is_whole &= lines == notes
    return lines


def _count_rows(warning: str) -> int:
    lines = f"{_WARNING}{warning}".split("\n")
    return sum(max(1, -(-_width(escape_controls(line)) // _COLUMNS)) for line in lines)


def _shorten(line: str, columns: int = _COLUMNS) -> str:
    """Return a line cut to a width."""
    line = escape_controls(line)
    if _width(line) <= columns:
        return line
    while _width(line) > columns - 3:
        line = line[:-1]
    return f"{line}..."


def _width(text: str) -> int:
    """Return the number of columns of a text on a terminal."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
