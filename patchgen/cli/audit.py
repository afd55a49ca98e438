# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit`: which hypercalls can run before alternatives are patched."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from patchgen.audit import (
    CHANGE_TITLES,
    FOLDED_GROUPS,
    GROUP_TITLES,
    compare_audits,
    count_sites,
    describe_audit,
    describe_call,
    describe_diff,
    describe_notifiers,
    explain_routing,
    render_diff_page,
    render_page,
)
from patchgen.audit.diff import AuditDiff, ChangeKind
from patchgen.audit.result import Audit, EffectOutcome, Hypercall, Route, SiteGroup, StatusChange
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


# --- text ---------------------------------------------------------------------------------------


def print_audit(printer: Printer, audit: Audit, *, verbose: bool) -> None:
    """Print the hypercalls that are not routed first, then the others, then the counts."""
    config = audit.config or "all branches (no --config)"
    printer.line(f"{audit.version or audit.commit[:12]} ({audit.revision}), {config}", bold=True)
    end = audit.window.boot_path[-1].called
    printer.line(
        f"window: {audit.window.boot_path[0].function}() up to {audit.window.end}() at {end}"
    )
    if audit.notify is None:
        printer.line("op: this kernel has no pv_ops.mmu.notify_page_enc_status_changed()")
    else:
        names = ", ".join(step.function for step in audit.notify.implementations) or "nobody"
        printer.line(f"op: {audit.notify.member}(), installed: {names}")
    for group, title in GROUP_TITLES.items():
        hypercalls = [hypercall for hypercall in audit.early_hypercalls if hypercall.group is group]
        _print_group(printer, title, hypercalls, verbose=verbose, folded=group in FOLDED_GROUPS)
    _print_changes(printer, audit.early_changes, verbose=verbose)
    if verbose and audit.unresolved:
        printer.line()
        printer.line("unresolved pointers", bold=True)
        for pointer in audit.unresolved:
            printer.line(f"  {pointer.place} {pointer.function}(): {pointer.via}: {pointer.reason}")
    _print_counts(printer, audit, verbose=verbose)


def _print_group(
    printer: Printer, title: str, hypercalls: list[Hypercall], *, verbose: bool, folded: bool
) -> None:
    if not hypercalls:
        return
    printer.line()
    printer.line(f"early hypercalls, {title}: {len(hypercalls)}", bold=True)
    if folded and not verbose:
        for line in _fold(hypercalls):
            printer.line(f"  {line}")
        return
    for hypercall in hypercalls:
        fatal = [p.value for p, e in hypercall.effects.items() if e.outcome is EffectOutcome.FATAL]
        danger = f", fatal on {', '.join(fatal)}" if fatal else ""
        printer.line(f"  {hypercall.place} {hypercall.function}()")
        printer.line(
            f"      {describe_call(hypercall)}: {hypercall.instruction.form.value}{danger}"
        )
        if not hypercall.routed:
            printer.line(f"      {explain_routing(hypercall)}")
        _print_route(printer, hypercall.unrouted or hypercall.early)
        if verbose:
            for platform, effect in hypercall.effects.items():
                printer.line(f"      {platform.value}: {effect.outcome.value}: {effect.reason}")


def _fold(hypercalls: Iterable[Hypercall]) -> list[str]:
    """Return one line for each hypervisor and instruction form: the count and the files."""
    groups: dict[tuple[str, str], list[Hypercall]] = {}
    for hypercall in hypercalls:
        key = (hypercall.instruction.hypervisor or "unknown", hypercall.instruction.form.value)
        groups.setdefault(key, []).append(hypercall)
    lines = []
    for (hypervisor, form), members in sorted(groups.items()):
        files = list(dict.fromkeys(member.place.path for member in members))
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        lines.append(f"{len(members):3} {hypervisor}, {form}: {', '.join(files[:3])}{more}")
    return lines


def _print_route(printer: Printer, route: Route | None) -> None:
    if route is None:
        return
    count = f"{route.paths}{' or more' if route.capped else ''}"
    printer.line(f"      {count} path{'s' if route.paths != 1 else ''}; the shortest:")
    for step in route.steps:
        by = f" by {step.via}" if step.via else ""
        at = f" at {step.called}" if step.called else ""
        printer.line(f"        {step.function}(){by}{at}")


def _print_changes(printer: Printer, changes: Iterable[StatusChange], *, verbose: bool) -> None:
    silent = [change for change in changes if change.silent]
    notified = [change for change in changes if not change.silent]
    for title, group in (("tell nobody", silent), ("tell the hypervisor", notified)):
        if not group:
            continue
        printer.line()
        printer.line(f"early changes of page status that {title}: {len(group)}", bold=True)
        for change in group:
            printer.line(f"  {change.place} {change.function}()")
            printer.line(f"      {describe_call(change)}: {describe_notifiers(change)}")
            if verbose:
                _print_route(printer, change.early)


def _print_counts(printer: Printer, audit: Audit, *, verbose: bool) -> None:
    counts = count_sites(audit)
    late = len(audit.hypercalls) - counts["early_hypercalls"]
    hint = "" if verbose else " (--verbose lists them, and all paths)"
    printer.line()
    printer.line(
        f"{counts['unrouted']} not routed, {counts['routed']} routed, {counts['own']} by VMGEXIT or"
        f" TDCALL, {counts['other']} of other hypervisors, {late} late;"
        f" {counts['silent']} of {counts['early_changes']} early changes tell nobody;"
        f" {counts['unresolved']} pointers unresolved{hint}"
    )
    if audit.coverage.lost:
        printer.line(f"{len(audit.coverage.lost)} functions could not be parsed")
        for function in audit.coverage.lost if verbose else ():
            printer.line(f"  {function}")


def print_diff(printer: Printer, diff: AuditDiff) -> None:
    """Print what has changed between two commits for each early site, grouped by fate."""
    printer.line(f"{diff.before.revision} .. {diff.after.revision}", bold=True)
    for kind, title in CHANGE_TITLES.items():
        differences = [
            difference for difference in diff.differences if difference.change_kind is kind
        ]
        if not differences:
            continue
        printer.line()
        printer.line(f"{title}: {len(differences)}", bold=True)
        lines: dict[str, int] = {}
        for difference in differences:
            site = difference.after or difference.before
            if site is None:
                continue
            plain = isinstance(site, Hypercall) and site.group in FOLDED_GROUPS
            if kind is ChangeKind.STAYS and plain:
                lines[difference.reason] = lines.get(difference.reason, 0) + 1
                continue
            what = site.call or site.function
            printer.line(f"  {site.place} {site.function}(): {what}({site.argument})")
            printer.line(f"      {difference.reason}")
        for reason, count in lines.items():
            printer.line(f"  {count} more: {reason}")
