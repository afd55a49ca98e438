# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen completion SHELL`: print a completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.printer import Printer


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
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the shell completion script for bash, zsh or fish."""
    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root().command
    script = kind(root, {}, "patchgen", "_PATCHGEN_COMPLETE")
    Printer().text(script.source() + "\n")
