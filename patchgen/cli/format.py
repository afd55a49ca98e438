# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen format`: write the mails of a branch, and print their folder."""

from __future__ import annotations

from pathlib import Path

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, output_option, quiet_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.cli.series_output import print_next, warn_of_sending
from patchgen.commands.format import FormatRequest, format_series
from patchgen.counting import count


@click.command(
    "format",
    cls=ExplainedCommand,
    examples="""
    patchgen format
        Write the mails of the branch that is checked out.
    patchgen format patchgen/pvops-v4 -o ../mails
        Write the mails of another branch to a folder.
    """,
)
@click.argument("branch", required=False)
@tree_option
@output_option
@click.option("--force", is_flag=True, help="Write the mails even if the folder has other files.")
@json_option
@quiet_option()
def command(
    branch: str | None, tree: Path, output: Path | None, force: bool, as_json: bool, quiet: bool
) -> None:
    """Write the mails of a branch again, after it was edited.

    They are the mails that `patchgen send BRANCH` would send. Mails of the same version in the
    folder are replaced; other files are never removed or overwritten. If the version was sent, a
    warning is printed: `patchgen reroll` makes the next one.
    """
    printer = Printer(quiet=quiet, as_json=as_json)
    result = format_series(FormatRequest(tree, branch, output, force))
    if as_json:
        printer.document(
            {
                "branch": result.branch,
                "revision": result.revision,
                "change_id": result.change_id,
                "mails": [str(path) for path in result.mails],
                "warnings": [*result.warnings, *warn_of_sending(tree, result.branch)],
            }
        )
        return
    for warning in result.warnings:
        printer.warning(warning)
    printer.line(
        f"{result.branch}, v{result.revision}: {count(len(result.mails), 'mail')}", bold=True
    )
    print_next(printer, tree, result.base, result.branch, result.mails)
