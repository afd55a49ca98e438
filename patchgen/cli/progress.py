# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress on standard error, which must be a terminal. It is removed at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from patchgen.cli.terminal import uses_color

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.status import Status

# Numbers of files, a rate, and a time take the other columns.
_TITLE_WIDTH = 24
_BAR_WIDTH = 16
# The bar or status line on the terminal. It is hidden while other output is printed.
_bars: list[Progress | Status] = []


@contextmanager
def progress_bar(*columns: Any) -> Iterator[Progress]:
    """Show a progress bar on standard error while the block runs, and remove it at the end.

    It has a title, a bar, the numbers, and these columns. It fits a terminal of 80 columns, which a
    long title would fill.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    shape = Column(no_wrap=True, overflow="ellipsis", max_width=_TITLE_WIDTH)
    title = TextColumn("{task.description}", markup=False, table_column=shape)
    bar = Progress(
        title,
        BarColumn(bar_width=_BAR_WIDTH),
        MofNCompleteColumn(),
        *columns,
        console=_make_error_console(),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with _shown(bar):
        yield bar


@contextmanager
def _shown(bar: Progress | Status) -> Iterator[None]:
    with bar:
        _bars.append(bar)
        try:
            yield
        finally:
            _bars.remove(bar)


@contextmanager
def hidden_bars() -> Iterator[None]:
    """Hide the bars while the block prints: its output would end up on their line."""
    for bar in _bars:
        bar.stop()
    yield
    for bar in _bars:
        bar.start()


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a printable text on standard error until the block ends."""
    from rich.status import Status
    from rich.text import Text

    status = Status("", console=_make_error_console())
    with _shown(status):
        yield lambda text: status.update(Text(text, no_wrap=True))


def _make_error_console() -> Console:
    from rich.console import Console

    return Console(stderr=True, markup=False, no_color=not uses_color(sys.stderr))
