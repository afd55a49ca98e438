# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen completion SHELL`, and the completion of variant names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from patchgen.cli.printer import Printer
from patchgen.spec import list_names


def complete_variant(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of variants that begin with `incomplete`, for shell completion."""
    return [name for name in list_names() if name.startswith(incomplete)]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the shell completion script for bash, zsh or fish.

    For bash: patchgen completion bash > ~/.local/share/bash-completion/completions/patchgen
    """
    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root().command
    script = kind(root, {}, "patchgen", "_PATCHGEN_COMPLETE")
    Printer().text(script.source() + "\n")
