# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen of tables: as many rows of each section as fit, and the numbers left out."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from patchgen.cli.printer import Printer
from patchgen.cli.terminal import is_terminal
from patchgen.counting import count

# Without a terminal.
_WIDTH, _HEIGHT = 120, 40
_GAP = " "
_ARROW = " > "
_MIN_PATH = 9  # "100 steps"
# The narrowest place and name, if the terminal is too narrow for all columns.
_MIN_PLACE, _MIN_NAME = 18, 12
Line = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line: cells, then functions that are folded into the remaining width.

    `count` is the number of things on the line, and `detail` returns more about them.
    """

    cells: tuple[str, ...]
    path: Sequence[str] | None = None
    detail: Callable[[], list[str]] | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """Rows below a heading. Sections get the lines of a screen in turn, `share` rows each.

    `noun` is what a row has, in the singular and in the plural.
    """

    heading: str
    noun: tuple[str, str]
    rows: Sequence[TableRow]
    share: int = 1
    summary: str = ""
    header: tuple[str, ...] = ()
    style: dict[str, Any] = field(default_factory=dict)

    def count(self, start: int = 0) -> int:
        """Return the number of things in the rows from one on."""
        return sum(row.count for row in self.rows[start:])


def measure_screen() -> tuple[int, int]:
    """Return the width and the height of the terminal; without one, those of a wide screen."""
    width, height = shutil.get_terminal_size((_WIDTH, _HEIGHT))
    return width, height


def wrap_names(names: Sequence[str], width: int) -> list[TableRow]:
    """Return rows with as many names as fit each."""
    lines = textwrap.wrap(" ".join(names), width - 2, break_long_words=False)
    return [TableRow((line,), count=len(line.split())) for line in lines]


def print_screen(
    printer: Printer, head: Sequence[Line], sections: Sequence[Section], *, verbose: bool
) -> None:
    """Print lines, then sections with rows: all rows with `verbose`, else what fits the screen.

    The last lines then have the numbers left out.
    """
    width, height = measure_screen()
    filled = [section for section in sections if section.rows]
    if verbose:
        shown = [len(section.rows) for section in filled]
        lines = _write_sections(filled, shown, width, verbose=True)
    else:
        used = sum(1 + max(len(text) - 1, 0) // width for text, _ in head)
        # The prompt needs a line, too.
        lines = _fit_sections(filled, width, height - used - 1)
    for text, style in (*head, *lines):
        printer.line(text, **style)


def _fit_sections(sections: Sequence[Section], width: int, height: int) -> list[Line]:
    """Return as many rows of the sections as fit a height, and how many are left out."""
    lines: list[Line] = []
    for room in range(height, -1, -1):
        shown = _allot(sections, room)
        lines = _write_sections(sections, shown, width, verbose=False)
        left_out: Counter[tuple[str, str]] = Counter()
        for section, number in zip(sections, shown, strict=True):
            left_out[section.noun] += section.count(number)
        if left_out.total():
            counts = [count(number, *noun) for noun, number in left_out.items() if number]
            text = f"Left out: {', '.join(counts)} (--verbose shows all)"
            lines += [(line, {}) for line in textwrap.wrap(text, width)]
        if len(lines) <= height:
            break
    return lines


def _allot(sections: Sequence[Section], height: int) -> list[int]:
    """Return the number of rows to show of each section, so that all fit a height."""
    shown = [0] * len(sections)
    room = height - len(sections)
    while room > 0:
        before = room
        for number, section in enumerate(sections):
            # The first row brings its header and an empty line.
            extra = 0 if shown[number] else 1 + bool(section.header)
            more = min(section.share, len(section.rows) - shown[number], room - extra)
            if more > 0:
                shown[number] += more
                room -= more + extra
        if room == before:
            break
    return shown


def _write_sections(
    sections: Sequence[Section], shown: Sequence[int], width: int, *, verbose: bool
) -> list[Line]:
    """Return the headings of all sections, each with its first rows."""
    lines: list[Line] = []
    for section, number in zip(sections, shown, strict=True):
        heading = f"{section.heading}: {section.count()}"
        summary = f" ({section.summary})" if section.summary else ""
        if number:
            lines.append(("", {}))
        fits = verbose or len(heading + summary) <= width
        lines.append((heading + summary if fits else heading, {"bold": True}))
        if number:
            lines += _write_rows(section, section.rows[:number], width, verbose=verbose)
    return lines


def _write_rows(
    section: Section, rows: Sequence[TableRow], width: int, *, verbose: bool
) -> Iterator[Line]:
    table = [row.cells for row in rows]
    has_path = bool(section.header)
    if has_path:
        table.insert(0, section.header)
    widths = _fit_columns(table, width, has_path=has_path, verbose=verbose)
    if has_path:
        yield _join(section.header, widths) + "by way of", {"dim": True}
    for row in rows:
        line = _join(row.cells, widths)
        if row.path is not None:
            line += fold_path(row.path, max(width - len(line), _MIN_PATH))
        yield _cut(line.rstrip(), width, verbose=verbose), section.style
        if verbose and row.detail is not None:
            yield from ((f"      {text}", {}) for text in row.detail())


def _fit_columns(
    table: Sequence[Sequence[str]], width: int, *, has_path: bool, verbose: bool
) -> list[int]:
    """Return the widths of all columns; places and names get narrower on a narrow terminal."""
    columns = list(zip(*table, strict=True))
    widths = [max(map(len, column)) for column in columns]
    if len(widths) < 2 or verbose or not is_terminal(sys.stdout):
        return widths
    room = width - 2 - (_MIN_PATH if has_path else 24) - len(_GAP) * len(widths)
    widths[0] = max(widths[0] - max(sum(widths) - room, 0), min(widths[0], _MIN_PLACE))
    widths[0] = max(len(_cut_place(place, widths[0])) for place in columns[0])
    widths[1] = max(widths[1] - max(sum(widths) - room, 0), min(widths[1], _MIN_NAME))
    return widths


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return the cells in columns. A place is cut at its start, other text at its end."""
    parts = []
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        fitted = cell
        if len(cell) > width:
            fitted = _cut_place(cell, width) if at == 0 else f"{cell[: width - 3]}..."
        parts.append(fitted.ljust(width) + _GAP)
    return "  " + "".join(parts)


def _cut_place(place: str, width: int) -> str:
    """Return a place with as many folders left out as needed."""
    if len(place) <= width:
        return place
    end = place[3 - width :]
    slash = end.find("/")
    return f"...{end[max(slash, 0) :]}"


def _cut(line: str, width: int, *, verbose: bool) -> str:
    """Return a line that fits a terminal; in a pipe and with --verbose it is complete."""
    if verbose or len(line) <= width or not is_terminal(sys.stdout):
        return line
    return f"{line[: width - 3]}..."


def fold_path(names: Sequence[str], width: int) -> str:
    """Return a path that is at most `width` wide: in full, or with the middle left out.

    "(3)" stands for three functions. A path that does not fit is the number of its steps.
    """
    full = _ARROW.join(names)
    if len(full) <= width:
        return full or "entry"
    for kept in range(len(names) - 2, 0, -1):
        left_out = f"({len(names) - 1 - kept})"
        folded = _ARROW.join((names[0], left_out, *names[-kept:]))
        if len(folded) <= width:
            return folded
    nearest = f"({len(names) - 1}){_ARROW}{names[-1]}"
    if len(names) > 1 and len(nearest) <= width:
        return nearest
    return count(len(names), "step")
