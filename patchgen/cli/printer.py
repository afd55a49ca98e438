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
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from patchgen.cli.diff_colors import color_diff
from patchgen.cli.progress import hidden_bars, progress_bar, status_line
from patchgen.cli.terminal import collect, is_terminal, show_in_pager, uses_color
from patchgen.controls import escape_controls
from patchgen.errors import PatchgenError
from patchgen.interrupts import describe_written

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from patchgen.edit import OnProgress

# A cell of so many characters is not wrapped.
_SHORT = 12
# The width of a console that wraps and cuts nothing.
_UNLIMITED = 1 << 20
_SURROGATE = re.compile("[\ud800-\udfff]")


class OutputError(PatchgenError):
    """Standard output or standard error cannot be written."""


class ReaderGoneError(Exception):
    """The reader of standard output or error has ended, as `| head` does.

    This is not a BrokenPipeError: click would exit with 1 before `main` sees that.
    """


def _cannotwrite(reason: str) -> OutputError:
    written = describe_written()
    return OutputError(f"{reason}; {written}" if written else reason, code="output-unwritable")


def printable(text: object) -> str:
    """Return a text with its control characters as escapes, except tabs and newlines."""
    return escape_controls(str(text), allow="\t\n")


def echo(text: object = "", *, err: bool = False, **style: Any) -> None:
    """Print a line, with its control characters as escapes.

    Raises OutputError if the stream cannot be written, ReaderGoneError if its reader has ended.
    """
    shown = printable(text)
    write((click.style(shown, **style) if style else shown) + "\n", err=err)


def write(content: str | bytes, err: bool = False) -> None:
    """Print a text that is safe for the terminal, in colour or without, or collect it for a pager.

    Raises the errors of `echo`.
    """
    if not collect(content, err=err):
        _write_now(content, err=err)


def announce(text: str) -> None:
    """Print a line to standard error at once, even if a pager shows other output later."""
    _write_now(printable(text) + "\n", err=True)


def announce_end() -> None:
    """Print that an interrupted command is about to end."""
    announce("interrupted; waiting for the running programs to end")


