"""What is printed: plain lines for pipes, colour and a progress bar on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from patchgen.edit import OnProgress


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is a terminal; one that was closed (`>&-`) is None."""
    return stream is not None and stream.isatty()


class Printer:
    """Standard output for results, standard error for progress and warnings."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False):
        self._silent = quiet or as_json
        self._as_json = as_json

    def line(self, text: str = "", **style: Any) -> None:
        """Print a line of the result, unless --quiet or --json asks for silence."""
        if not self._silent:
            click.echo(click.style(text, **style) if style else text)

    @property
    def is_silent(self) -> bool:
        """Whether only results, or one document, are to be printed."""
        return self._silent

    def text(self, text: str) -> None:
        """Print a text that ends its own lines, any bytes of files in it as they were."""
        if not self._as_json:
            stream = sys.stdout.buffer
            stream.write(text.encode("utf-8", "surrogateescape"))
            stream.flush()

    def note(self, text: str) -> None:
        """Print on standard error what the result took, unless silence is asked for."""
        if not self._silent:
            click.echo(text, err=True)

    def warning(self, text: str) -> None:
        """Print a warning; --quiet does not hide it."""
        click.echo(f"warning: {text}", err=True)

    def document(self, value: Any) -> None:
        """Print the one document that --json promises.

        Bytes of a file's name that are no UTF-8 are the escapes that Python's json reads as such.
        """
        text = json.dumps(value, indent=2, ensure_ascii=False)
        click.echo(text.encode("utf-8", "backslashreplace"))

    @contextmanager
    def progress(self, title: str) -> Iterator[OnProgress]:
        """Show a progress bar while the block runs, on a terminal only."""
        if self._silent or not is_terminal(sys.stderr):
            yield lambda done, total: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table that fits the terminal, with wrapped cells."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(width=None if is_terminal(sys.stdout) else 120).print(table, markup=False)
