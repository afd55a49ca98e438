# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit`: which hypercalls can run before alternatives are patched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from patchgen.audit import compare_audits, describe_audit, describe_diff
from patchgen.audit.document import describe_answers, describe_late
from patchgen.audit.result import Audit, SiteGroup
from patchgen.cli.audit_output import print_audit, print_diff
from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import html_option, json_option, rev_option, tree_option, variant_option
from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.cli.printer import Printer
from patchgen.commands.audit import AuditRequest, run_audit, run_late, run_reasons
from patchgen.errors import UsageError


@click.command(
    "audit",
    cls=ExplainedCommand,
    examples="""
    patchgen audit --rev v6.1
        List the early hypercalls of v6.1, and what each does on each platform.
    patchgen audit --why start_kernel
        Show by which paths start_kernel() runs early, or why it is late.
    """,
)
@tree_option
@rev_option("The commit to audit.")
@variant_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Follow only what this .config builds.  [default: all branches]",
)
@click.option(
    "--diff",
    "span",
    metavar="REV1..REV2",
    help="Compare two commits: which calls the later one routes, adds and leaves unchanged, and "
    "why.",
)
@click.option(
    "--why",
    metavar="FUNCTION",
    help="Show the paths by which a function is early, or the obstacle that makes it late.",
)
@click.option(
    "--late",
    is_flag=True,
    help="List the late hypercalls instead, and why no early path reaches them.",
)
@click.option("--dot", is_flag=True, help="Print the early paths as a graph for Graphviz.")
@html_option
@click.option("--strict", is_flag=True, help="Exit with 1 if an early KVM hypercall is not routed.")
@click.option(
    "--verbose", is_flag=True, help="Show all sites, paths, effects and unresolved calls."
)
@json_option
def command(
    rev: str,
    span: str | None,
    dot: bool,
    html: Path | None,
    why: str | None,
    late: bool,
    strict: bool,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Show which hypercalls can run before alternatives are patched, and by which paths.

    The audit reads the commit without checking it out or compiling it. Exit code 0 means that
    the audit completed, whatever it found. With --strict, exit code 1 means that an early KVM
    hypercall bypasses pv_ops.mmu.notify_page_enc_status_changed(). With --variant, the variant's
    audit.toml adds calls, and may change the window and the op.
    """
    outputs = {"--diff": span, "--dot": dot, "--html": html, "--json": as_json}
    _check_outputs(outputs, {"--late": late, "--why": why is not None}, strict=strict)
    check_output_file(html)
    printer = Printer(as_json=as_json or dot)
    request = AuditRequest(revision=rev, **options)
    if span is not None:
        return _run_diff(printer, request, span, html, as_json=as_json, strict=strict)
    if why is not None:
        return _run_why(printer, request, why, as_json=as_json, verbose=verbose)
    if late:
        return _run_late(printer, request, as_json=as_json, strict=strict, verbose=verbose)
    with printer.progress("reading") as on_progress:
        audit = run_audit(request, on_progress, printer.warning)
    if html is not None:
        from patchgen.audit import render_page

        write_output_file(html, render_page(audit))
    if as_json:
        printer.document(describe_audit(audit))
    elif dot:
        _print_dot(Printer(), audit)
    else:
        print_audit(printer, audit, verbose=verbose)
    return _exit_code(audit, strict=strict)


def _check_outputs(
    outputs: Mapping[str, object], modes: Mapping[str, bool], *, strict: bool
) -> None:
    """Raise UsageError for options that exclude each other; those in use are true."""
    if outputs["--json"] and outputs["--dot"]:
        raise UsageError(
            "--json cannot be combined with --dot: both print to standard output",
            code="option-combination",
        )
    if outputs["--diff"] and outputs["--dot"]:
        raise UsageError(
            "--diff cannot be combined with --dot",
            code="option-combination",
            hint="--html FILE draws the paths of the later commit",
        )
    for mode, chosen in modes.items():
        others = {**outputs, "--json": False}
        if mode == "--why":
            others |= {"--late": modes["--late"], "--strict": strict}
        for other, value in others.items():
            if chosen and value:
                raise UsageError(
                    f"{mode} cannot be combined with {other}", code="option-combination"
                )


def _run_why(
    printer: Printer, request: AuditRequest, name: str, *, as_json: bool, verbose: bool
) -> int:
    from patchgen.audit.reasons import explain_function
    from patchgen.cli.audit_why import print_answer

    with printer.progress("reading") as on_progress:
        reasons = run_reasons(request, on_progress, printer.warning)
    answers = explain_function(reasons, name)
    if as_json:
        printer.document(describe_answers(name, answers))
    for number, answer in enumerate(answers):
        if number:
            printer.line()
        print_answer(printer, answer, reasons.end, verbose=verbose)
    return 0


def _run_late(
    printer: Printer, request: AuditRequest, *, as_json: bool, strict: bool, verbose: bool
) -> int:
    from patchgen.audit.reasons import explain_late
    from patchgen.cli.audit_why import print_late

    with printer.progress("reading") as on_progress:
        audit, reasons = run_late(request, on_progress, printer.warning)
    sites = explain_late(reasons, audit)
    if as_json:
        printer.document(describe_late(sites))
    else:
        print_late(printer, audit, sites, verbose=verbose)
    return _exit_code(audit, strict=strict)


def _exit_code(audit: Audit, *, strict: bool) -> int:
    return int(
        strict
        and any(hypercall.group is SiteGroup.UNROUTED for hypercall in audit.early_hypercalls)
    )


def _run_diff(
    printer: Printer,
    request: AuditRequest,
    span: str,
    html: Path | None,
    *,
    as_json: bool,
    strict: bool,
) -> int:
    first, dots, second = span.partition("..")
    if not dots or not first or not second or second.startswith("."):
        raise UsageError(
            f"{span!r} is not a range REV1..REV2",
            code="revision-unknown",
            hint="for example --diff v6.1..my-branch",
        )
    with printer.progress("reading") as on_progress:
        before, after = (
            run_audit(replace(request, revision=revision), on_progress, printer.warning)
            for revision in (first, second)
        )
    diff = compare_audits(before, after)
    if html is not None:
        from patchgen.audit import render_diff_page

        write_output_file(html, render_diff_page(diff))
    if as_json:
        printer.document(describe_diff(diff))
    else:
        print_diff(printer, diff)
    return _exit_code(after, strict=strict)


def _print_dot(printer: Printer, audit: Audit) -> None:
    from patchgen.audit.dot import render_dot

    printer.text(render_dot(audit))