def _write_now(content: str | bytes, *, err: bool) -> None:
    name, stream = ("standard error", sys.stderr) if err else ("standard output", sys.stdout)
    if stream is None:
        if err:
            return
        raise _cannotwrite(f"{name} is closed")
    if isinstance(content, str) and "\x1b" in content and not uses_color(stream):
        content = click.unstyle(content)
    try:
        with hidden_bars():
            click.echo(content, nl=False, err=err, color=True)
            stream.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as failure:
        raise _cannotwrite(f"{name} cannot be written: {failure.strerror}") from None


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
            write("".join(click.style(printable(text), **style) for text, style in parts) + "\n")

    @property
    def is_silent(self) -> bool:
        """Whether --quiet or --json suppresses lines, notes and progress."""
        return self._silent

    def prose(self, text: str, **style: Any) -> None:
        """Print paragraphs of a result; on a terminal, their lines are wrapped at words."""
        if is_terminal(sys.stdout):
            width = make_console().width
            filled = (_fill(paragraph, width) for paragraph in printable(text).split("\n\n"))
            text = "\n\n".join(filled)
        self.line(text, **style)

    def text(self, text: str) -> None:
        """Print a text that has its newlines: unchanged in a pipe, escaped on a terminal."""
        if self._as_json:
            return
        if is_terminal(sys.stdout):
            write(printable(text))
        else:
            write(text.encode("utf-8", "surrogateescape"))

    def page(self, text: str) -> None:
        """Show a text that has its newlines in the user's pager, if the output is a terminal."""
        if not self._silent:
            show_in_pager(printable(text), write)

    def diff(self, text: str) -> None:
        """Print a diff that has its newlines: as git does, or unchanged without colour."""
        if not uses_color(sys.stdout):
            self.text(text)
        elif not self._as_json:
            write("".join(color_diff(text)))

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
        write(text.encode() + b"\n")

    @contextmanager
    def progress(self, title: str) -> Iterator[OnProgress]:
        """Show a progress bar while the block runs, on a terminal only."""
        if self._silent or not is_terminal(sys.stderr):
            yield lambda done, total: None
            return
        with progress_bar() as bar:
            task = bar.add_task(printable(title), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    @contextmanager
    def stages(self) -> Iterator[Callable[[str], OnProgress]]:
        """Show a progress bar for each stage in turn, on a terminal only.

        The function gets the title of a stage that begins, and returns the function for its
        progress.
        """
        if self._silent or not is_terminal(sys.stderr):
            yield lambda title: lambda done, total: None
            return
        with progress_bar() as bar:

            def begin(title: str) -> OnProgress:
                for task in bar.task_ids:
                    bar.remove_task(task)
                task = bar.add_task(printable(title), total=None)

                def report(done: int, total: int | None) -> None:
                    # A thread of an earlier stage may end late.
                    if task in bar.task_ids:
                        bar.update(task, completed=done, total=total)

                return report

            yield begin

    @contextmanager
    def activity(self) -> Iterator[Callable[[str], None]]:
        """Yield a function that shows what the block is doing, on a terminal only."""
        if self._silent or not is_terminal(sys.stderr):
            yield lambda text: None
            return
        with status_line() as update:
            yield lambda text: update(printable(text))


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


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table, or nothing if it has no rows; `show_table` describes its width.

    No word is broken: on a terminal that is too narrow for the words of all columns, each row is a
    paragraph.
    """
    if not rows:
        return
    from rich import box
    from rich.table import Table

    terminal_width = make_console().width
    widths = _fit_columns(columns, rows, terminal_width)
    if widths is None:
        paragraphs = (_write_paragraph(columns, row) for row in rows)
        write("\n".join(_wrap(text, terminal_width, indent="  ") for text in paragraphs))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        # By default, a long word ends in an ellipsis.
        table.add_column(column, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(printable, row))
    show_table(table)


def _fit_columns(columns: list[str], rows: list[list[str]], width: int) -> list[int] | None:
    """Return the widths of columns; None if the longest words of all columns do not fit.

    Only the widest columns are narrower than their texts, and none is narrower than its words, or
    than a short cell such as "0 of 5".
    """
    from rich.cells import cell_len

    widths, least = [], []
    for column in zip(columns, *rows, strict=True):
        text = "\n".join(map(printable, column)).expandtabs()
        widths.append(max(map(cell_len, text.split("\n"))))
        short = [line for line in text.split("\n") if cell_len(line) <= _SHORT]
        least.append(max(map(cell_len, [*text.split(), *short]), default=0))
    # A space and a line of the table's border precede or follow each column.
    room = width - 2 * len(columns)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        reducible = [index for index, size in enumerate(widths) if size > least[index]]
        widths[max(reducible, key=widths.__getitem__)] -= 1
    return widths


def _write_paragraph(columns: list[str], row: list[str]) -> str:
    """Return a row as lines: a cell with the name of its column, unless the column has none."""
    named = [(name, printable(cell)) for name, cell in zip(columns, row, strict=True) if cell]
    at = 1 + next((index for index, (name, _) in enumerate(named) if name), len(named) - 1)
    title = " ".join(cell for _, cell in named[:at])
    others = (f"  {name}: {cell}".replace("\n", "\n    ") for name, cell in named[at:])
    return "".join(f"{line}\n" for line in (title, *others))


def _fill(paragraph: str, width: int) -> str:
    """Return a paragraph with its lines filled if one is too long; lists and code have indents."""
    lines = paragraph.split("\n")
    is_plain = not any(line[:1] in (" ", "\t", "-", "*") for line in lines)
    if is_plain and any(len(line) > width for line in lines):
        paragraph = " ".join(lines)
    return _wrap(paragraph, width)


def _wrap(text: str, width: int, indent: str = "") -> str:
    """Return a text with its lines wrapped at words; new lines are indented by `indent` more."""
    lines = []
    for line in text.split("\n"):
        before = line[: len(line) - len(line.lstrip())]
        wrapped = textwrap.wrap(
            line,
            width,
            subsequent_indent=before + indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrapped if len(line) > width else [line]
    return "\n".join(lines)


def make_console(file: TextIO | None = None) -> Console:
    """Return a console for tables whose cells are printable, on standard output or in `file`.

    It does not interpret markup. `show_table` describes its width.
    """
    from rich.console import Console

    terminal, color = is_terminal(sys.stdout), uses_color(sys.stdout)
    return Console(
        file=file,
        width=Console().width if terminal else _UNLIMITED,
        force_terminal=terminal or color,
        color_system="standard" if color else None,
        markup=False,
    )


def show_table(table: Table | Group) -> None:
    """Print a table whose cells are printable.

    All tables have the same width: on a terminal, they fit its columns; in a pipe or a file, they
    are as wide as their texts, for `grep` and `awk`: no cell is wrapped or cut. So git prints long
    lines there, too.
    """
    from io import StringIO

    # Render into a buffer: write() reports a full disk as it does for other lines.
    console = make_console(StringIO())
    console.print(table)
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().split("\n")
    # The last column is padded, which would wrap on a terminal that shows the file.
    write("\n".join(line.rstrip(" ") for line in lines))
