# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls of a kernel: each use of an instruction, with its route and its effects.

Instructions are recognised by the assembler's text with macros expanded, not by the names of
functions. If an instruction is in an inline function of a header, in a macro or in a .S file, the
sites are the callers, through any number of such functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import CallFact
from patchgen.audit.flow import Flow
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.paths import Routes
from patchgen.audit.result import (
    Effect,
    EffectOutcome,
    Hypercall,
    Instruction,
    OpCall,
    Platform,
    TreeLocation,
)
from patchgen.audit.tables import FormRule, Tables

# An escape separates instructions; removing it would join the letters around it.
_ESCAPE = re.compile(r"\\[nrt]")
_JOINT = re.compile(r'"\s*"')
_MAX_TEXT = 60
_MAX_DEPTH = 8

_SPARED = Effect(EffectOutcome.WORKS, "a TDX guest makes the call by TDCALL instead")


def find_hypercalls(
    code: LinkedCode, tables: Tables, flow: Flow, routes: Routes, unrouted: Routes
) -> list[Hypercall]:
    """Return all hypercalls, early or not, sorted by place.

    `unrouted` are the routes that do not go through the op.
    """
    return [
        _build_hypercall(code, tables, flow, use, routes, unrouted)
        for use in find_uses(code, tables)
    ]


def _build_hypercall(
    code: LinkedCode, tables: Tables, flow: Flow, use: Use, routes: Routes, unrouted: Routes
) -> Hypercall:
    early = routes.find(use.node) if flow.is_early(use.node, use.line) else None
    bypass = unrouted.find(use.node) if early else None
    purpose = use.call.arguments[0] if use.call and use.call.arguments else ""
    return Hypercall(
        function=use.node.name,
        place=TreeLocation(use.node.path, use.line),
        call=use.name,
        purpose=purpose,
        instruction=use.instruction,
        early=early,
        routed=early is not None and bypass is None,
        unrouted=bypass,
        effects=_list_effects(tables, use),
        config=code.describe_condition(use.node.path, use.line),
        within=code.find_within(use.node) if early else (),
    )


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
    effects = dict(tables.effects[use.instruction.form])
    if use.spares_tdx:
        effects[Platform.TDX] = _SPARED
    return effects


@dataclass(frozen=True, slots=True)
class Use:
    """A place that makes a hypercall.

    `call` is the call of the function that contains the instruction, None if the instruction is in
    `node` itself. `spares_tdx` is set if the called function takes another path in a TDX guest.
    """

    node: Node
    line: int
    call: CallFact | None
    name: str
    instruction: Instruction
    spares_tdx: bool


def find_uses(code: LinkedCode, tables: Tables) -> list[Use]:
    """Return all uses in the code that call a hypervisor, sorted by place."""
    finder = _Finder(code, tables)
    uses = list(finder.find())
    order = sorted(uses, key=lambda use: (use.node.path, use.line, use.name, use.instruction.form))
    unique: dict[tuple[object, ...], Use] = {}
    for use in order:
        key = (use.node.path, use.line, use.node.name, use.name, use.instruction.form)
        unique.setdefault(key, use)
    return list(unique.values())


