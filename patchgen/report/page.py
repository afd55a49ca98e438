# SPDX-License-Identifier: GPL-2.0-or-later
"""Render the report of a series as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.mail import RecipientGroup, name_mails
from patchgen.quoting import quote_name
from patchgen.report.content import FileReport, PatchReport, SeriesReport
from patchgen.report.diff_lines import DiffLine, LineKind
from patchgen.report.result_lines import describe_findings
from patchgen.series import Record, parse_message
from patchgen.templating import render_html_page

_TEMPLATES = Path(__file__).with_name("templates")
# The longest part of a line that is shown; the other characters are counted.
_LONGEST = 2000
# With more patches, their diffs are folded at first.
_UNFOLDED = 20
_CLASSES = {
    LineKind.ADDED: "added",
    LineKind.REMOVED: "removed",
    LineKind.CONTEXT: "context",
    LineKind.NOTE: "context",
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a diff, in three parts, of which the middle one differs from the other side.

    `more` is the number of characters that are left out. `origin` is "" if it is the same as that
    of the line above.
    """

    css: str
    number: int
    mark: str
    parts: tuple[str, str, str]
    more: int
    origin: str


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a patch: notes on it as a whole, and the head and the lines of each hunk."""

    path: str
    added: int
    removed: int
    notes: Sequence[str]
    hunks: Sequence[tuple[str, Sequence[ShownLine]]]


@dataclass(frozen=True, slots=True)
class ShownPatch:
    """A patch of the page. `semantic_patches` are those of a variant's patch, by name."""

    number: int
    commit: str
    subject: str
    text: str
    trailers: Sequence[str]
    rules: Sequence[tuple[str, int]]
    origin: str
    template_lines: str
    edited: str
    findings: Sequence[str]
    semantic_patches: Sequence[tuple[str, str]]
    files: Sequence[ShownFile]


def render_page(report: SeriesReport) -> str:
    """Return the page of a series."""
    series, record = report.series, report.series.record
    assert series.cover is not None and series.tracking is not None
    patches = [_show_patch(number, patch, record) for number, patch in enumerate(report.patches, 1)]
    return render_html_page(
        _TEMPLATES,
        {
            "report": report,
            "series": series,
            "record": record,
            "patches": patches,
            "files": len({file.path for patch in patches for file in patch.files}),
            "added": sum(file.added for patch in patches for file in patch.files),
            "removed": sum(file.removed for patch in patches for file in patch.files),
            "is_unfolded": len(patches) <= _UNFOLDED,
            "campaign": _list_semantic_patches(report.patches[0], record) if record else (),
            "recipients": [_name_group(group, len(patches) + 1) for group in report.recipients],
            "range_diff": [_show_compared(line) for line in report.range_diff.splitlines()],
        },
        search=True,
    )


def _show_patch(number: int, patch: PatchReport, record: Record | None) -> ShownPatch:
    message = parse_message(patch.commit.message)
    is_campaign = record is not None and bool(record.split)
    return ShownPatch(
        number=number,
        commit=patch.commit.oid[:12],
        subject=patch.commit.subject,
        text=message.text.partition("\n")[2].strip("\n"),
        trailers=list(map(str, message.trailers)),
        rules=list(patch.recorded.rules.items()) if patch.recorded else [],
        origin=patch.only_origin,
        template_lines=str(patch.template_lines or ""),
        edited=_describe_edits(patch, record),
        findings=describe_findings(patch.findings),
        semantic_patches=[] if is_campaign else _list_semantic_patches(patch, record),
        files=[_show_file(file, has_origins=not patch.only_origin) for file in patch.files],
    )


def _describe_edits(patch: PatchReport, record: Record | None) -> str:
    if record is None:
        return "the series has no record of how it was generated"
    if patch.recorded is None:
        return "added by hand"
    return f"edited by hand: {', '.join(patch.edited)}" if patch.edited else "as generated"


def _list_semantic_patches(patch: PatchReport, record: Record | None) -> list[tuple[str, str]]:
    if record is None or patch.recorded is None:
        return []
    return list(record.find_semantic_patches(patch.recorded).items())


def _show_file(file: FileReport, *, has_origins: bool) -> ShownFile:
    origins = iter(file.origins)
    hunks = []
    for hunk in file.diff.hunks:
        lines: list[ShownLine] = []
        for block in hunk.blocks:
            names = next(origins, ()) if block.is_change and has_origins else ()
            lines += _show_lines(block.lines, names)
        hunks.append((hunk.head, lines))
    diff = file.diff
    added, removed = diff.count(LineKind.ADDED), diff.count(LineKind.REMOVED)
    return ShownFile(quote_name(diff.path), added, removed, diff.notes, hunks)


def _show_lines(lines: Sequence[DiffLine], origins: Sequence[str]) -> Iterator[ShownLine]:
    before = ""
    for index, line in enumerate(lines):
        origin = origins[index] if origins else ""
        text = line.text[:_LONGEST]
        begin, end = min(line.begin, _LONGEST), min(line.end, _LONGEST)
        yield ShownLine(
            _CLASSES[line.kind],
            line.number,
            line.kind.value,
            (text[:begin], text[begin:end], text[end:]),
            len(line.text) - len(text),
            origin if origin != before else "",
        )
        before = origin


def _name_group(group: RecipientGroup, total: int) -> tuple[str, str, tuple[str, ...]]:
    return name_mails(group.numbers, total), group.header, group.people


def _show_compared(line: str) -> tuple[str, str]:
    """Return the class of a line of a range-diff, and the line.

    A diff of two diffs is indented by four spaces (git-range-diff(1)).
    """
    if not line.startswith("    "):
        return "head", line
    css = {"+": "added", "-": "removed"}.get(line[4:5], "context")
    return css, line
