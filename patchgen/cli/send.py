# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send`: show the mails and their recipients, ask, and send them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from patchgen.cli.options import json_option, recipient_options, tree_option
from patchgen.cli.printer import OutputError, Printer, ReaderGoneError, echo, is_terminal
from patchgen.cli.tree_config import check_config
from patchgen.commands.send import SendPlan, SendRequest, SendResult, plan_sending, send_version
from patchgen.commands.verify import CHECKS, VerifyRequest, verify_series
from patchgen.errors import RefusedError, UsageError
from patchgen.interrupts import EXIT_INTERRUPTED, describe_written, ignore_late_interrupts
from patchgen.model.series import SendableVersion
from patchgen.send import JournalEntry, MailState, build_unknown_error

_FAST = ("lint", "checkpatch", "am")


@click.command("send")
@click.argument("source", required=False, metavar="[BRANCH|DIR]")
@tree_option
@recipient_options
@click.option(
    "--in-reply-to",
    metavar="MESSAGE-ID",
    help="Send the cover letter as a reply to this mail.  [default: start a new thread]",
)
@click.option("--reflect", is_flag=True, help="Send all mails to yourself only.")
@click.option("--resume", is_flag=True, help="Send the mails that an earlier run did not send.")
@click.option(
    "--arrived",
    multiple=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="With --resume: mail N has arrived (0 is the cover letter); may be repeated.",
)
@click.option(
    "--again",
    multiple=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="With --resume: mail N has not arrived, so send it again; may be repeated.",
)
@click.option("--skip-checks", is_flag=True, help=f"Send without {', '.join(_FAST)}.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--dry-run", is_flag=True, help="Show mails and recipients, but send nothing.")
@json_option
def command(
    skip_checks: bool, yes: bool, dry_run: bool, as_json: bool, tree: Path, **options: Any
) -> None:
    """Send a version of a series with git send-email and its configuration.

    First the series is checked (lint, checkpatch, am), then the mails and their recipients are
    shown for confirmation. This runs the scripts/checkpatch.pl of the series' tree, unless
    --skip-checks is given. If a mail is not accepted, --resume later sends that mail and the
    following ones in the same thread. A tag records the sent version, which is never sent again.
    """
    request = SendRequest(tree=tree, **options)
    _check_options(request)
    printer = Printer(as_json=as_json)
    if not (request.source and Path(request.source).is_dir()):
        # The mails of a folder already have their recipients.
        check_config(printer, tree)
    if dry_run:
        plan = plan_sending(request)
        _show(printer, plan)
        if as_json:
            printer.document(describe(plan.entries, plan))
        return
    _check_confirmation(yes=yes, as_json=as_json)
    result = _send(printer, request, skip_checks=skip_checks, yes=yes)
    if as_json:
        printer.document(describe(result.report.entries, result.plan, result.tag))
    if not result.report.is_complete:
        _explain_failure(result, request)
    elif request.reflect:
        printer.line("All mails were sent to you only.")
    else:
        printer.line(f"All {len(result.report.entries)} mails were sent." + _describe_tag(result))


def _send(printer: Printer, request: SendRequest, *, skip_checks: bool, yes: bool) -> SendResult:
    confirmation = _Confirmation(printer, request, yes=yes)
    try:
        result = send_version(
            request,
            check=(lambda version: None) if skip_checks else _make_check(request),
            confirm=confirmation,
            on_mail=_make_reporter(printer),
        )
    except KeyboardInterrupt:
        if not confirmation.is_given or request.reflect or describe_written():
            raise
        # Another signal would make main() report that nothing was written.
        ignore_late_interrupts()
        echo("patchgen: interrupted; `patchgen send --resume` sends the remaining mails", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if result is None:
        raise RefusedError("cancelled; nothing was sent")
    return result


def _check_confirmation(*, yes: bool, as_json: bool) -> None:
    """Raise UsageError if the user would have to be asked and cannot be."""
    hint = "--yes sends without asking"
    if not yes and not is_terminal(sys.stdin):
        raise UsageError("cannot ask for confirmation without a terminal", hint=hint)
    if as_json and not yes:
        raise UsageError(
            "--json requires --yes or --dry-run: it cannot ask for confirmation", hint=hint
        )


def _check_options(request: SendRequest) -> None:
    if (request.arrived or request.again) and not request.resume:
        raise UsageError("--arrived and --again require --resume")
    if request.reflect and request.resume:
        raise UsageError("--reflect cannot be combined with --resume")


def describe(entries: tuple[JournalEntry, ...], plan: SendPlan, tag: str = "") -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "series": plan.version.name,
        "change_id": plan.version.change_id,
        "revision": plan.version.revision,
        "tag": tag or None,
        "warnings": list(plan.warnings),
        "mails": [
            {
                "file": entry.file,
                "subject": entry.subject,
                "message_id": entry.message_id,
                "state": entry.state,
                "reason": entry.reason or None,
                "to": list(people.to),
                "cc": list(people.cc),
            }
            for entry, people in zip(entries, plan.recipients, strict=True)
        ],
    }


