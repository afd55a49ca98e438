# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls of a kernel: each use of an instruction, with its route and its effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.audit.flow import Flow
from patchgen.audit.hypercall_uses import Use, find_uses
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.paths import Routes
from patchgen.audit.result import (
    Effect,
    EffectOutcome,
    Form,
    Hypercall,
    OpCall,
    Platform,
    TreeLocation,
)
from patchgen.audit.tables import Tables

_BEST_FIRST = (
    EffectOutcome.WORKS,
    EffectOutcome.EMULATED,
    EffectOutcome.FATAL,
    EffectOutcome.UNUSED,
)
_BY_TDCALL = Effect(EffectOutcome.WORKS, "a TDX guest makes the call by TDCALL instead")


@dataclass(frozen=True, slots=True)
class SiteRoutes:
    """All routes of the window, those that do not go through the op, and those without a panic."""

    all: Routes
    unrouted: Routes
    running: Routes


def find_hypercalls(
    code: LinkedCode, tables: Tables, flow: Flow, routes: SiteRoutes
) -> list[Hypercall]:
    """Return all hypercalls, early or not, sorted by place."""
    return [_build_hypercall(code, tables, flow, use, routes) for use in find_uses(code, tables)]


def _build_hypercall(
    code: LinkedCode, tables: Tables, flow: Flow, use: Use, routes: SiteRoutes
) -> Hypercall:
    early = routes.all.find(use.node) if flow.is_early(use.node, use.line) else None
    bypass = routes.unrouted.find(use.node) if early else None
    return Hypercall(
        function=use.node.name,
        place=TreeLocation(use.node.path, use.line),
        call=use.name,
        purpose=_find_leaf(tables, use) or use.purpose,
        through=use.through,
        instruction=use.instruction,
        early=early,
        routed=early is not None and bypass is None,
        unrouted=bypass,
        stopping=early is not None and not routes.running.reaches(use.node),
        effects=_list_effects(tables, use),
        config=code.describe_condition(use.node.path, use.line),
        within=code.find_within(use.node) if early else (),
    )


def _find_leaf(tables: Tables, use: Use) -> str:
    """Return the leaf of a request whose arguments are in a local struct, "" for other requests.

    `struct tdx_module_args args = { .r11 = hcall_func(EXIT_REASON_HLT) }; __tdx_hypercall(&args);`
    """
    variables = {argument.strip("& ") for argument in (use.call.arguments if use.call else ())}
    for store in use.node.stores:
        target = store.target
        is_leaf = tables.leaf.fullmatch(f"{target.type}.{'.'.join(target.members)}")
        if is_leaf and target.local and target.base in variables:
            constants = [name for name in store.names if name.isupper()]
            return constants[-1] if constants else ""
    return ""


def find_op_calls(code: LinkedCode, tables: Tables, flow: Flow) -> Iterator[OpCall]:
    """Yield the calls of the op; those of a header's inline function are its callers."""
    wrappers = {
        node.name for node in code.nodes if node.header and _find_op_lines(node, tables, flow)
    }
    for node in code.nodes:
        if node.header or node.kind == "assembly":
            continue
        lines = [call.line for call in node.calls if call.name in wrappers]
        for line in sorted({*lines, *_find_op_lines(node, tables, flow)}):
            early = flow.is_early(node, line)
            place = TreeLocation(node.path, line)
            yield OpCall(node.name, place, early, code.find_within(node))


def _find_op_lines(node: Node, tables: Tables, flow: Flow) -> list[int]:
    """Return the lines of a function that call the op through the member that holds it."""
    return [
        call.line
        for call in node.calls
        for access in ([call.access] if call.access else flow.find_operands(node, call))
        if access.members[-1:] == (tables.member,)
    ]


def _list_effects(tables: Tables, use: Use) -> Mapping[Platform, Effect]:
    instruction = use.instruction
    if instruction.form is Form.STATIC_CALL:
        effects = {p: _find_best_effect(tables, instruction.ends, p) for p in Platform}
    elif instruction.form is Form.VARIANT:
        return tables.own_effects[instruction.name]
    else:
        effects = dict(tables.effects[instruction.form])
    if use.spares_tdx:
        effects[Platform.TDX] = _BY_TDCALL
    return effects


def _find_best_effect(tables: Tables, ends: Sequence[Form], platform: Platform) -> Effect:
    """Return the effect of the form that suits a platform best: the kernel selects it.

    xen_hypercall_setfunc() and ms_hyperv_init_platform() select it by processor and isolation.
    """
    effects = [tables.effects[form][platform] for form in ends]
    best = min(effects, key=lambda effect: _BEST_FIRST.index(effect.outcome))
    return replace(best, reason=f"the static call selects the instruction: {best.reason}")
