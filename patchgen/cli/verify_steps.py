# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps after `patchgen verify`: send the series, or change what made the fault."""

from __future__ import annotations

from pathlib import Path

from patchgen.cli.next_steps import format_git, format_patchgen, format_verify, print_steps
from patchgen.cli.printer import Printer
from patchgen.cli.send_checks import SEND_CHECKS
from patchgen.commands.sending import find_sending
from patchgen.commands.series_templates import COVER, find_templates, is_own
from patchgen.commands.verify import VerifyReport
from patchgen.paths import name_recorded
from patchgen.series import digest_message, is_generated_cover
from patchgen.verify import VerifyRequest
from patchgen.verify.lint import is_about_cover, is_about_signature


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
        options = ("--semantic-patch", name_recorded(target.record.variant))
        _print_reroll(printer, request, report, title, options)
    elif generated := _find_generated(report):
        _print_variant_steps(printer, request, report, generated)
    elif target.record is not None:
        _print_rebase(printer, request, report)


def _print_rebase(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print how to edit the first commit that failed, or else the cover letter's."""
    target, commit, title = report.target, report.failed, "Edit the commit, then check again"
    if commit is None and target.series is not None and _has_faulty_cover(report):
        commit, title = target.series.cover_commit, "Edit the cover letter, then check again"
    if commit is not None:
        rebase = ("rebase", "--interactive", f"{commit[:12]}^", target.name)
        steps = (format_git(request.tree, *rebase), _format_check(request, report))
        print_steps(printer, title, *steps)


def _format_check(request: VerifyRequest, report: VerifyReport) -> str:
    return format_verify(request.tree, report.target.base, report.target.name)


def _has_faulty_cover(report: VerifyReport) -> bool:
    return any(finding.failure and is_about_cover(finding) for finding in report.findings)


def _has_faults_in_code(report: VerifyReport) -> bool:
    """Return whether a failure is about code, not about a message or a mail."""
    paths = {str(path) for commit in report.target.commits for path in commit.files}
    return any(
        finding.failure
        and (finding.check not in SEND_CHECKS or finding.where.partition(":")[0] in paths)
        for finding in report.findings
        if finding.commit is not None
    )


def _find_generated(report: VerifyReport) -> list[str]:
    """Return the first patch with a failure, and COVER, if the user's variant made their texts.

    A failure about a signature does not count. A person mends the texts that a person edited, and
    those of the variants that come with patchgen.
    """
    series = report.target.series
    if series is None or series.record is None or not is_own(series):
        return []
    failed = {
        finding.commit
        for finding in report.findings
        if finding.failure and not is_about_signature(finding)
    }
    generated = {patch.message: patch.name for patch in series.record.patches}
    names = []
    first = next((each for each in series.commits if each.oid in failed), None)
    if first is not None:
        digest = digest_message(first.message)
        if digest not in generated:
            return []
        names.append(generated[digest])
    assert series.cover is not None
    if _has_faulty_cover(report) and is_generated_cover(series.cover, series.record):
        names.append(COVER)
    return names


def _print_variant_steps(
    printer: Printer, request: VerifyRequest, report: VerifyReport, generated: list[str]
) -> None:
    """Print how to mend the files of a variant: a text that is mended is made anew as it was."""
    series = report.target.series
    assert series is not None and series.record is not None
    variant = series.record.variant
    templates = find_templates(request.tree, series)
    if _has_faults_in_code(report):
        edited = f"the files of the variant {variant}"
    elif templates.keys() >= set(generated):
        edited = " and ".join(str(templates[name]) for name in generated)
    else:
        texts = [f"{name}'s message" if name else "the cover letter" for name in generated]
        edited = f"the template of {' and '.join(texts)} in the FOLDER of {variant}"
    options = () if templates else ("--variant", "FOLDER")
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
    print_steps(printer, title, again + sent, _format_check(request, report))
