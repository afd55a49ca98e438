# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send`: show the mails and their recipients, ask, and send them."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.complete_names import complete_mails, complete_unknown_mail
from patchgen.cli.next_steps import format_patchgen, print_steps, repeat_options
from patchgen.cli.options import json_option, recipient_options, tree_option
from patchgen.cli.printer import OutputError, Printer, ReaderGoneError, echo
from patchgen.cli.send_checks import SEND_CHECKS, list_notes, refuse_failures, run_checks
from patchgen.cli.send_summary import SendSummary, list_everything, summarize
from patchgen.cli.terminal import is_terminal
from patchgen.cli.tree_config import check_config
from patchgen.commands.send import SendPlan, SendResult, plan_sending, send_version
from patchgen.commands.sendable import SendRequest
from patchgen.counting import count
from patchgen.errors import RefusedError, UsageError
from patchgen.interrupts import EXIT_INTERRUPTED, describe_written, ignore_late_interrupts
from patchgen.model.series import SendableVersion
from patchgen.pipeline.journal import JournalEntry, MailState, build_unknown_error, format_resume

_HOW_TO_SEE_ALL = "--verbose shows everything."
_HOW_TO_SEND_UNASKED = "--yes sends without asking"


@click.command(
    "send",
    cls=ExplainedCommand,
    examples="""
    patchgen send --dry-run
        Show the mails of the branch that is checked out, and who gets them.
    patchgen send patchgen/pvops-v4 --only 0-2
        Send the cover letter and the first two patches.
    """,
)
@click.argument("source", required=False, metavar="[BRANCH|DIR]")
@tree_option
@recipient_options
@click.option(
    "--in-reply-to",
    metavar="MESSAGE-ID",
    help="Send the cover letter as a reply to this mail.  [default: start a new thread]",
)
@click.option(
    "--only",
    metavar="N|NAME,...",
    shell_complete=complete_mails,
    help="Send these mails only, such as 1,3-5 (0 is the cover letter), or the patches of these "
    "names or git trees. The first part includes the cover letter.  [default: all that were not "
    "sent]",
)
@click.option("--reflect", is_flag=True, help="Send all mails to yourself only.")
@click.option("--resume", is_flag=True, help="Send the mails that an earlier run did not send.")
@click.option(
    "--arrived",
    multiple=True,
    type=click.IntRange(min=0),
    metavar="N",
    shell_complete=complete_unknown_mail,
    help="With --resume: mail N has arrived (0 is the cover letter); may be repeated.",
)
@click.option(
    "--again",
    multiple=True,
    type=click.IntRange(min=0),
    metavar="N",
    shell_complete=complete_unknown_mail,
    help="With --resume: mail N has not arrived, so send it again; may be repeated.",
)
@click.option("--skip-checks", is_flag=True, help=f"Send without {', '.join(SEND_CHECKS)}.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show mails, recipients and what the checks find, but send nothing.",
)
@click.option(
    "--verbose", is_flag=True, help="Show all recipients of each mail, instead of a summary."
)
@json_option
def command(
    skip_checks: bool,
    yes: bool,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
    tree: Path,
    **options: Any,
) -> None:
    """Send a version of a series with git send-email and its configuration.

    First the series is checked (lint, checkpatch, am), then the mails and their recipients are
    shown for confirmation. This runs the scripts/checkpatch.pl of the series' tree, unless
    --skip-checks is given. If a mail is not accepted, --resume later sends that mail and the
    following ones in the same thread. With --only, a version is sent in parts, in one thread. No
    mail is sent twice, and a tag records a version of which all mails were sent.
    """
    request = SendRequest(tree=tree, **options)
    _check_options(request)
    if as_json and not (yes or dry_run):
        raise UsageError(
            "--json requires --yes or --dry-run: it cannot ask for confirmation",
            code="option-combination",
            hint=_HOW_TO_SEND_UNASKED,
        )
    printer = Printer(as_json=as_json)
    if not (request.source and Path(request.source).is_dir()):
        # The mails of a folder already have their recipients.
        check_config(printer, tree)
    if dry_run:
        _show_plan(printer, request, skip_checks=skip_checks, verbose=verbose, as_json=as_json)
        return
    confirmation = _Confirmation(
        printer, request, yes=yes, verbose=verbose, skip_checks=skip_checks
    )
    result = _send(printer, request, confirmation)
    if as_json:
        printer.document(describe(result.report.entries, result.plan, result.tag))
    if result.report.failed is not None:
        _explain_failure(result, request)
    elif request.reflect:
        printer.line("All mails were sent to you only.")
    else:
        printer.line(_describe_end(result, len(request.arrived)))
        _print_next(printer, tree, result)


