# SPDX-License-Identifier: GPL-2.0-or-later
"""All output: plain lines in a pipe, colour and a progress bar on a terminal.

No other module prints. Text may come from a tree, a mail, a variant or another program, so control
characters are shown as escapes (patchgen.controls). Only text for other programs, such as a diff
for `git apply`, is written to a pipe or a file unchanged.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from patchgen.controls import escape_controls
from patchgen.errors import PatchgenError
from patchgen.interrupts import describe_written

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from patchgen.edit import OnProgress

# The colours of `git diff`; the longer prefix first.
_DIFF_STYLES = (
    ("diff ", {"bold": True}),
    ("--- ", {"bold": True}),
    ("+++ ", {"bold": True}),
    ("@@", {"fg": "cyan"}),
    ("+", {"fg": "green"}),
    ("-", {"fg": "red"}),
)


_SURROGATE = re.compile("[\ud800-\udfff]")


class OutputError(PatchgenError):
    """Standard output or standard error cannot be written."""


class ReaderGoneError(Exception):
    """The reader of standard output or error has ended, as `| head` does.

    This is not a BrokenPipeError: click would exit with 1 before `main` sees that.
    """


def _cannot_write(reason: str) -> OutputError:
    written = describe_written()
    return OutputError(f"{reason}; {written}" if written else reason, code="output-unwritable")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; a closed one (`>&-`) is None."""
    return stream is not None and stream.isatty()


def printable(text: object) -> str:
    """Return a text with its control characters as escapes, except tabs and newlines."""
    return escape_controls(str(text), allow="\t\n")


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural if it is not 1: "2 patches"."""
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number} {noun}{ending}"


def echo(text: object = "", *, err: bool = False, **style: Any) -> None:
    """Print a line, with its control characters as escapes.

    Raises OutputError if the stream cannot be written, ReaderGoneError if its reader has ended.
    """
    shown = printable(text)
    _write((click.style(shown, **style) if style else shown) + "\n", err=err)


def _write(content: str | bytes, *, err: bool = False) -> None:
    name, stream = ("standard error", sys.stderr) if err else ("standard output", sys.stdout)
    if stream is None:
        if err:
            return
        raise _cannot_write(f"{name} is closed")
    try:
        click.echo(content, nl=False, err=err)
        stream.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as failure:
        raise _cannot_write(f"{name} cannot be written: {failure.strerror}") from None


class Printer:
    """Standard output for results, standard error for progress and warnings."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False):
        self._silent = quiet or as_json
        self._as_json = as_json

    def line(self, text: str = "", **style: Any) -> None:
        """Print a line of the result, unless --quiet or --json is set."""
        if not self._silent:
            echo(text, **style)

    def parts(self, *parts: tuple[str, dict[str, Any]]) -> None:
        """Print a line of the result, each part in its own style."""
        if not self._silent:
            _write("".join(click.style(printable(text), **style) for text, style in parts) + "\n")

    @property
    def is_silent(self) -> bool:
        """Whether --quiet or --json suppresses lines, notes and progress."""
        return self._silent

    def text(self, text: str) -> None:
        """Print a text that has its newlines: unchanged in a pipe, escaped on a terminal."""
        if self._as_json:
            return
        if is_terminal(sys.stdout):
            _write(printable(text))
        else:
            _write(text.encode("utf-8", "surrogateescape"))

    def page(self, text: str) -> None:
        """Show a text that has its newlines in the user's pager, if the output is a terminal."""
        if not self._silent:
            click.echo_via_pager(printable(text))

    def diff(self, text: str) -> None:
        """Print a diff that has its newlines: unchanged in a pipe, coloured on a terminal."""
        if not is_terminal(sys.stdout):
            self.text(text)
        elif not self._as_json:
            _write("".join(map(_color_diff_line, text.splitlines(keepends=True))))

    def note(self, text: str) -> None:
        """Print a remark about the run to standard error, unless --quiet or --json is set."""
        if not self._silent:
            echo(text, err=True)

    def warning(self, text: str) -> None:
        """Print a warning; --quiet does not hide it."""
        echo(f"warning: {text}", err=True)

    def document(self, value: Any) -> None:
        r"""Print the one document of --json.

        It is UTF-8. A file's name may have bytes that are not UTF-8, which JSON cannot represent:
        each such byte is written as the four characters ``\xNN``.
        """
        text = json.dumps(_without_surrogates(value), indent=2, ensure_ascii=False)
        _write(text.encode() + b"\n")

    @contextmanager
    def progress(self, title: str) -> Iterator[OnProgress]:
        """Show a progress bar while the block runs, on a terminal only."""
        if self._silent or not is_terminal(sys.stderr):
            yield lambda done, total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

        described = TextColumn("{task.description}", markup=False)
        with progress_bar(described, BarColumn(), MofNCompleteColumn()) as bar:
            task = bar.add_task(printable(title), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _color_diff_line(line: str) -> str:
    for start, style in _DIFF_STYLES:
        if line.startswith(start):
            text = line.rstrip("\n")
            return click.style(printable(text), **style) + line[len(text) :]
    return printable(line)


def _without_surrogates(value: Any) -> Any:
    """Return the document with all texts made valid Unicode."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(_escape_surrogate, value)
    if isinstance(value, dict):
        return {
            _without_surrogates(key): _without_surrogates(entry) for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_surrogates(entry) for entry in value]
    return value


def _escape_surrogate(match: re.Match[str]) -> str:
    return escape_controls(match[0])


def progress_bar(*columns: Any) -> Progress:
    """Return a progress bar on standard error; use it in a `with`."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True, markup=False), transient=True)


def print_table(columns: list[str], rows: list[list[str]], *, width: int = 120) -> None:
    """Print a table, with cells wrapped to fit the terminal, or `width` without one."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        # By default, a long word ends in an ellipsis.
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    show_table(table, width=width)


def make_console(width: int, file: TextIO | None = None) -> Console:
    """Return a console for tables whose cells are printable, on standard output or in `file`.

    It is as wide as the terminal, or `width` if the output is not a terminal. It does not interpret
    markup.
    """
    from rich.console import Console

    terminal = is_terminal(sys.stdout)
    return Console(
        file=file,
        width=Console().width if terminal else width,
        force_terminal=terminal,
        markup=False,
    )


def show_table(table: Table, *, width: int = 120) -> None:
    """Print a table whose cells are printable; `width` applies without a terminal."""
    from io import StringIO

    # Render into a buffer: _write() reports a full disk as it does for other lines.
    console = make_console(width, StringIO())
    console.print(table)
    assert isinstance(console.file, StringIO)
    _write(console.file.getvalue())
