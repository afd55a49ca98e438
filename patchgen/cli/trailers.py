# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trailers`: add the review tags in replies to a branch."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.next_steps import format_patchgen, print_steps
from patchgen.cli.options import json_option, quiet_option, start_option, tree_option
from patchgen.cli.printer import Printer, echo
from patchgen.cli.terminal import is_terminal
from patchgen.commands.trailers import CollectRequest, CollectResult, collect_trailers
from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.errors import UsageError
from patchgen.replies.collect import AddedTag, UntaggedReply
from patchgen.series.trailers import Trailer


@click.command(
    "trailers",
    cls=ExplainedCommand,
    examples="""
    patchgen trailers replies.mbox --dry-run
        Show the tags in the replies, and which of them would be added.
    patchgen trailers patchgen/pvops-v4 replies.mbox --accept 1
        Add the tags, and the one that the list shows as [1].
    """,
)
@click.argument("sources", nargs=-1, metavar="[BRANCH] MBOX|MAILDIR|-")
@tree_option
@start_option()
@click.option(
    "--lore",
    is_flag=True,
    help="Read the threads that `b4 mbox` fetched; print the commands that fetch them.",
)
@click.option("--dry-run", is_flag=True, help="Show the tags to add, but write nothing.")
@click.option(
    "--accept",
    "accepted",
    type=click.IntRange(1),
    multiple=True,
    metavar="NUMBER",
    help="Also add the tag that is listed with this number; may be repeated.",
)
@click.option("--yes", is_flag=True, help="List tags in doubt without asking about them.")
@json_option
@quiet_option("Print only tags that were not added.")
def command(
    sources: tuple[str, ...],
    tree: Path,
    start: str | None,
    lore: bool,
    dry_run: bool,
    accepted: tuple[int, ...],
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Add the Reviewed-by, Acked-by and Tested-by tags in replies to the patches they are for.

    A reply is matched by the message-ids that it answers, else by the change that it quotes, else
    by its subject. Tags in doubt are not added but listed with a number and the reason, for example
    a review of an older version of the code, or an address that is not the sender's. To add them,
    pass their numbers with --accept, or enter them when the command asks on a terminal. Replies
    without a tag and mails that cannot be read are listed, too.
    """
    names = (*sources, None) if lore else sources
    if not names:
        raise UsageError("Missing argument: the replies, or --lore", code="arguments")
    if len(names) > 2:
        raise UsageError("expected at most one branch and one source of mails", code="arguments")
    branch = names[0] if len(names) == 2 else None
    request = CollectRequest(tree, names[-1], branch, start, dry_run, accepted)
    printer = Printer(quiet=quiet, as_json=as_json)
    is_asking = not (yes or dry_run or as_json) and all(map(is_terminal, (sys.stdin, sys.stdout)))
    question = _DoubtQuestion(printer)
    result = collect_trailers(request, question if is_asking else lambda result: ())
    if as_json:
        printer.document(describe(result))
        return
    question.print_added(result)
    _print_untagged(printer, result.tags.untagged)
    _print_count(printer, result, dry_run=dry_run)
    if result.tip is not None:
        print_steps(
            printer,
            "Make the next version, with them",
            format_patchgen(tree, "reroll", result.branch),
        )


def describe(result: CollectResult) -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "branch": result.branch,
        "tip": result.tip,
        "applied": [
            {
                "patch": tag.number,
                "subject": result.subjects[tag.number - 1],
                "trailer": str(tag.trailer),
                "mail": tag.reply.mail.name,
                "message_id": tag.reply.mail.message_id or None,
                "matched_by": tag.matched_by,
            }
            for tag in result.tags.applied
        ],
        "not_applied": [
            {
                "patch": tag.number,
                "trailer": str(tag.trailer),
                "mail": tag.reply.mail.name,
                "message_id": tag.reply.mail.message_id or None,
                "reason": tag.reason,
                "accept": tag.index if tag.targets else None,
            }
            for tag in result.tags.not_applied
        ],
        "unreadable": [
            {"mail": mail.name, "reason": mail.reason} for mail in result.tags.unreadable
        ],
        "without_tag": [
            {
                "patch": untagged.number,
                "sender": str(untagged.reply.mail.sender or "") or None,
                "mail": untagged.reply.mail.name,
                "message_id": untagged.reply.mail.message_id or None,
            }
            for untagged in result.tags.untagged
        ],
        "remarks": result.tags.remarks,
    }


class _DoubtQuestion:
    """Show the tags, and ask which ones in doubt to add."""

    def __init__(self, printer: Printer):
        self._printer = printer
        # The tags that were added without an answer, None if the user was not asked.
        self._shown: list[AddedTag] | None = None

    def __call__(self, result: CollectResult) -> Sequence[int]:
        numbers = {tag.index for tag in result.tags.not_applied if tag.targets}
        if not numbers:
            return ()
        _print_tags(self._printer, result)
        self._shown = result.tags.applied
        while True:
            text = "Numbers of tags in doubt to add"
            answer = click.prompt(text, default="none", prompt_suffix=": ")
            words = [word for word in re.split(r"[\s,]+", answer) if word not in ("", "none")]
            chosen = [int(word) if word.isdecimal() else 0 for word in words]
            if numbers.issuperset(chosen):
                return chosen
            listed = ", ".join(map(str, sorted(numbers)))
            echo(f"the tags in doubt have the numbers {listed}")

    def print_added(self, result: CollectResult) -> None:
        """Print the tags that the answer added, or all tags if the user was not asked."""
        if self._shown is None:
            _print_tags(self._printer, result)
            return
        for tag in result.tags.applied:
            if tag not in self._shown:
                self._printer.line(f"  + {_show(tag.trailer)} (patch {tag.number})")


def _print_tags(printer: Printer, result: CollectResult) -> None:
    tags = result.tags
    for number, subject in enumerate(result.subjects, 1):
        printer.line(f"{number}/{len(result.subjects)} {escape_controls(subject)}", bold=True)
        for added in tags.applied:
            if added.number == number:
                printer.line(f"  + {_show(added.trailer)}")
    if tags.not_applied:
        echo("not added:")
    for skipped in tags.not_applied:
        where = f"patch {skipped.number}: " if skipped.number else ""
        reason = escape_controls(f"{where}{skipped.reason}; {skipped.reply}")
        index = f"[{skipped.index}] " if skipped.targets else ""
        echo(f"  {index}{_show(skipped.trailer)}\n    {reason}")
    if any(skipped.targets for skipped in tags.not_applied):
        echo("  A tag with a number [N] is added with --accept N.")
    if tags.unreadable:
        echo("not read:")
    for mail in tags.unreadable:
        echo(f"  {escape_controls(f'{mail.name}: {mail.reason}')}")
    for remark in tags.remarks:
        echo(f"note: {escape_controls(remark)}")


def _print_untagged(printer: Printer, replies: Sequence[UntaggedReply]) -> None:
    """Print the replies in which a question may be open."""
    if replies:
        printer.line(f"{count(len(replies), 'reply', 'replies')} without a tag:")
    for untagged in replies:
        mail = untagged.reply.mail
        patch = f"patch {untagged.number}" if untagged.number else "cover letter"
        person = mail.sender and (mail.sender.name or mail.sender.address)
        place = f"<{mail.message_id}>" if mail.message_id else mail.name
        printer.line(f"  {patch}: {person or 'no sender'}, {place}")


def _print_count(printer: Printer, result: CollectResult, *, dry_run: bool) -> None:
    number_of_tags = count(len(result.tags.applied), "tag")
    if not result.tags.applied:
        printer.line("Nothing to add.")
    elif dry_run:
        printer.line(f"Would add {number_of_tags} to {result.branch}.")
    else:
        printer.line(f"Added {number_of_tags} to {result.branch}.")


def _show(trailer: Trailer) -> str:
    """Return a tag with its note in one line, safe for a terminal."""
    return escape_controls(
        " ".join(filter(None, (f"{trailer.key}: {trailer.value}", trailer.note)))
    )
