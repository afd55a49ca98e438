# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen completion SHELL`: print a completion script, and answer that script.

shell_scripts.py describes how a script asks. complete_values.py finds the values.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.complete_values import list_paths
from patchgen.cli.printer import Printer
from patchgen.cli.shell_scripts import SCRIPTS

# A character that is never in a command line marks where the cursor is.
_CURSOR = "\x01"


@click.command(
    "completion",
    cls=ExplainedCommand,
    examples="""
    patchgen completion bash > ~/.local/share/bash-completion/completions/patchgen
        Install the completion for bash.
    patchgen completion fish > ~/.config/fish/completions/patchgen.fish
        Install the completion for fish.
    """,
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print the shell completion script for bash, zsh or fish.

    If the folder in an example does not exist, make it first, with mkdir -p.
    """
    Printer().text(SCRIPTS[shell])


class _Completion(ShellComplete):
    """Answer a script whose arguments are those of the command line; the last is incomplete."""

    name: ClassVar[str] = "zsh"
    source_template: ClassVar[str] = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete arguments, and the one at the cursor."""
        *args, incomplete = sys.argv[1:] or [""]
        return args, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions; with -C, names of files are listed here.

        The shell would look for them in its own folder.
        """
        items = super().get_completions(args, incomplete)
        kinds = {item.type for item in items} & {"file", "dir"}
        if not kinds or self._folder == str(Path.cwd()):
            return items
        others = [item for item in items if item.type not in kinds]
        name = incomplete.partition("=")[2] if incomplete.startswith("--") else incomplete
        return [*others, *list_paths(Path(), name, only_folders="file" not in kinds)]

    def complete(self) -> str:
        """Return the answer."""
        self._folder = str(Path.cwd())
        return super().complete()

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return one line of the answer."""
        remark = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{remark}"


class _FishCompletion(_Completion):
    """Answer fish, which removes the quotes of complete arguments only."""

    name: ClassVar[str] = "fish"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete arguments, and the one at the cursor."""
        args, incomplete = super().get_completion_args()
        return args, split_arg_string(incomplete + _CURSOR)[-1].removesuffix(_CURSOR)


class _BashCompletion(_Completion):
    """Answer a script whose arguments are the line up to the cursor, and what bash replaces."""

    name: ClassVar[str] = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line as a shell does, because bash also splits at `=` and `:`."""
        line, current = (*sys.argv[1:], "", "")[:2]
        args = split_arg_string(line + _CURSOR)[1:] or [""]
        self._current = split_arg_string(current + _CURSOR)[-1].removesuffix(_CURSOR)
        self._incomplete = args[-1].removesuffix(_CURSOR)
        return args[:-1], self._incomplete

    def complete(self) -> str:
        """Return the answer, and the word that is replaced."""
        return f"{super().complete()}\nword\t{self._current}\t"

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return a line with the part of the value that bash has not split off before."""
        value = self._incomplete
        if value.startswith("--") and "=" in value:
            value = value.partition("=")[2]
        skipped = value.removesuffix(self._current)
        item.value = item.value.removeprefix(skipped)
        return super().format_completion(item)


def answer_shells() -> None:
    """Let click use these classes when a script has set _PATCHGEN_COMPLETE."""
    for kind in (_Completion, _FishCompletion, _BashCompletion):
        add_completion_class(kind)