def _print_next(printer: Printer, tree: Path, result: SendResult) -> None:
    """Print what to do after the whole version was sent from a branch."""
    branch = result.plan.version.name
    if result.tag and not Path(branch).is_dir():
        print_steps(
            printer,
            "Later, collect the review tags, or make the next version",
            format_patchgen(tree, "trailers", branch, "--lore"),
            format_patchgen(tree, "reroll", branch),
        )


def _show_plan(
    printer: Printer, request: SendRequest, *, skip_checks: bool, verbose: bool, as_json: bool
) -> None:
    """Show what would be sent. Raises RefusedError after it if the checks refuse the version."""
    with printer.activity() as show:
        show("planning the mails")
        plan = plan_sending(request)
        series = plan.version.name
        show(f"checking {series}")
        report = None if skip_checks else run_checks(series, request.tree)
    notes = list_notes(report) if report is not None else ()
    if verbose:
        _show(printer, list_everything(plan, notes))
    else:
        summary = summarize(plan, notes, has_question=False, fits_screen=is_terminal(sys.stdout))
        if not summary.is_whole:
            summary.lines.append(_HOW_TO_SEE_ALL)
        _show(printer, summary)
    if as_json:
        printer.document(describe(plan.entries, plan))
    if report is not None:
        refuse_failures(series, report)
    if plan.unsent_mails:
        options = repeat_options("dry_run", "verbose", "as_json", "yes")
        print_steps(printer, "Send them", format_patchgen(request.tree, "send", series, *options))


def _send(printer: Printer, request: SendRequest, confirmation: _Confirmation) -> SendResult:
    try:
        result = send_version(
            request,
            check=confirmation.check,
            confirm=confirmation,
            on_mail=_make_reporter(printer),
        )
    except KeyboardInterrupt:
        if not confirmation.is_given or request.reflect or describe_written():
            raise
        # Another signal would make main() report that nothing was written.
        ignore_late_interrupts()
        resume = format_resume(confirmation.name)
        echo(f"patchgen: interrupted; {resume} sends the remaining mails", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if result is None:
        raise RefusedError("cancelled; nothing was sent", code="cancelled")
    return result


def _check_options(request: SendRequest) -> None:
    if (request.arrived or request.again) and not request.resume:
        raise UsageError("--arrived and --again require --resume", code="option-combination")
    if request.reflect and request.resume:
        raise UsageError("--reflect cannot be combined with --resume", code="option-combination")
    if request.only is not None and request.resume:
        raise UsageError(
            "--only cannot be combined with --resume, which sends the mails of the last run",
            code="option-combination",
            hint="resume first, then send others",
        )


def describe(entries: tuple[JournalEntry, ...], plan: SendPlan, tag: str = "") -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "series": plan.version.name,
        "change_id": plan.version.change_id,
        "revision": plan.version.revision,
        "tag": tag or None,
        "part": list(plan.numbers),
        "warnings": list(plan.warnings),
        "mails": [
            {
                "file": entry.file,
                "subject": entry.subject,
                "message_id": entry.message_id,
                "state": entry.state,
                "reason": entry.reason or None,
                "time": entry.time or None,
                # Those of the series: --reflect redirects the sent mails to the user.
                "to": list(planned.to),
                "cc": list(planned.cc),
            }
            for entry, planned in zip(entries, plan.entries, strict=True)
        ],
    }


