# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit`: which hypercalls can run before alternatives are patched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from patchgen.audit import (
    compare_audits,
    describe_audit,
    describe_diff,
    render_diff_page,
    render_page,
)
from patchgen.audit.result import Audit, SiteGroup
from patchgen.cli.audit_output import print_audit, print_diff
from patchgen.cli.options import json_option, rev_option, tree_option
from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.cli.printer import Printer
from patchgen.commands.audit import AuditRequest, run_audit
from patchgen.errors import UsageError


@click.command("audit")
@tree_option
@rev_option("The commit to audit.")
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
    help="Compare two commits: which calls the later one routes, adds and leaves as they are, and "
    "why.",
)
@click.option("--dot", is_flag=True, help="Print the early paths as a graph for Graphviz.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write an HTML page with the table and the path graph to this file.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if an early KVM hypercall is not routed.")
@click.option("--verbose", is_flag=True, help="Show all paths, effects and unresolved pointers.")
@json_option
def command(
    rev: str,
    span: str | None,
    dot: bool,
    html: Path | None,
    strict: bool,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Show which hypercalls can run before alternatives are patched, and by which paths.

    The audit reads the commit; it checks out, compiles and writes nothing. Exit code 0 means that
    the audit completed, whatever it found. With --strict, exit code 1 means that an early KVM
    hypercall bypasses pv_ops.mmu.notify_page_enc_status_changed().
    """
    if as_json and dot:
        raise UsageError("--json cannot be combined with --dot: both print to standard output")
    if span is not None and dot:
        raise UsageError(
            "--diff cannot be combined with --dot",
            hint="--html FILE draws the paths of the later commit",
        )
    check_output_file(html)
    printer = Printer(as_json=as_json or dot)
    request = AuditRequest(revision=rev, **options)
    if span is not None:
        return _run_diff(printer, request, span, html, as_json=as_json, strict=strict)
    with printer.progress("reading") as on_progress:
        audit = run_audit(request, on_progress, printer.warning)
    if html is not None:
        write_output_file(html, render_page(audit))
    if as_json:
        printer.document(describe_audit(audit))
    elif dot:
        _print_dot(Printer(), audit)
    else:
        print_audit(printer, audit, verbose=verbose)
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
            f"{span!r} is not a range REV1..REV2", hint="for example --diff v6.1..my-branch"
        )
    with printer.progress("reading") as on_progress:
        before, after = (
            run_audit(
                AuditRequest(request.tree, revision, request.config), on_progress, printer.warning
            )
            for revision in (first, second)
        )
    diff = compare_audits(before, after)
    if html is not None:
        write_output_file(html, render_diff_page(diff))
    if as_json:
        printer.document(describe_diff(diff))
    else:
        print_diff(printer, diff)
    return _exit_code(after, strict=strict)


def _print_dot(printer: Printer, audit: Audit) -> None:
    from patchgen.audit.dot import render_dot

    printer.text(render_dot(audit))
