# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the next commands, written so that they work in the folder of the user's shell."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from patchgen.cli.printer import Printer
from patchgen.cli.settings import find_setting, is_given
from patchgen.cli.terminal import entered_folder
from patchgen.odb import find_absent
from patchgen.paths import absolute_path
from patchgen.series import FILES_OF_CHECKS, skip_impossible


def print_steps(printer: Printer, title: str, *commands: str) -> None:
    """Print commands after an empty line and a title."""
    printer.line()
    printer.line(f"{title}:")
    for command in commands:
        printer.line(f"  {command}")


def format_patchgen(tree: Path, command: str, *args: str) -> str:
    """Return a command line of patchgen for this tree."""
    folder = ["-C", entered_folder()] if entered_folder() else []
    options = [] if tree == Path() else ["--tree", str(tree)]
    return shlex.join(["patchgen", *folder, command, *options, *args])


def repeat_options(*dropped: str) -> list[str]:
    """Return the options of the running command as the user gave them, for a next step.

    `dropped` are the parameters of those that the next step must not have. All others are
    repeated, so that a new option cannot be forgotten; format_patchgen() adds --tree.
    """
    ctx = click.get_current_context()
    return [
        arg
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name not in ("tree", *dropped)
        # An option that is not passed to the command, --color, is about this output only.
        if option.expose_value and is_given(ctx, str(option.name))
        for arg in _format_option(option, ctx.params[str(option.name)])
    ]


def _format_option(option: click.Option, value: object) -> list[str]:
    if option.is_flag:
        return [(option.opts if value else option.secondary_opts)[-1]]
    values = value if option.multiple and isinstance(value, tuple) else (value,)
    return [arg for each in values for arg in (option.opts[-1], str(each))]


def sign_off_option() -> list[str]:
    """Return the option that a next step needs to sign a series off, as `send` requires."""
    setting = find_setting(click.get_current_context(), "signoff")
    return [] if setting is not None and setting.value else ["--signoff"]


def format_verify(tree: Path, commit: str, series: str) -> str:
    """Return a command line of `verify` for a series whose tree has the files of `commit`.

    It skips the checks whose files are absent from the tree.
    """
    absent = find_absent(tree, commit, FILES_OF_CHECKS)
    return format_patchgen(tree, "verify", series, *skip_impossible(absent))


def format_git(tree: Path, *args: str) -> str:
    """Return a command line of git for this tree."""
    folder = entered_folder() if tree == Path() else str(absolute_path(tree))
    return shlex.join(["git", *(["-C", folder] if folder else []), *args])


def relative_path(folder: Path) -> Path:
    """Return the path of a folder; inside the shell's folder, it is relative."""
    # With -C, the shell is in another folder. git would read a path such as "-x" as an option.
    below = not entered_folder() and folder.is_relative_to(Path.cwd())
    path = folder.relative_to(Path.cwd()) if below else folder
    return folder if str(path).startswith("-") else path
