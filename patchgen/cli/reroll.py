# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen reroll`: make the next version of a series."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.complete_names import complete_changes
from patchgen.cli.next_steps import format_patchgen, format_verify, print_steps
from patchgen.cli.options import (
    backend_option,
    branch_option,
    define_option,
    force_option,
    get_maintainer_option,
    json_option,
    only_built_option,
    onto_option,
    output_option,
    quiet_option,
    tree_option,
    trust_option,
    variant_option,
    version_option,
)
from patchgen.cli.printer import Printer, echo
from patchgen.cli.series_output import (
    describe_left_out,
    print_left_out,
    print_recipients,
    read_recipients,
)
from patchgen.cli.tree_config import check_config
from patchgen.commands.reroll import abort_reroll, reroll_series
from patchgen.counting import count
from patchgen.errors import UsageError
from patchgen.reroll.request import RerollRequest, RerollResult


@click.command(
    "reroll",
    cls=ExplainedCommand,
    examples="""
    patchgen reroll --changes 'Collect review tags'
        Make the next version on the same base, with a line for its change log.
    patchgen reroll patchgen/pvops-v4 --onto v6.2 --dry-run
        Show what the next version would be on v6.2.
    """,
)
@click.argument("branch", required=False)
@tree_option
@onto_option("base", "the same base")
@version_option("one more than BRANCH's, and than the newest version that was sent")
@branch_option("BRANCH with the new version", "new_branch")
@click.option(
    "--changes",
    multiple=True,
    metavar="[PATCH=]TEXT",
    shell_complete=complete_changes,
    help="Describe the changes to the series (TEXT or cover=TEXT) or to one patch, by name or "
    "number; may be repeated.",
)
@click.option(
    "--changelog",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder with cover.txt and PATCH.txt, directly or in vN/.  "
    "[default: TREE/changelog, if it exists]",
)
@variant_option
@backend_option("the backends of the series")
@define_option
@click.option(
    "--semantic-patch",
    metavar="FILE|RECIPE",
    help="The semantic patch of a campaign, in place of the recorded one.",
)
@only_built_option("The .config for a campaign that was made with one; it is not recorded.")
@trust_option
@output_option
@get_maintainer_option
@force_option
@click.option("--dry-run", is_flag=True, help="Show what would change, but write nothing.")
@click.option("--continue", "resume", is_flag=True, help="Resume after resolving conflicts.")
@click.option("--abort", is_flag=True, help="Abandon the reroll that stopped at a conflict.")
@json_option
@quiet_option()
def command(as_json: bool, quiet: bool, abort: bool, **options: Any) -> None:
    """Make the next version of a series, on a newer base if --onto names one.

    The semantic patches are applied again; the one of a campaign is in its record. Hand edits of
    code, messages and cover letter are carried over. If both sides changed the same lines, the
    reroll stops with exit code 1 and prints which files to edit. The old branch is
    not changed, unless -v names its own version: that version is made again.
    """
    printer = Printer(quiet=quiet, as_json=as_json)
    request = RerollRequest(**options)
    if abort:
        if request.resume:
            raise UsageError(
                "--continue cannot be combined with --abort", code="option-combination"
            )
        abort_reroll(request.tree)
        printer.line("The reroll was abandoned; nothing was changed.")
        return
    if request.resume and request != RerollRequest(request.tree, resume=True):
        raise UsageError(
            "--continue can only be combined with --tree: it has the options of the first run",
            code="option-combination",
            hint="to use other options, run --abort, then reroll again",
        )
    check_config(printer, request.tree)
    with printer.stages() as on_stage:
        result = reroll_series(request, on_stage=on_stage)
    if as_json:
        printer.document(describe(result))
    else:
        _print(printer, request, result)
    if result.stopped_at:
        sys.exit(1)


def describe(result: RerollResult) -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "branch": result.branch,
        "revision": result.revision,
        "tip": result.tip,
        "patches": list(result.subjects),
        "left_out": describe_left_out(result.left_out),
        "unsent_revision": result.unsent,
        "remarks": list(result.remarks),
        "dropped_tags": list(map(str, result.dropped)),
        "dropped_because": [tag.reason for tag in result.dropped],
        "range_diff": result.range_diff,
        "cover_changed": result.cover_changed,
        "mails": [str(path) for path in result.mails],
        "warnings": list(result.warnings),
        "stopped_at": result.stopped_at or None,
        "conflicts": [str(path) for path in result.conflicts],
        "sides": [str(path) for path in result.sides],
    }


def _print(printer: Printer, request: RerollRequest, result: RerollResult) -> None:
    for warning in result.warnings:
        printer.warning(warning)
    if result.stopped_at:
        _print_conflicts(result, dry_run=request.dry_run)
        return
    printer.line(f"v{result.revision}, {count(len(result.subjects), 'patch')}", bold=True)
    for number, subject in enumerate(result.subjects, 1):
        printer.line(f"  {number}/{len(result.subjects)} {subject}")
    print_left_out(printer, result.left_out, None)
    for remark in result.remarks:
        printer.line(f"  {remark}")
    for tag in result.dropped:
        printer.line(f"  dropped, {tag.reason}: {tag}")
    printer.line()
    letter = "; the cover letter has" if result.cover_changed else ""
    printer.line(result.range_diff.rstrip() or f"No patch has changed{letter}.")
    if result.unsent is not None:
        printer.line()
        args = ("reroll", result.old_branch, "-v", str(result.unsent))
        again = f"`{format_patchgen(request.tree, *args)}` makes that version again"
        if result.old_checkout is not None:
            again = f"switch to another branch in {result.old_checkout}, then {again}"
        printer.line(f"note: v{result.unsent} was not sent; {again}")
    if result.mails:
        print_recipients(printer, read_recipients(result.mails[0]))
        printer.line()
        printer.line(f"branch: {result.branch}")
        printer.line(f"mails:  {result.mails[0].parent}")
        print_steps(
            printer,
            f"Check v{result.revision}, then send it",
            format_verify(request.tree, result.tip or result.branch, result.branch),
            format_patchgen(request.tree, "send", result.branch),
        )


def _print_conflicts(result: RerollResult, *, dry_run: bool) -> None:
    echo(f"{'would stop' if dry_run else 'stopped'} at: {result.stopped_at}", err=True)
    if dry_run:
        echo("Both sides changed:", err=True)
    elif result.conflicts:
        echo("Both sides are between conflict markers in:", err=True)
    for path in result.conflicts:
        echo(f"  {path}", err=True)
    if result.sides:
        echo("Both sides are separate files where markers are not possible:", err=True)
    for path in result.sides:
        echo(f"  {path}", err=True)
    if result.sides:
        echo(
            "Keep one: remove its last suffix, and delete the other file; "
            "delete both to delete the file in the series.",
            err=True,
        )
    if not dry_run:
        edit = "Edit them, then" if result.conflicts else "Then"
        echo(
            f"{edit}: patchgen reroll --continue (or abandon it with --abort).\n"
            "No branch was changed.",
            err=True,
        )
