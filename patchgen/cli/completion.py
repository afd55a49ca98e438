# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen completion SHELL`: print a completion script, and the completions for that script.

shell_scripts.py describes the protocol. complete_values.py finds the values.
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

# Marks the position of the cursor. A command line cannot contain this character.
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
    """Completions for a script that passes the arguments, the last of which is incomplete."""

    name: ClassVar[str] = "zsh"
    source_template: ClassVar[str] = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete arguments, and the one at the cursor."""
        *args, incomplete = sys.argv[1:] or [""]
        return args, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions.

        With -C, patchgen lists the files: the shell would list those of its own folder.
        """
        items = super().get_completions(args, incomplete)
        kinds = {item.type for item in items} & {"file", "dir"}
        if not kinds or self._folder == str(Path.cwd()):
            return items
        others = [item for item in items if item.type not in kinds]
        name = incomplete.partition("=")[2] if incomplete.startswith("--") else incomplete
        return [*others, *list_paths(Path(), name, only_folders="file" not in kinds)]

    def complete(self) -> str:
        """Return the completions, one a line."""
        self._folder = str(Path.cwd())
        return super().complete()

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the line of a completion."""
        remark = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{remark}"


class _FishCompletion(_Completion):
    """Completions for fish, which removes the quotes of complete arguments only."""

    name: ClassVar[str] = "fish"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete arguments, and the one at the cursor."""
        args, incomplete = super().get_completion_args()
        return args, split_arg_string(incomplete + _CURSOR)[-1].removesuffix(_CURSOR)


class _BashCompletion(_Completion):
    """Completions for bash: it passes the line up to the cursor, and the part that it replaces."""

    name: ClassVar[str] = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line as a shell does, because bash also splits at `=` and `:`."""
        line, current = (*sys.argv[1:], "", "")[:2]
        args = split_arg_string(line + _CURSOR)[1:] or [""]
        self._current = split_arg_string(current + _CURSOR)[-1].removesuffix(_CURSOR)
        self._incomplete = args[-1].removesuffix(_CURSOR)
        return args[:-1], self._incomplete

    def complete(self) -> str:
        """Return the completions, one a line, and the word that bash replaces."""
        return f"{super().complete()}\nword\t{self._current}\t"

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the line of a completion, without the part before the word that bash replaces."""
        value = self._incomplete
        if value.startswith("--") and "=" in value:
            value = value.partition("=")[2]
        skipped = value.removesuffix(self._current)
        item.value = item.value.removeprefix(skipped)
        return super().format_completion(item)


def answer_shells() -> None:
    """Register these classes, which click uses if a script has set _PATCHGEN_COMPLETE."""
    for kind in (_Completion, _FishCompletion, _BashCompletion):
        add_completion_class(kind)
