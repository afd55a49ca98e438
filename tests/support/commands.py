# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of patchgen, as click describes them."""

from __future__ import annotations

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.main import patchgen


def read_commands() -> dict[str, ExplainedCommand]:
    """Return the commands of patchgen by name."""
    with click.Context(patchgen) as context:
        commands = {
            name: patchgen.get_command(context, name) for name in patchgen.list_commands(context)
        }
    assert all(isinstance(command, ExplainedCommand) for command in commands.values())
    return commands  # type: ignore[return-value]
