# SPDX-License-Identifier: GPL-2.0-or-later
"""The output of `patchgen audit` on a terminal: a line for each site, at most a screen of them."""

from __future__ import annotations

import textwrap

from patchgen.audit import (
    CHANGE_TITLES,
    describe_call,
    describe_notifiers,
    explain_routing,
    group_differences,
)
from patchgen.audit.diff import AuditDiff
from patchgen.audit.overview import (
    Danger,
    count_forms,
    count_unresolved_in_arch,
    describe_answer,
    describe_fatal,
    describe_means,
    describe_routing,
    group_by_danger,
    list_callers,
    sort_unresolved,
)
from patchgen.audit.result import Audit, Hypercall, Route, StatusChange, UnresolvedPointer
from patchgen.cli.audit_table import (
    Line,
    Section,
    TableRow,
    measure_screen,
    print_screen,
    wrap_names,
)
from patchgen.cli.printer import Printer
from patchgen.counting import count

_TITLES = {
    Danger.FATAL: "fatal on one platform or more",
    Danger.UNKNOWN: "unknown on one platform or more",
    Danger.HARMLESS: "harmless on all platforms",
    Danger.OTHER: "to other hypervisors",
}
_NOUNS = {
    Danger.FATAL: ("fatal site", "fatal sites"),
    Danger.UNKNOWN: ("site of unknown effect", "sites of unknown effect"),
    Danger.HARMLESS: ("harmless site", "harmless sites"),
    Danger.OTHER: ("site of other hypervisors", "sites of other hypervisors"),
}
_HEADER = ("site", "function", "form", "fatal on", "op")


def print_audit(printer: Printer, audit: Audit, *, verbose: bool) -> None:
    """Print the answer, the sites by danger, changes of page status, and unresolved calls.

    Without `verbose`, the output fits a screen.
    """
    width, _ = measure_screen()
    sections = _build_sections(audit, width)
    print_screen(printer, _write_head(audit, width), sections, verbose=verbose)


def _write_head(audit: Audit, width: int) -> list[Line]:
    """Return the first lines, with their styles."""
    config = audit.config or "all branches (no --config)"
    late = len(audit.hypercalls) - len(audit.early_hypercalls)
    first, last = audit.window.boot_path[0], audit.window.boot_path[-1]
    answer = textwrap.wrap(describe_answer(audit), width)
    lines: list[Line] = [(line, {"bold": True}) for line in answer]
    texts = [
        f"{audit.version or audit.commit[:12]} ({audit.revision}), {config};"
        f" {count(late, 'late site')} (--late)",
        f"window: {first.function}() to {last.called or last.function}",
        _describe_op(audit),
    ]
    for text in texts:
        lines += [(line, {}) for line in textwrap.wrap(text, width, subsequent_indent="  ")]
    return lines


def _describe_op(audit: Audit) -> str:
    if audit.notify is None:
        return f"op: this kernel has no {audit.op}()"
    names = ", ".join(step.function for step in audit.notify.implementations) or "none"
    return f"op: {audit.notify.member}(), installed: {names}"


# --- sections -----------------------------------------------------------------------------------


def _build_sections(audit: Audit, width: int) -> list[Section]:
    """Return all sections, the most important first."""
    sections = []
    for danger, members in group_by_danger(audit.early_hypercalls).items():
        fatal = danger is Danger.FATAL
        sections.append(
            Section(
                f"Early sites, {_TITLES[danger]}",
                _NOUNS[danger],
                [_build_site(audit, hypercall) for hypercall in members],
                share=8 if fatal else 1,
                summary=count_forms(members),
                header=_HEADER,
                style={"fg": "red"} if fatal else {},
            )
        )
    for silent in (True, False):
        notified = "without notification" if silent else "with notification"
        changes = [change for change in audit.early_changes if change.silent is silent]
        sections.append(
            Section(
                f"Early changes of page status {notified}",
                (f"change {notified}", f"changes {notified}"),
                [_build_change(audit, change) for change in changes],
                share=8 if silent else 1,
                header=("site", "function", "page", "notified by"),
                style={"fg": "red"} if silent else {},
            )
        )
    return [*sections, *_build_doubts(audit, width)]


def _build_site(audit: Audit, hypercall: Hypercall) -> TableRow:
    cells = (
        str(hypercall.place),
        hypercall.function,
        hypercall.instruction.title,
        describe_fatal(hypercall),
        describe_routing(hypercall),
    )
    route = hypercall.unrouted or hypercall.early

    def explain() -> list[str]:
        lines = [f"{describe_call(hypercall)}: {explain_routing(hypercall)}", *_write_route(route)]
        for platform, effect in hypercall.effects.items():
            lines.append(f"{platform.value}: {effect.outcome.value}: {effect.reason}")
        return lines

    return TableRow(cells, list_callers(audit, route) if route else (), explain)


def _build_change(audit: Audit, change: StatusChange) -> TableRow:
    cells = (
        str(change.place),
        change.function,
        change.to or "-",
        describe_means(change),
    )

    def explain() -> list[str]:
        notifiers = f"{describe_call(change)}: {describe_notifiers(change)}"
        return [notifiers, *_write_route(change.early)]

    return TableRow(cells, list_callers(audit, change.early) if change.early else (), explain)


def _build_doubts(audit: Audit, width: int) -> list[Section]:
    """Return the unresolved calls, the unparsed functions, and the names without a definition."""
    calls, inside = sort_unresolved(audit), count_unresolved_in_arch(audit)
    unresolved = [
        TableRow((str(call.place), call.function, _explain_unresolved(call))) for call in calls
    ]
    return [
        Section(
            "Unresolved early calls",
            ("unresolved call", "unresolved calls"),
            unresolved,
            share=2,
            summary=f"{inside} in arch/x86" + (", listed first" if 0 < inside < len(calls) else ""),
        ),
        Section(
            "Functions that could not be parsed",
            ("function that could not be parsed", "functions that could not be parsed"),
            [TableRow((name,)) for name in audit.coverage.lost],
        ),
        Section(
            "Names that early code calls and no file that was read defines",
            ("undefined name", "undefined names"),
            wrap_names(audit.coverage.unread, width),
        ),
    ]


def _explain_unresolved(call: UnresolvedPointer) -> str:
    return call.reason if call.via in call.reason else f"{call.via}: {call.reason}"


def _write_route(route: Route | None) -> list[str]:
    if route is None:
        return []
    paths = f"{route.paths} or more paths" if route.capped else count(route.paths, "path")
    lines = [f"{paths}; the shortest:"]
    for step in route.steps:
        by = f" by {step.via}" if step.via else ""
        at = f" at {step.called}" if step.called else ""
        lines.append(f"  {step.function}(){by}{at}")
    return lines


# --- two revisions ------------------------------------------------------------------------------


def print_diff(printer: Printer, diff: AuditDiff) -> None:
    """Print what has changed between two commits at each early site, by kind of change."""
    printer.line(f"{diff.before.revision} .. {diff.after.revision}", bold=True)
    for group in group_differences(diff):
        printer.line()
        printer.line(f"{CHANGE_TITLES[group.change_kind]}: {group.total}", bold=True)
        for difference in group.listed:
            site = difference.site
            printer.line(f"  {site.place} {site.function}(): {describe_call(site)}")
            printer.line(f"      {difference.reason}")
        for reason, number in group.more.items():
            printer.line(f"  {number} more: {reason}")
