# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypercalls of a kernel: each use of an instruction, with its route and its effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from patchgen.audit.code import LinkedCode, Node
from patchgen.audit.flow import Flow
from patchgen.audit.instructions import Use, find_uses
from patchgen.audit.result import Effect, EffectOutcome, Hypercall, OpCall, Platform, TreeLocation
from patchgen.audit.routes import Routes
from patchgen.audit.tables import Tables

_SPARED = Effect(EffectOutcome.WORKS, "a TDX guest makes the call by TDCALL instead")


def find_hypercalls(
    code: LinkedCode, tables: Tables, flow: Flow, routes: Routes, unrouted: Routes
) -> list[Hypercall]:
    """Return all hypercalls, early or not, sorted by place.

    `unrouted` are the routes that do not go through the op.
    """
    return [
        _hypercall(code, tables, flow, use, routes, unrouted) for use in find_uses(code, tables)
    ]


def _hypercall(
    code: LinkedCode, tables: Tables, flow: Flow, use: Use, routes: Routes, unrouted: Routes
) -> Hypercall:
    early = routes.find(use.node) if flow.is_early(use.node, use.line) else None
    around = unrouted.find(use.node) if early else None
    purpose = use.call.arguments[0] if use.call and use.call.arguments else ""
    return Hypercall(
        function=use.node.name,
        place=TreeLocation(use.node.path, use.line),
        call=use.name,
        purpose=purpose,
        instruction=use.instruction,
        early=early,
        routed=early is not None and around is None,
        unrouted=around,
        effects=_effects(tables, use),
        config=code.describe_condition(use.node.path, use.line),
        within=code.find_within(use.node) if early else (),
    )


def find_op_calls(code: LinkedCode, tables: Tables, flow: Flow) -> Iterator[OpCall]:
    """Yield the calls of the op; those of a header's inline function are its callers."""
    wrappers = {node.name for node in code.nodes if node.header and _op_lines(node, tables, flow)}
    for node in code.nodes:
        if node.header or node.kind == "assembly":
            continue
        lines = [call.line for call in node.calls if call.name in wrappers]
        for line in sorted({*lines, *_op_lines(node, tables, flow)}):
            early = flow.is_early(node, line)
            place = TreeLocation(node.path, line)
            yield OpCall(node.name, place, early, code.find_within(node))


def _op_lines(node: Node, tables: Tables, flow: Flow) -> list[int]:
    """Return the lines of a function that call the op through the member that holds it."""
    return [
        call.line
        for call in node.calls
        for access in ([call.access] if call.access else flow.operands(node, call))
        if access.members[-1:] == (tables.member,)
    ]


def _effects(tables: Tables, use: Use) -> Mapping[Platform, Effect]:
    effects = dict(tables.effects[use.instruction.form])
    if use.spares_tdx:
        effects[Platform.TDX] = _SPARED
    return effects
