# SPDX-License-Identifier: GPL-2.0-or-later
"""Colour and the pager, chosen as git does.

Colour: --color, else $PATCHGEN_COLOR or the configuration, else $NO_COLOR (no-color.org), else
$CLICOLOR_FORCE (bixense.com/clicolors), else colour on a terminal.

Pager: --no-pager, else $PATCHGEN_PAGER or the configuration, else $GIT_PAGER, git's core.pager,
$PAGER, and less. It is used on a terminal only. The output is collected while the command runs, so
that a progress bar can be shown meanwhile; standard error is included if it is the same terminal,
as in git. Output that fits the screen is printed without the pager.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click

from patchgen.cli.settings import find_setting
from patchgen.interrupts import leave_interrupts_to_program

# Prints a text; the second argument is whether it is for standard error.
_Write = Callable[[str, bool], None]
_COLOR = f"{__name__}.color"
_NO_PAGER = f"{__name__}.no-pager"
_COLLECTED = f"{__name__}.collected"
# A shell reports a program that it cannot start with these exit codes.
_NOT_STARTED = (126, 127)
# git sets these variables for the pager, unless the user has (git-config(1), core.pager).
_PAGER_VARIABLES = {"LESS": "FRX", "LV": "-c"}


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; a closed one (`>&-`) is None."""
    return stream is not None and stream.isatty()


def _set_color(ctx: click.Context, param: click.Parameter, when: str | None) -> None:
    if when is not None:
        ctx.meta[_COLOR] = when


def _set_no_pager(ctx: click.Context, param: click.Parameter, is_set: bool) -> None:
    ctx.meta[_NO_PAGER] = is_set


color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    callback=_set_color,
    expose_value=False,
    help="Use colour; auto means on a terminal.  [default: auto]  [config: color]",
)
no_pager_option = click.option(
    "--no-pager",
    is_flag=True,
    # Before --help, which may use the pager.
    is_eager=True,
    callback=_set_no_pager,
    expose_value=False,
    help="Do not show long output in a pager.  [config: pager]",
)


def uses_color(stream: TextIO | None) -> bool:
    """Return whether output to a stream is coloured. Raises SpecError for a wrong setting."""
    ctx = click.get_current_context(silent=True)
    when = ctx.meta.get(_COLOR) if ctx else None
    if ctx is not None and when is None:
        setting = find_setting(ctx, "color")
        when = ctx.meta[_COLOR] = setting.value if setting else "auto"
    if when in ("always", "never"):
        return bool(when == "always")
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


@dataclass(slots=True)
class _Collected:
    """The output that a pager shows: each text, and whether it is for standard error."""

    pager: str
    pieces: list[tuple[str, bool]] = field(default_factory=list)


def collect_output(ctx: click.Context) -> None:
    """Collect the output from now on, if it goes to a terminal and the user has a pager."""
    if is_terminal(sys.stdout) and (pager := find_pager(ctx)):
        ctx.meta[_COLLECTED] = _Collected(pager)


def collect(content: str | bytes, *, err: bool) -> bool:
    """Add a text to the collected output. Return False if it must be printed instead."""
    ctx = click.get_current_context(silent=True)
    collected: _Collected | None = ctx.meta.get(_COLLECTED) if ctx else None
    if collected is None or (err and not is_terminal(sys.stderr)):
        return False
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    collected.pieces.append((text, err))
    return True


@contextmanager
def paged_output(ctx: click.Context, write: _Write) -> Iterator[None]:
    """Show the output that was collected in the block, also if the block fails.

    `write` prints it if it fits the screen.
    """
    is_interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        collected: _Collected | None = ctx.meta.pop(_COLLECTED, None)
        if collected is not None:
            _show(collected, write, in_pager=not is_interrupted)


def show_in_pager(text: str, write: _Write) -> None:
    """Show a text on the terminal now, in the pager if it does not fit the screen."""
    pager = find_pager(click.get_current_context()) if is_terminal(sys.stdout) else ""
    _show(_Collected(pager, [(text, False)]), write, in_pager=bool(pager))


def find_pager(ctx: click.Context) -> str:
    """Return the shell command of the user's pager, or "" to print without one.

    The repository's configuration, which a stranger may have written, is not read.
    """
    if ctx.meta.get(_NO_PAGER):
        return ""
    setting = find_setting(ctx, "pager")
    if setting is not None:
        pager = str(setting.value)
    elif "GIT_PAGER" in os.environ:
        pager = os.environ["GIT_PAGER"]
    else:
        pager = _find_core_pager() or os.environ.get("PAGER", "less")
    return "" if pager.strip() == "cat" else pager


def _find_core_pager() -> str:
    from patchgen.git_environment import program_environment
    from patchgen.process import run

    argv = ["git", "config", "--null", "--show-scope", "--get-all", "core.pager"]
    fields = run(argv, env=program_environment(), ok=None).stdout.decode().split("\0")
    scopes = zip(fields[0::2], fields[1::2], strict=False)
    pagers = [pager for scope, pager in scopes if scope in ("system", "global", "command")]
    return pagers[-1] if pagers else ""


def _show(collected: _Collected, write: _Write, *, in_pager: bool) -> None:
    text = "".join(piece for piece, _ in collected.pieces)
    if in_pager and not _fits_screen(text):
        from patchgen.process import feed

        shown = text if uses_color(sys.stdout) else click.unstyle(text)
        env = {**_PAGER_VARIABLES, **os.environ}
        with leave_interrupts_to_program():
            code = feed(["sh", "-c", collected.pager], shown.encode("utf-8", "replace"), env=env)
        if code not in _NOT_STARTED:
            return
    for piece, err in collected.pieces:
        write(piece, err)


def _fits_screen(text: str) -> bool:
    """Return whether a text and the shell's next prompt fit the terminal."""
    # shutil imports the compression libraries, and few commands print so much.
    import shutil

    columns, rows = shutil.get_terminal_size()
    lines = click.unstyle(text).expandtabs().split("\n")
    return sum(max(1, -(-len(line) // columns)) for line in lines) <= rows


def change_folder(ctx: click.Context, param: click.Parameter, folders: tuple[str, ...]) -> None:
    """Enter each folder of -C in turn. As git does, ignore empty names."""
    for folder in filter(None, folders):
        try:
            os.chdir(folder)
        except OSError as err:
            raise click.BadParameter(f"cannot enter {folder}: {err.strerror}") from None
    ctx.meta[f"{__name__}.folder"] = str(Path(*folders)) if any(folders) else ""


def entered_folder() -> str:
    """Return the folder of -C as the user named it, "" without -C."""
    ctx = click.get_current_context(silent=True)
    return ctx.meta.get(f"{__name__}.folder", "") if ctx else ""
