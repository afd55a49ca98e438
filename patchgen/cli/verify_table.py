# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of `patchgen verify`: one row per commit, one column per check, filled live."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from patchgen.cli.printer import make_console, printable, show_table
from patchgen.commands.verify import Cell
from patchgen.model.base import Oid
from patchgen.verify import CheckedSeries

_ID_LENGTH = 10
_SUBJECT_WIDTH = 60
# Subjects of a series often begin with the same prefix.
_MIN_SUBJECT_WIDTH = 30
_HEADING_WIDTH = 8


class VerifyTable:
    """The table. With `live` it is redrawn in place; otherwise `end` prints it once."""

    def __init__(self, *, silent: bool, live: bool):
        self._silent = silent
        self._console = make_console()
        self._live = Live(console=self._console, auto_refresh=False) if live else None
        self._lock = threading.Lock()
        self._target: CheckedSeries | None = None
        self._columns: Sequence[str] = ()
        self._cells: dict[tuple[Oid, str], Cell] = {}

    def start(self, target: CheckedSeries, columns: Sequence[str]) -> None:
        """Show the commits, without results."""
        self._target = target
        self._columns = columns
        if self._live and not self._silent:
            self._live.start()
            self._draw()

    def update(self, cell: Cell) -> None:
        """Show that a check started or ended. May be called from any thread."""
        with self._lock:
            self._cells[cell.commit, cell.column] = cell
            self._draw()

    def end(self) -> None:
        """Print the finished table if it was not shown live."""
        if not self._silent and self._live is None and self._target is not None:
            show_table(self._build_table(self._target))

    def close(self) -> None:
        """Stop redrawing; the table stays on the terminal."""
        if self._live is not None and self._live.is_started:
            self._live.stop()

    def _draw(self) -> None:
        if self._live is not None and self._live.is_started and self._target is not None:
            self._live.update(self._build_table(self._target), refresh=True)

    def _build_table(self, target: CheckedSeries) -> Table | Group:
        is_limited = self._console.is_terminal
        headings = [_fold(column) if is_limited else column for column in self._columns]
        widths = [max(map(len, heading.split("\n"))) for heading in headings]
        # Two spaces follow each column; the subject gets the rest of the width if that is enough,
        # else a line below the table.
        subject_width = self._console.width - _ID_LENGTH - sum(widths) - 2 * len(widths) - 6
        wide = subject_width >= _MIN_SUBJECT_WIDTH
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(wide), 0, 0))
        table.add_column("commit", no_wrap=True, min_width=_ID_LENGTH)
        if wide:
            width = min(_SUBJECT_WIDTH, subject_width) if is_limited else None
            table.add_column("subject", no_wrap=True, width=width)
        for heading, width in zip(headings, widths, strict=True):
            table.add_column(heading, justify="center", min_width=width)
        rows = [(commit.oid, commit.subject) for commit in target.commits]
        if any(oid == target.base for oid, _ in self._cells):
            rows.insert(0, (target.base, "(base)"))
        for oid, subject in rows:
            subject_cell = [printable(subject)] if wide else []
            label = oid[:_ID_LENGTH] if wide or oid != target.base else "(base)"
            cells = [self._render_mark(oid, column) for column in self._columns]
            table.add_row(label, *subject_cell, *cells)
        if wide:
            return table
        lines = [f" {commit.oid[:_ID_LENGTH]} {commit.subject}" for commit in target.commits]
        subjects = Text("\n".join(map(printable, lines)), no_wrap=True, overflow="ellipsis")
        return Group(table, subjects)

    def _render_mark(self, oid: Oid, column: str) -> Text:
        if (oid, column) not in self._cells:
            return Text("")
        cell = self._cells[oid, column]
        if cell.findings is None:
            return Text("...", style="dim")
        if cell.findings:
            return Text(f"{cell.findings} !", style="bold red")
        return Text("-", style="dim") if cell.is_idle else Text("ok", style="green")


def _fold(name: str) -> str:
    """Return a column's name, split over several lines to fit a terminal of 80 columns."""
    if len(name) <= _HEADING_WIDTH:
        return name
    parts = name.split("-") if "-" in name else [name[: len(name) // 2], name[len(name) // 2 :]]
    return "-\n".join(parts)
