# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen import`: record a version that was posted without patchgen."""

from __future__ import annotations

from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.next_steps import format_git, format_patchgen, print_steps
from patchgen.cli.options import (
    json_option,
    quiet_option,
    start_option,
    tree_option,
    version_option,
)
from patchgen.cli.printer import Printer
from patchgen.commands.import_posted import ImportRequest, import_series
from patchgen.counting import count


@click.command(
    "import",
    cls=ExplainedCommand,
    examples="""
    patchgen import v4.mbox
        Record the version whose mails are in an mbox.
    patchgen import outgoing/pvops-v4 --series patchgen/pvops-v4 -v 4
        Record a folder of mails as version 4 of a branch.
    """,
)
@click.argument("source", metavar="BRANCH|DIR|MBOX")
@tree_option
@click.option(
    "--series",
    metavar="BRANCH",
    help="The branch of the series that this is a version of.  [default: a separate series]",
)
@version_option("the one in the mails' subjects, else one less than BRANCH's")
@start_option("the base-commit in the mails")
@json_option
@quiet_option("Print errors only.")
def command(as_json: bool, quiet: bool, **options: Any) -> None:
    """Record a version that was posted without patchgen.

    The record is a tag sent/CHANGE-ID-vN with its commits, its base and its message-ids, as b4 and
    patchgen create when they send. `verify --against` and `b4 prep --compare-to` compare with it, a
    reroll links to it, and `trailers` finds its mails.
    """
    printer = Printer(quiet=quiet, as_json=as_json)
    request = ImportRequest(**options)
    imported = import_series(request)
    if as_json:
        printer.document(
            {
                "tag": imported.tag,
                "revision": imported.revision,
                "base": imported.base,
                "tip": imported.tip,
                "patches": list(imported.subjects),
                "message_ids": list(imported.message_ids),
            }
        )
        return
    printer.line(f"v{imported.revision}, {count(len(imported.subjects), 'patch')}", bold=True)
    for number, subject in enumerate(imported.subjects, 1):
        printer.line(f"  {number}/{len(imported.subjects)} {subject}")
    printer.line(f"base: {imported.base}")
    printer.line(f"tag:  {imported.tag}")
    if request.series is None:
        commits = f"{imported.base[:12]}..{imported.tag}"
        step = format_git(request.tree, "log", "--reverse", "--patch", commits)
        print_steps(printer, "Read its commits", step)
    else:
        step = format_patchgen(request.tree, "reroll", request.series)
        print_steps(printer, "Make the next version", step)