class _Finder:
    """Finds instructions, then walks up from those that belong to their callers."""

    def __init__(self, code: LinkedCode, tables: Tables):
        self._code = code
        self._tables = tables
        self._filter = self._build_filter()

    def _build_filter(self) -> re.Pattern[str]:
        """Return the pattern of an asm to expand: it has a mnemonic or a macro's name."""
        direct = re.compile(
            r"(?i)\bvmm?call|\btdcall|hypercall|0x0f\s*,\s*0x01\s*,\s*0xc|VMWARE_\w*(?:PORT|MAGIC)"
        )
        names = {
            name for name, body in self._code.texts.items() if direct.search(_ESCAPE.sub(" ", body))
        }
        for _ in range(3):
            names |= {
                name
                for name, body in self._code.texts.items()
                if name not in names
                and len(body) < 1500
                and '"' not in body
                and names.intersection(IDENTIFIER.findall(body))
            }
        upper = [re.escape(name) for name in names if name.isupper() or name.startswith("__")]
        return re.compile("|".join([direct.pattern, rf"\b(?:{'|'.join(sorted(upper))})\b"]))

    def find(self) -> Iterator[Use]:
        holders: dict[Node, list[tuple[Instruction, bool]]] = {}
        for node in self._code.nodes:
            for instruction in self._read(node):
                holders.setdefault(node, []).append((instruction, self._spares_tdx(node)))
        yield from self._find_uses(holders)

    def _spares_tdx(self, node: Node) -> bool:
        return bool(node.calls) and any("TDX_GUEST" in name for name in node.identifiers)

    def _read(self, node: Node) -> Iterator[Instruction]:
        texts: list[tuple[int, str, str]] = [(a.line, a.text, a.operands) for a in node.asms]
        if node.kind == "macro" and "asm" in node.body:
            _, _, asm = node.body.partition("asm")
            texts.append((node.line, asm, asm))
        for line, written, operands in texts:
            text = _ESCAPE.sub(" ", written)
            if self._filter.search(text) or self._filter.search(operands):
                rule = self._match(text, operands, assembly=node.kind == "assembly")
                if rule is not None:
                    yield self._instruction(node, line, text, rule)

    def _match(self, text: str, operands: str, *, assembly: bool) -> FormRule | None:
        expanded = text if assembly else self._code.expand(text)
        joined = _ESCAPE.sub(" ", _JOINT.sub("", expanded)).lower()
        for rule in self._tables.forms:
            if assembly and rule.operands is not None:
                continue
            if rule.asm.search(joined) and (
                rule.operands is None or rule.operands.search(expanded + operands + text)
            ):
                return rule
        return None

    def _instruction(self, node: Node, line: int, text: str, rule: FormRule) -> Instruction:
        hypervisor = rule.hypervisor or self._find_hypervisor(f"{node.path} {node.name}")
        shortened = " ".join(text.replace('"', "").split())
        return Instruction(
            node.name, TreeLocation(node.path, line), rule.form, hypervisor, shortened[:_MAX_TEXT]
        )

    def _find_hypervisor(self, text: str) -> str:
        for name, pattern in self._tables.hypervisors:
            if pattern.search(text):
                return name
        return ""

    def _find_uses(
        self, holders: Mapping[Node, Sequence[tuple[Instruction, bool]]]
    ) -> Iterator[Use]:
        """Yield the uses of instructions, through functions compiled into their callers."""
        instructions = {node: list(in_node) for node, in_node in holders.items()}
        todo = list(instructions)
        callers = self._find_callers(instructions)
        seen: set[tuple[Node, Instruction]] = set()
        while todo:
            node = todo.pop(0)
            for instruction, spares in instructions[node]:
                if (node, instruction) in seen:
                    continue
                seen.add((node, instruction))
                if not _is_passed_on(node):
                    if node in holders and (instruction, spares) in holders[node]:
                        yield Use(node, instruction.place.line, None, "", instruction, spares)
                    continue
                users = callers.get(node, [])
                if not users and node.kind == "assembly":
                    yield Use(node, instruction.place.line, None, "", instruction, spares)
                for caller, call in users:
                    if _is_passed_on(caller):
                        instructions.setdefault(caller, []).append(
                            (instruction, spares or self._spares_tdx(caller))
                        )
                        todo.append(caller)
                    else:
                        yield Use(caller, call.line, call, node.name, instruction, spares)

    def _find_callers(
        self, holders: Mapping[Node, object]
    ) -> dict[Node, list[tuple[Node, CallFact]]]:
        """Return the callers of functions whose instructions belong to their callers."""
        callers: dict[Node, list[tuple[Node, CallFact]]] = {}
        frontier = {node for node in holders if _is_passed_on(node)}
        seen = set(frontier)
        for _ in range(_MAX_DEPTH):
            names = {node.name for node in frontier}
            following: set[Node] = set()
            for caller in self._code.nodes:
                for call in caller.calls:
                    if call.name not in names:
                        continue
                    for target in self._resolve(caller, call):
                        if target in frontier and target is not caller:
                            callers.setdefault(target, []).append((caller, call))
                            if _is_passed_on(caller) and caller not in seen:
                                following.add(caller)
            if not following:
                break
            seen |= following
            frontier = following
        return callers

    def _resolve(self, caller: Node, call: CallFact) -> Sequence[Node]:
        targets = self._code.resolve(caller.path, call.name, call.line)
        if not targets and caller.kind == "assembly":
            # An assembler macro is defined in an included file, possibly of another folder.
            return self._code.find_nodes(call.name)
        return targets


def _is_passed_on(node: Node) -> bool:
    """Return whether its instructions belong to its callers: inline, a macro, or assembly."""
    return node.header or node.kind == "assembly"
