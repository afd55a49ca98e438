# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is printed: plain lines for pipes, colour and a progress bar on a terminal.

No other module prints. What is printed may come from a tree, a mail, a variant or another program,
so that control characters are shown as escapes (patchgen.controls). Only text that is for other
programs, as a diff is for `git apply`, goes into a pipe or a file as it is.
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
from patchgen.interrupts import done_before

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from patchgen.edit import OnProgress

# As `git diff` colours its lines; the longer mark first.
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
    """Nobody reads standard output or error any more, as after `| head`.

    Not BrokenPipeError, of which click makes exit code 1 before `main` sees it.
    """


def _cannot_write(reason: str) -> OutputError:
    done = done_before()
    return OutputError(f"{reason}; {done}" if done else reason)


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is a terminal; one that was closed (`>&-`) is None."""
    return stream is not None and stream.isatty()


def printable(text: object) -> str:
    """Return a text with its control characters as escapes, except tabs and newlines."""
    return escape_controls(str(text), allow="\t\n")


def echo(text: object = "", *, err: bool = False, **style: Any) -> None:
    """Print a line, with its control characters as escapes.

    Raises OutputError where the stream cannot be written, ReaderGoneError where its reader ended.
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
        """Print a line of the result, unless --quiet or --json asks for silence."""
        if not self._silent:
            echo(text, **style)

    def parts(self, *parts: tuple[str, dict[str, Any]]) -> None:
        """Print a line of the result whose parts have styles of their own."""
        if not self._silent:
            _write("".join(click.style(printable(text), **style) for text, style in parts) + "\n")

    @property
    def is_silent(self) -> bool:
        """Whether only results, or one document, are to be printed."""
        return self._silent

    def text(self, text: str) -> None:
        """Print a text that ends its own lines: as it is, or readable on a terminal."""
        if self._as_json:
            return
        if is_terminal(sys.stdout):
            _write(printable(text))
        else:
            _write(text.encode("utf-8", "surrogateescape"))

    def diff(self, text: str) -> None:
        """Print a diff that ends its own lines: as it is, or coloured on a terminal."""
        if not is_terminal(sys.stdout):
            self.text(text)
        elif not self._as_json:
            _write("".join(map(_color_diff_line, text.splitlines(keepends=True))))

    def note(self, text: str) -> None:
        """Print on standard error what the result took, unless silence is asked for."""
        if not self._silent:
            echo(text, err=True)

    def warning(self, text: str) -> None:
        """Print a warning; --quiet does not hide it."""
        echo(f"warning: {text}", err=True)

    def document(self, value: Any) -> None:
        r"""Print the one document that --json promises.

        It is UTF-8. JSON cannot hold bytes that are not UTF-8, as a file's name may have them:
        each such byte is the four characters ``\xNN``.
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
    """Return a document whose texts are all valid Unicode."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(_escape_surrogate, value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(each) for each in value]
    return value


def _escape_surrogate(match: re.Match[str]) -> str:
    return escape_controls(match[0])


def progress_bar(*columns: Any) -> Progress:
    """Return a progress bar on standard error, to be used in a `with`."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(*columns, console=Console(stderr=True, markup=False), transient=True)


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table that fits the terminal, with wrapped cells."""
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(printable, row))
    show_table(table)


def make_console(width: int, file: TextIO | None = None) -> Console:
    """Return a console for tables whose cells are printable, on standard output or in `file`.

    It is as wide as the terminal; `width` is for what is not one. It does not interpret markup.
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
    """Print a table whose cells are printable; `width` is for what is not a terminal."""
    from io import StringIO

    # Through a buffer, so that a full disk is reported as for every other line.
    console = make_console(width, StringIO())
    console.print(table)
    assert isinstance(console.file, StringIO)
    _write(console.file.getvalue())