def _make_check(request: SendRequest) -> Callable[[SendableVersion], None]:
    """Return the function that checks a version before it is sent."""

    def check(version: SendableVersion) -> None:
        skip = tuple(name for name in CHECKS if name not in _FAST)
        report = verify_series(
            VerifyRequest(series=version.name, tree=request.tree, skip=skip, optional=True)
        )
        if report.passed:
            return
        for finding in report.findings:
            if finding.failure:
                echo(f"  {finding}", err=True)
        raise RefusedError(
            f"{version.name} does not pass {', '.join(_FAST)}",
            hint="fix it, or send it without these checks: --skip-checks",
        )

    return check


class _Confirmation:
    """Show the mails and ask. `is_given` is set once the user has agreed and mails may be sent."""

    def __init__(self, printer: Printer, request: SendRequest, *, yes: bool):
        self._printer = printer
        self._request = request
        self._yes = yes
        self.is_given = False

    def __call__(self, plan: SendPlan) -> bool:
        _show(self._printer, plan)
        waiting = sum(entry.state is not MailState.SENT for entry in plan.entries)
        recipients = "to yourself only" if self._request.reflect else "to all of them"
        question = f"Send {waiting} mails {recipients}?"
        self.is_given = self._yes or click.confirm(question, default=False)
        return self.is_given


def _make_reporter(printer: Printer) -> Callable[[int, JournalEntry], None]:
    def report(number: int, entry: JournalEntry) -> None:
        if entry.state is MailState.SENT:
            # Go on sending even if nobody reads the output any more (`| head`).
            with suppress(ReaderGoneError, OutputError):
                printer.line(f"  sent {number} {entry.subject}")

    return report


def _show(printer: Printer, plan: SendPlan) -> None:
    printer.line(f"{plan.version.name}, v{plan.version.revision}", bold=True)
    for number, (entry, recipients) in enumerate(zip(plan.entries, plan.recipients, strict=True)):
        state = "" if entry.state is MailState.WAITING else f" ({entry.state})"
        printer.line(f"  {number} {entry.subject}{state}")
        for name, people in (("To", recipients.to), ("Cc", recipients.cc)):
            for person in people:
                printer.line(f"      {name}: {person}")
    # The same address may be written with and without a name.
    mails_by_address = Counter(
        address
        for recipients in plan.recipients
        for address in {
            person.rpartition("<")[2].lower() for person in recipients.to + recipients.cc
        }
    )
    mails = len(plan.entries)
    complete = sum(mail_count == mails for mail_count in mails_by_address.values())
    printer.line(
        f"{mails} mails, {len(mails_by_address)} recipients; {complete} of them get all mails"
    )
    for person in plan.bcc:
        printer.line(f"Bcc of all mails: {person}")
    for warning in plan.warnings:
        printer.warning(warning)


def _explain_failure(result: SendResult, request: SendRequest) -> None:
    report = result.report
    sent = [number for number, entry in enumerate(report.entries) if entry.state is MailState.SENT]
    assert report.failed is not None
    failed = report.entries[report.failed]
    summary = f"sent: {', '.join(map(str, sent))}" if sent else "nothing was sent"
    if request.reflect:
        raise RefusedError(f"mail {report.failed} was not accepted: {failed.reason} ({summary})")
    if failed.state is MailState.UNKNOWN:
        raise build_unknown_error(report.failed, failed, f" ({summary})")
    raise RefusedError(
        f"mail {report.failed} was not accepted: {failed.reason} ({summary})",
        hint="`patchgen send --resume` sends it and the following mails, in the same thread",
    )


def _describe_tag(result: SendResult) -> str:
    return f" The tag {result.tag} records them." if result.tag else ""
