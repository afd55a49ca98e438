# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps after `patchgen verify`: send the series, or change what made the fault."""

from __future__ import annotations

from pathlib import Path

from patchgen.cli.next_steps import format_git, format_patchgen, format_verify, print_steps
from patchgen.cli.printer import Printer
from patchgen.cli.send_checks import SEND_CHECKS
from patchgen.commands.sending import find_sending
from patchgen.commands.subjects import find_message_template, is_shipped
from patchgen.commands.verify import VerifyReport
from patchgen.series import RecordedPatch, digest_message
from patchgen.verify import VerifyRequest
from patchgen.verify.lint import is_about_signature


def print_next(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print how to send the series, or how to change the first commit that failed."""
    target, tree = report.target, request.tree
    if report.passed:
        is_sendable = target.record is not None or Path(target.name).is_dir()
        sending = find_sending(tree, target.name) if target.series else None
        if sending is not None and sending.is_complete:
            step = format_patchgen(tree, "reroll", target.name)
            print_steps(printer, f"It was sent on {sending.day}; make the next version", step)
        elif is_sendable and not report.recorded:
            print_steps(printer, "Send it", format_patchgen(tree, "send", target.name))
    elif target.record is not None and target.record.split and _has_faults_in_code(report):
        title = "Mend the semantic patch, run it again, then check again"
        _print_reroll(printer, request, report, title, ("--semantic-patch", target.record.variant))
    elif (patch := _find_generated(report)) is not None:
        _print_variant_steps(printer, request, report, patch)
    elif report.failed is not None and target.record is not None:
        rebase = ("rebase", "--interactive", f"{report.failed[:12]}^", target.name)
        steps = (format_git(tree, *rebase), format_verify(tree, target.base, target.name))
        print_steps(printer, "Edit the commit, then check again", *steps)


def _has_faults_in_code(report: VerifyReport) -> bool:
    """Return whether a failure is about code, not about a message or a mail."""
    paths = {str(path) for commit in report.target.commits for path in commit.files}
    return any(
        finding.failure
        and (finding.check not in SEND_CHECKS or finding.where.partition(":")[0] in paths)
        for finding in report.findings
        if finding.commit is not None
    )


def _find_generated(report: VerifyReport) -> RecordedPatch | None:
    """Return the first patch with a failure, if the user's variant made its message.

    A failure about a signature does not count. A person mends the commits that a person edited, and
    those of the variants that come with patchgen.
    """
    record = report.target.record
    if record is None or record.split or is_shipped(record.variant):
        return None
    failed = {
        finding.commit
        for finding in report.findings
        if finding.failure and not is_about_signature(finding)
    }
    generated = {patch.message: patch for patch in record.patches}
    for commit in report.target.commits:
        if commit.oid in failed:
            return generated.get(digest_message(commit.message))
    return None


def _print_variant_steps(
    printer: Printer, request: VerifyRequest, report: VerifyReport, patch: RecordedPatch
) -> None:
    """Print how to mend the files of a variant: a commit that is mended is made anew as it was."""
    series, record = report.target.series, report.target.record
    assert series is not None and series.tracking is not None and record is not None
    change_id = series.tracking.change_id
    template = find_message_template(request.tree, change_id, record.variant, patch.name)
    options = () if template else ("--variant", "FOLDER")
    if _has_faults_in_code(report):
        edited = f"the files of the variant {record.variant}"
    elif template is None:
        edited = f"the template of {patch.name}'s message in the FOLDER of {record.variant}"
    else:
        edited = str(template)
    title = f"Edit {edited}, make the series again, then check again"
    _print_reroll(printer, request, report, title, options)


def _print_reroll(
    printer: Printer,
    request: VerifyRequest,
    report: VerifyReport,
    title: str,
    options: tuple[str, ...],
) -> None:
    # A fault that is mended in a commit would be back in the next version.
    target, tree = report.target, request.tree
    assert target.record is not None
    revision = target.record.revision
    again = format_patchgen(tree, "reroll", target.name, *options, "-v", str(revision), "--force")
    sent = f"    # without -v and --force if v{revision} was sent"
    print_steps(printer, title, again + sent, format_verify(tree, target.base, target.name))