class _Confirmation:
    """Check the version, show the mails and ask.

    `is_given` is set when the user has agreed, so that mails may be sent. `name` is the name of the
    version, or "" before the check of the plan.
    """

    def __init__(
        self,
        printer: Printer,
        request: SendRequest,
        *,
        yes: bool,
        verbose: bool,
        skip_checks: bool,
    ):
        self._printer = printer
        self._request = request
        self._yes = yes
        self._verbose = verbose
        self._skip_checks = skip_checks
        self._notes: tuple[str, ...] = ()
        self.name = ""
        self.is_given = False

    def check(self, version: SendableVersion) -> None:
        """Raise RefusedError if a check fails; show its notes with the mails.

        Raises UsageError without a terminal to ask on: not before the version was found, so that a
        misspelt branch is reported first, but before the checks, which take time.
        """
        if not self._yes and not is_terminal(sys.stdin):
            raise UsageError(
                "cannot ask for confirmation without a terminal",
                code="no-terminal",
                hint=_HOW_TO_SEND_UNASKED,
            )
        if self._skip_checks:
            return
        with self._printer.activity() as show:
            show(f"checking {version.name}")
            report = run_checks(version.name, self._request.tree)
        refuse_failures(version.name, report)
        self._notes = list_notes(report)

    def __call__(self, plan: SendPlan) -> bool:
        self.name = plan.version.name
        everything = list_everything(plan, self._notes)
        summary = summarize(
            plan,
            self._notes,
            has_question=not self._yes,
            fits_screen=is_terminal(sys.stdout),
        )
        in_pager = self._needs_pager(everything)
        if self._verbose:
            _show(self._printer, everything, in_pager=in_pager)
        # The pager restores the screen when it ends.
        if not self._verbose or in_pager:
            _show(self._printer, summary)
        recipients = "to yourself only" if self._request.reflect else "to these recipients"
        question = f"Send {count(len(plan.unsent_mails), 'mail')} {recipients}?"
        self.is_given = self._yes or self._ask(question, everything, is_whole=summary.is_whole)
        return self.is_given

    def _needs_pager(self, summary: SendSummary) -> bool:
        """Return whether output is to a terminal that is too small for it."""
        if self._yes or not is_terminal(sys.stdout):
            return False
        return len(summary.lines) + len(summary.warnings) >= shutil.get_terminal_size().lines

    def _ask(self, question: str, everything: SendSummary, *, is_whole: bool) -> bool:
        """Ask the user, and show everything first if the answer is v."""
        if is_whole or self._verbose:
            return click.confirm(question, default=False)
        answers = click.Choice(["y", "n", "v"], case_sensitive=False)
        while True:
            answer = click.prompt(
                f"{question} [y/N, or v to view everything]",
                type=answers,
                default="n",
                show_default=False,
                show_choices=False,
            )
            if answer != "v":
                return bool(answer == "y")
            _show(self._printer, everything, in_pager=self._needs_pager(everything))


def _make_reporter(printer: Printer) -> Callable[[int, JournalEntry], None]:
    def report(number: int, entry: JournalEntry) -> None:
        if entry.state is MailState.SENT:
            # Sending continues when the reader of the output has ended (`| head`).
            with suppress(ReaderGoneError, OutputError):
                printer.line(f"  sent {number} {entry.subject}")

    return report


def _show(printer: Printer, summary: SendSummary, *, in_pager: bool = False) -> None:
    if in_pager and not printer.is_silent:
        warnings = [f"warning: {warning}" for warning in summary.warnings]
        printer.page("\n".join([*summary.lines, *warnings]) + "\n")
        return
    printer.line(summary.lines[0], bold=True)
    for line in summary.lines[1:]:
        printer.line(line)
    for warning in summary.warnings:
        printer.warning(warning)


def _explain_failure(result: SendResult, request: SendRequest) -> None:
    report, name = result.report, result.plan.version.name
    sent = [number for number, entry in enumerate(report.entries) if entry.state is MailState.SENT]
    assert report.failed is not None
    failed = report.entries[report.failed]
    summary = f"sent: {', '.join(map(str, sent))}" if sent else "nothing was sent"
    if failed.state is MailState.UNKNOWN and not request.reflect:
        raise build_unknown_error(name, report.failed, failed, f" ({summary})")
    resume = f"{format_resume(name)} sends it and the following mails, in the same thread"
    raise RefusedError(
        f"mail {report.failed} was not accepted: {failed.reason} ({summary})",
        code="mail-not-accepted",
        hint=None if request.reflect else resume,
    )


def _describe_end(result: SendResult, arrived: int) -> str:
    """Return how many mails this run sent, the tag, and how the others can be sent.

    `arrived` is the number of mails of an earlier run that the user reported as arrived.
    """
    report, version = result.report, result.plan.version
    if not report.unsent:
        tag = f" The tag {result.tag} records them." if result.tag else ""
        total = len(report.entries)
        return (f"All {total} mails were sent." if total != 1 else "The mail was sent.") + tag
    sent = count(len(result.plan.unsent_mails) - arrived, "mail")
    unsent = len(report.unsent)
    verb, them = ("is", "it") if unsent == 1 else ("are", "them")
    command = shlex.join(["patchgen", "send", version.name])
    return f"Sent {sent}; {unsent} {verb} not sent yet: `{command}` sends {them}."
