# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports that scripts print about places in the code, in the forms of Coccinelle's own libraries.

python/coccilib/report.py, org.py, output.py and xml_firehose.py, which ocaml/coccilib.ml follows,
and the diff of context mode. Coccinelle counts columns from 0, and the end of a range is the first
column after it. A report names the line on which a range begins, not the one on which it ends.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from xml.etree import ElementTree

from patchgen.model.outcome import ReportedPlace

# print_report: FILE:LINE:COLUMN-COLUMN: TEXT.
_REPORT = re.compile(
    r"(?P<path>[^\s:][^:\n]*):(?P<line>\d{1,9}):(?P<column>-?\d{1,9})-(?P<end>-?\d{1,9})"
    r": ?(?P<text>.*)"
)
# Output of scripts' own, and of coccilib.output.Console, in the form of compilers.
_PLAIN = re.compile(
    r"(?P<path>[^\s:][^:\n]*\.[A-Za-z+]+):(?P<line>\d{1,9}):(?:(?P<column>\d{1,9}):)? (?P<text>.*)"
)
# print_todo and print_link; the text may contain line ends.
_ORG = re.compile(
    r"^(?:\* TODO )?\[\[view:(?P<path>[^\n]*?)::face=[^\n:]*::linb=(?P<line>\d{1,9})"
    r"::colb=(?P<column>-?\d{1,9})::cole=(?P<end>-?\d{1,9})\]\[(?P<text>(?:(?!\[\[view:).)*?)\]\]$",
    re.MULTILINE | re.DOTALL,
)
# print_analysis; in Python 3 it prints the repr of a bytes object.
_ANALYSIS = re.compile(
    r"^(?:b'<\?xml.*?</analysis>(?:\\n)?'|b\"<\?xml.*?</analysis>(?:\\n)?\""
    r"|(?:<\?xml[^>]*>\s*)?<analysis\b.*?</analysis>)$",
    re.MULTILINE | re.DOTALL,
)
_HUNK = re.compile(
    r"@@ -(?P<start>\d{1,9})(?:,(?P<count>\d{1,9}))? \+\d{1,9}(?:,(?P<added>\d{1,9}))? @@"
)


@dataclass(frozen=True, slots=True)
class ScriptOutput:
    """The output of scripts: the reports, and the other lines."""

    reports: tuple[ReportedPlace, ...]
    other_text: str


def read_reports(text: str) -> ScriptOutput:
    """Parse the output of scripts.

    Indented lines after a report belong to its text. A report belongs to the rule whose mark
    precedes it.
    """
    first, *marked = _RULE.split(text)
    output = _read_part(first)
    for rule, part in zip(marked[::2], marked[1::2], strict=True):
        part_output = _read_part(part)
        reports = tuple(replace(report, rule=rule) for report in part_output.reports)
        output = ScriptOutput(output.reports + reports, output.other_text + part_output.other_text)
    return output


# Between two separators that occur in no text (ASCII's "record" and "unit" separators).
_RULE = re.compile("\x1e([^\x1f]*)\x1f")


def mark_rule(rule: str) -> str:
    """Return a mark that assigns the text after it to a rule."""
    return f"\x1e{rule}\x1f"


def without_rule_marks(text: str) -> str:
    """Return a text without the marks of rules, to compare output."""
    return _RULE.sub("", text)


def _read_part(text: str) -> ScriptOutput:
    reports: list[ReportedPlace] = []
    other_lines: list[str] = []
    at = 0
    for block in _find_blocks(text):
        _read_lines(text[at : block.start()], reports, other_lines)
        if block.re is _ORG:
            reports.append(_convert_match(block))
        else:
            reports += _read_analysis(block[0])
        at = block.end() + 1
    _read_lines(text[at:], reports, other_lines)
    return ScriptOutput(tuple(reports), "".join(f"{line}\n" for line in other_lines))


def read_context(diff: str) -> tuple[ReportedPlace, ...]:
    """Return the lines that context mode marks with `-`, each as a report.

    `diff` is spatch's output for any number of files.
    """
    return tuple(
        ReportedPlace(PurePosixPath(path), number, None, text.strip(), end_line=number + 1)
        for path, number, text in _find_marked_lines(diff.split("\n"))
    )


