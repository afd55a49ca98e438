# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the audit of a window: the hypercalls, the changes of page status, and unresolved calls."""

from __future__ import annotations

from patchgen.audit.changes import find_changes
from patchgen.audit.flow import Flow
from patchgen.audit.function_platforms import Reach
from patchgen.audit.hypercalls import SiteRoutes, find_hypercalls, find_op_calls
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.paths import Edge, PointerCall, Routes
from patchgen.audit.platforms import PlatformTests
from patchgen.audit.result import (
    Audit,
    Coverage,
    EdgeKind,
    Notify,
    Step,
    TreeLocation,
    UnresolvedPointer,
    Window,
)
from patchgen.audit.tables import Tables
from patchgen.audit.window import FollowedWindow


def build_audit(window: FollowedWindow, *, version: str = "") -> Audit:
    """Return the audit of a window, without the names of revision and configuration."""
    code, tables = window.code, window.tables
    flow, entries = window.flow, window.entries
    tests = PlatformTests(code, tables)
    reach = Reach(flow, entries, tests)
    unrouted = Routes(flow.edges, entries, lambda edge: not edge.op, tables.aside)
    running = Routes(flow.edges, entries, lambda edge: not _stops(edge, tables))
    site_routes = SiteRoutes(window.routes, unrouted, running)
    return Audit(
        revision="",
        commit="",
        version=version,
        config="",
        window=_build_window(window),
        notify=_build_notify(code, tables, flow),
        hypercalls=tuple(find_hypercalls(code, tables, flow, site_routes)),
        changes=tuple(find_changes(code, tables, flow, window.routes, reach, tests))
        if tables.with_changes
        else (),
        unresolved=tuple(_explain_unresolved(pointer) for pointer in flow.unresolved),
        coverage=_count_coverage(code, flow),
        site=tables.site,
        op=f"{tables.variable}.{tables.member}",
    )


def _stops(edge: Edge, tables: Tables) -> bool:
    return tables.stopping.fullmatch(edge.target.name) is not None


def _build_window(window: FollowedWindow) -> Window:
    boot_path = window.boot_path
    calls = [TreeLocation(node.path, line) for node, line in boot_path.limits.items()]
    steps = [
        Step(
            node.name,
            TreeLocation(node.path, node.line),
            call,
            EdgeKind.CALL if call else EdgeKind.ENTRY,
        )
        for node, call in zip(boot_path.nodes, (None, *calls), strict=True)
    ]
    functions: dict[str, set[str]] = {}
    for node in window.flow.edges:
        if node.kind != "macro":
            functions.setdefault(node.path, set()).add(node.name)
    return Window(
        tuple(dict.fromkeys(node.name for node in window.entries)),
        boot_path.nodes[-1].name,
        tuple(steps),
        {path: tuple(sorted(names)) for path, names in sorted(functions.items())},
    )


def _build_notify(code: LinkedCode, tables: Tables, flow: Flow) -> Notify | None:
    declared = code.find_field(tables.member)
    if declared is None:
        return None
    holders = flow.pointers.find_holders(tables.member)
    steps = tuple(
        Step(n.name, TreeLocation(n.path, n.line), None, EdgeKind.POINTER) for n in holders
    )
    calls = tuple(find_op_calls(code, tables, flow))
    return Notify(f"{tables.variable}.{tables.member}", declared, steps, calls)


def _explain_unresolved(call: PointerCall) -> UnresolvedPointer:
    if call.key is None:
        reason = "the value of the expression is unknown"
    elif call.key[0] == "?":
        reason = f"the struct of {call.key[1]} is unknown"
    elif call.key[0] == "=":
        reason = f"no early code assigns {call.key[1]}"
    else:
        reason = f"no early code assigns {call.key[0]}.{call.key[1]}"
    return UnresolvedPointer(
        call.node.name, TreeLocation(call.node.path, call.line), call.via, reason
    )


def _count_coverage(code: LinkedCode, flow: Flow) -> Coverage:
    lost = [
        f"{path}:{line} {name}"
        for path, facts in sorted(code.facts.items())
        for line, name in facts.lost
    ]
    functions = [node for node in code.nodes if node.kind != "macro"]
    return Coverage(
        len(code.facts),
        len(code.facts),
        len(functions),
        sum(len(node.calls) for node in functions),
        tuple(lost),
        flow.list_unread(),
    )
