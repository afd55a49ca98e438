# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the places in the source that checkpatch reports, and the reports that old code had, too.

checkpatch counts the lines of the mail that it reads. With --showfile, it prints places in the
source, but wrong ones for the lines of the message. So the mail is read here.

A mechanical change carries old code along: the lines that it removes have the same faults. The
reverse of the diff adds those lines, so checkpatch reports their faults, too. A fault is the same
if it has the same type: its text may have names that the change replaces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.kernel import CheckpatchReport, check_mail
from patchgen.model.base import Oid
from patchgen.model.finding import Finding
from patchgen.model.series import Mail
from patchgen.odb.difftext import Kind, classify_lines, find_strip
from patchgen.quoting import unquote_name
from patchgen.series import Record
from patchgen.verify.quoted_lines import explain_quoted_line

_MESSAGE = "message"
_HUNK = re.compile(r"@@ -(?P<old>\d+\S*) \+(?P<new>(?P<start>\d+)\S*) @@")
_SWAPPED = r"@@ -\g<new> +\g<old> @@"
# Of the types that checkpatch gives to several faults, the text has to be the same, too.
_BROAD_TYPES = frozenset({"SPACING"})
_VARYING = re.compile(r"\d+|'[^']*'|\"[^\"]*\"|\(ctx:\w+\)")
# checkpatch looks at the format only if a certain function gets it, so it reports the fault first
# where an old format gets to that function. The format ends without a newline as before.
_FORMAT_TYPES = frozenset({"SYSFS_EMIT"})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME = re.compile(r"(?:---|\+\+\+) (?!/dev/null)(?P<name>[^\t\r]+)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a mail.

    `where` is its place: "FILE:LINE" after the patch, the file in the head of its diff, or
    "message"; "" below the diff. `block` is the same number for consecutive changed lines, and
    another one for each line that is not changed.
    """

    kind: Kind
    text: str
    where: str
    block: int

    @property
    def is_changed(self) -> bool:
        """Whether the patch adds or removes it."""
        return self.kind is Kind.HUNK and self.text[:1] in ("+", "-")


_WHOLE_MAIL = _Line(Kind.TEXT, "", "", 0)


def check_patch(tree: Path, commit: Oid, mail: Mail, record: Record | None) -> list[Finding]:
    """Return what the tree's checkpatch reports about the mail of a commit.

    `record` is that of the series, None if it has none.

    Raises ToolError if the script cannot be run.
    """
    lines = list(_read_lines(mail.content.decode("utf-8", "surrogateescape")))
    reports = check_mail(tree, mail)
    old: Counter[tuple[int, str]] = Counter()
    formats = _list_removed_strings(lines)
    if any(_find_line(lines, report).kind is Kind.HUNK for report in reports):
        old = _count_old(tree, lines)
    findings = []
    for report in reports:
        line = _find_line(lines, report)
        key = _key(line, report)
        is_old = old[key] > 0 or _is_format_kept(line, report, formats)
        old[key] -= old[key] > 0
        text = f"{report.level}:{report.text}"
        if line.where == _MESSAGE and line.text.strip():
            text += f': "{line.text.strip()}"'
        is_long = line.where == _MESSAGE and "COMMIT_LOG_LONG_LINE" in report.text
        findings.append(
            Finding(
                "checkpatch",
                text,
                commit,
                line.where,
                failure=not is_old,
                in_old_code=is_old,
                hint=explain_quoted_line(line.text, record) if is_long else "",
            )
        )
    return findings


def _read_lines(text: str) -> Iterator[_Line]:
    """Yield the lines of a mail."""
    strip = find_strip(text)
    where, file, number, block = _MESSAGE, "", 0, 0
    was_changed = False
    for kind, line in classify_lines(text.removesuffix("\n").split("\n")):
        if kind is Kind.HEAD and (name := _NAME.match(line)):
            where = file = unquote_name(name["name"]).split("/", strip)[-1]
        elif kind is Kind.HEAD and (hunk := _HUNK.match(line)):
            number = int(hunk["start"])
        elif kind is Kind.TEXT and file:
            where = ""
        is_changed = kind is Kind.HUNK and line[:1] in ("+", "-")
        block += not (is_changed and was_changed)
        was_changed = is_changed
        yield _Line(kind, line, f"{file}:{number}" if kind is Kind.HUNK else where, block)
        number += kind is Kind.HUNK and line[:1] not in ("-", "\\")


def _find_line(lines: Sequence[_Line], report: CheckpatchReport) -> _Line:
    """Return the line of a report. One about the whole mail has no line, or the mail's last."""
    if report.line is None or not 0 < report.line <= len(lines):
        return _WHOLE_MAIL
    line = lines[report.line - 1]
    is_end = report.line == len(lines) and line.kind is Kind.TEXT
    return _WHOLE_MAIL if is_end else line


def _count_old(tree: Path, lines: Sequence[_Line]) -> Counter[tuple[int, str]]:
    """Return how often checkpatch reports each fault of the code before the patch."""
    reverse = list(_reverse(lines))
    text = "".join(f"{line.text}\n" for line in reverse)
    mail = Mail("reverse.patch", text.encode("utf-8", "surrogateescape"))
    located = ((_find_line(reverse, report), report) for report in check_mail(tree, mail))
    return Counter(_key(line, report) for line, report in located if line.kind is Kind.HUNK)


def _reverse(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield the lines of the reverse diff."""
    added: list[_Line] = []
    for line in lines:
        if not line.is_changed:
            yield from added
            added = []
        if line.text.startswith("-") and line.is_changed:
            added.append(_Line(line.kind, f"+{line.text[1:]}", line.where, line.block))
        elif line.is_changed:
            yield _Line(line.kind, f"-{line.text[1:]}", line.where, line.block)
        elif line.kind is not Kind.TEXT:
            is_range = line.kind is Kind.HEAD and _HUNK.match(line.text)
            text = _HUNK.sub(_SWAPPED, line.text, count=1) if is_range else line.text
            yield _Line(line.kind, text, line.where, line.block)
    yield from added


def _key(line: _Line, report: CheckpatchReport) -> tuple[int, str]:
    """Return what is equal for the same fault before and after: its block, and its type."""
    is_broad = report.type in _BROAD_TYPES
    return line.block, _VARYING.sub("", report.text) if is_broad else report.type


def _list_removed_strings(lines: Sequence[_Line]) -> set[tuple[int, str]]:
    """Return the strings in removed lines, each with its block."""
    removed = (line for line in lines if line.is_changed and line.text.startswith("-"))
    return {(line.block, string) for line in removed for string in _STRING.findall(line.text)}


def _is_format_kept(
    line: _Line, report: CheckpatchReport, removed: Container[tuple[int, str]]
) -> bool:
    """Return whether a report is about a format that the removed lines have, too."""
    strings = _STRING.findall(line.text) if report.type in _FORMAT_TYPES else []
    return bool(strings) and all((line.block, string) in removed for string in strings)
