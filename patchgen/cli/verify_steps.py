# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps after `patchgen verify`: send the series, or change what made the fault."""

from __future__ import annotations

from contextlib import closing

from patchgen.cli.next_steps import format_git, format_patchgen, format_verify, print_steps
from patchgen.cli.printer import Printer
from patchgen.cli.send_checks import SEND_CHECKS
from patchgen.commands.sending import find_sending
from patchgen.commands.series_templates import COVER, find_templates, is_own
from patchgen.commands.verify import VerifyReport
from patchgen.odb import Repository, digest_commits, find_absent
from patchgen.paths import name_recorded
from patchgen.series import is_generated_cover, match_commits, parse_message
from patchgen.spec import find_recipe
from patchgen.verify import VerifyRequest
from patchgen.verify.lint import is_about_cover, is_about_signature, is_missing_signature
from patchgen.verify.quoted_lines import is_about_quote


def print_next(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print how to send the series, or how to change the first commit that failed.

    Nothing is printed for a range or an mbox, which `send` and `reroll` do not take, nor for
    failures of a folder of mails, which does not tell its branch.
    """
    target = report.target
    if report.passed:
        _print_sending(printer, request, report)
    elif not target.is_branch:
        return
    elif not (generated := _find_generated(request, report)):
        _print_edit(printer, request, report)
    elif target.record is not None and target.record.split:
        _print_campaign_steps(printer, request, report)
    else:
        _print_variant_steps(printer, request, report, generated)


def _print_sending(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    target, tree = report.target, request.tree
    sending = find_sending(tree, target.name) if target.is_branch else None
    if sending is not None and sending.is_complete:
        # Only a series with a record can be made again.
        if target.record is not None:
            step = format_patchgen(tree, "reroll", target.name)
            print_steps(printer, f"It was sent on {sending.day}; make the next version", step)
    elif target.is_sendable and not report.recorded:
        print_steps(printer, "Send it", format_patchgen(tree, "send", target.name))


def _print_edit(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print how to edit the first commit that failed, or else the cover letter's."""
    target, tree, commit = report.target, request.tree, report.failed
    title = "Edit the commit"
    if commit is None and target.series is not None and _has_faulty_cover(report):
        commit, title = target.series.cover_commit, "Edit the cover letter"
    if commit is None:
        return
    edit = format_git(tree, "rebase", "--interactive", f"{commit[:12]}^", target.name)
    failures = [finding for finding in report.findings if finding.failure]
    if all(map(is_missing_signature, failures)) and (sign_off := _format_sign_off(request, report)):
        title, edit = "Sign the commits off", sign_off
    steps = [edit]
    if target.is_sendable:
        title += ", write the mails again"
        steps.append(format_patchgen(tree, "format", target.name))
    print_steps(printer, f"{title}, then check again", *steps, _format_check(request, report))


def _format_sign_off(request: VerifyRequest, report: VerifyReport) -> str:
    """Return the command that signs all commits off, "" if they are or if git cannot."""
    target = report.target
    # git would append it to the text below the "---".
    has_notes = any(parse_message(commit.message).notes for commit in target.commits)
    if has_notes or not any(map(is_missing_signature, report.findings)):
        return ""
    start = f"{target.name}~{len(target.commits)}"
    return format_git(request.tree, "rebase", "--signoff", start, target.name)


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


def _find_generated(request: VerifyRequest, report: VerifyReport) -> list[str]:
    """Return the first patch with a failure, and COVER, if the user's files made what is at fault.

    A failure about a signature does not count. A person mends the texts and the code that a person
    edited, and those of the variants that come with patchgen.
    """
    target, series = report.target, report.target.series
    if series is None or series.record is None or not (series.record.split or is_own(series)):
        return []
    failed = {
        finding.commit
        for finding in report.findings
        if finding.failure and not is_about_signature(finding)
    }
    with closing(Repository(request.tree)) as repository:
        digests = digest_commits(repository, target.start, target.tip)
    matched = match_commits(target.commits, digests, series.record)
    part = "code" if _has_faults_in_code(report) else "message"
    first = next((each for each in matched if each.commit.oid in failed), None)
    if first is not None and (first.patch is None or part in first.list_edited(digests)):
        return []
    names = [first.name] if first is not None else []
    assert series.cover is not None
    if _has_faulty_cover(report) and is_generated_cover(series.cover, series.record):
        names.append(COVER)
    return names


def _print_campaign_steps(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print how to mend the semantic patch of a campaign, or the texts given with options."""
    target, tree = report.target, request.tree
    record = target.record
    assert record is not None
    run = record.run
    is_quoted = any(finding.failure and is_about_quote(finding) for finding in report.findings)
    is_in_file = is_quoted or _has_faults_in_code(report)
    texts = (
        {"--subject": run.subject, "--message": run.message, "--cover": run.cover} if run else {}
    )
    given = [] if is_in_file else [option for option, text in texts.items() if text]
    if run is None or given:
        title = (
            f"Correct {' or '.join(given) or record.variant}, run the same `patchgen run "
            f"{record.variant} --split {record.split}` again with --force, then check again"
        )
        print_steps(printer, title, _format_check(request, report))
        return
    name = record.variant
    is_known = not find_absent(tree, target.base, [name]) or find_recipe(name) is not None
    file = name if is_known else name_recorded(name)
    title = f"Edit {file}, make the series again, then check again"
    _print_reroll(printer, request, report, title, ("--semantic-patch", file))


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
    title, steps = f"Edit {edited}, make the series again", []
    if sign_off := _format_sign_off(request, report):
        title += ", sign the commits off, write the mails again"
        steps = [sign_off, format_patchgen(request.tree, "format", report.target.name)]
    _print_reroll(printer, request, report, f"{title}, then check again", options, *steps)


def _print_reroll(
    printer: Printer,
    request: VerifyRequest,
    report: VerifyReport,
    title: str,
    options: tuple[str, ...],
    *steps: str,
) -> None:
    # A fault that is mended in a commit would be back in the next version.
    target, tree = report.target, request.tree
    assert target.record is not None
    revision = target.record.revision
    again = format_patchgen(tree, "reroll", target.name, *options, "-v", str(revision), "--force")
    sent = f"    # without -v and --force if v{revision} was sent"
    print_steps(printer, title, again + sent, *steps, _format_check(request, report))