def _find_blocks(text: str) -> Iterator[re.Match[str]]:
    """Yield blocks that may span several lines: links in org mode, and XML."""
    blocks = [*_ORG.finditer(text), *_ANALYSIS.finditer(text)]
    last_end = 0
    for block in sorted(blocks, key=lambda block: block.start()):
        if block.start() >= last_end and (
            block.re is _ORG or _parse_analysis(block[0]) is not None
        ):
            last_end = block.end()
            yield block


def _read_lines(text: str, reports: list[ReportedPlace], other_lines: list[str]) -> None:
    """Parse lines outside of blocks, and add them to the reports or to the other lines."""
    is_open = False
    for line in text.removesuffix("\n").split("\n") if text else []:
        match = _REPORT.fullmatch(line) or _PLAIN.fullmatch(line)
        if match is not None:
            reports.append(_convert_match(match))
            is_open = True
        elif is_open and line[:1] in (" ", "\t") and line.strip():
            reports[-1] = replace(reports[-1], text=f"{reports[-1].text}\n{line.rstrip()}")
        else:
            other_lines.append(line)
            is_open = False


def _convert_match(match: re.Match[str]) -> ReportedPlace:
    fields = match.groupdict()
    return _make_report(
        PurePosixPath(match["path"]),
        int(match["line"]),
        int(fields["column"]) if fields["column"] is not None else None,
        int(fields.get("end") or -1),
        match["text"].strip(),
    )


def _make_report(
    path: PurePosixPath, line: int, column: int | None, end: int, text: str, end_line: int = 0
) -> ReportedPlace:
    """Return the report of a place whose columns count from 0; negative ones are unknown."""
    if column is None or column < 0:
        return ReportedPlace(path, line, None, text)
    # An end before the column is on a later line, which the report does not name.
    if end_line > line or (end_line in (0, line) and end > column):
        return ReportedPlace(
            path, line, column + 1, text, end_line=end_line or line, end_column=end + 1
        )
    return ReportedPlace(path, line, column + 1, text)


def _parse_analysis(text: str) -> ElementTree.Element | None:
    """Return the XML of an analysis, None if the text is not one."""
    try:
        if text.startswith("b"):
            text = ast.literal_eval(text).decode("utf-8", "replace")
        # No DOCTYPE: its entities could expand a small document to a huge one.
        return None if "<!" in text else ElementTree.fromstring(text.encode("utf-8"))
    except (SyntaxError, ValueError):
        return None


def _read_analysis(text: str) -> Iterator[ReportedPlace]:
    """Yield the issues of Firehose's XML."""
    root = _parse_analysis(text)
    for issue in root.iter("issue") if root is not None else ():
        file = issue.find("./location/file")
        points = issue.findall("./location/range/point") or issue.findall("./location/point")
        if file is None or not points:
            continue
        first, last = points[0], points[-1]
        yield _make_report(
            PurePosixPath(file.get("given-path", "")),
            _read_number(first, "line", 1),
            _read_number(first, "column", -1),
            _read_number(last, "column", -1),
            (issue.findtext("./message") or "").strip(),
            _read_number(last, "line", 0),
        )


def _read_number(point: ElementTree.Element, name: str, default: int) -> int:
    value = point.get(name, "")
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else default


def _find_marked_lines(lines: list[str]) -> Iterator[tuple[str, int, str]]:
    """Yield file, line and text of the lines that a diff removes."""
    path = ""
    at = old = new = 0
    for before, line in zip(["", *lines], lines, strict=False):
        if old <= 0 and new <= 0:
            if line.startswith("+++ ") and before.startswith("--- "):
                path = _choose_name(before[4:], line[4:])
            elif (hunk := _HUNK.match(line)) is not None:
                at, old, new = int(hunk["start"]), int(hunk["count"] or 1), int(hunk["added"] or 1)
        elif line.startswith("+"):
            new -= 1
        elif line.startswith("-"):
            yield path, at, line[1:]
            at, old = at + 1, old - 1
        elif not line.startswith("\\"):
            at, old, new = at + 1, old - 1, new - 1


def _choose_name(old: str, new: str) -> str:
    """Return the file's name; with --patch, spatch prefixes it with a/ and b/."""
    old, new = old.partition("\t")[0], new.partition("\t")[0]
    return old[2:] if old[:2] == "a/" and new == f"b/{old[2:]}" else old
