# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the instructions that call a hypervisor, and the code that uses each of them.

Instructions are recognised by the assembler's text with macros expanded, not by the names of
functions. If an instruction is in an inline function of a header, in a macro or in a .S file, its
uses are the callers, through any number of such functions.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import CallFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.result import Form, Instruction, TreeLocation
from patchgen.audit.static_call_forms import StaticCallForms
from patchgen.audit.static_calls import find_static_calls
from patchgen.audit.tables import FormRule, Tables

# An escape separates instructions; removing it would join the letters around it.
_ESCAPE = re.compile(r"\\[nrt]")
_JOINT = re.compile(r'"\s*"')
_MNEMONICS = (
    r"\bvmm?call|\btdcall|\bsyscall\b|hypercall|0x0f\s*,\s*0x01\s*,\s*0xc|VMWARE_\w*(?:PORT|MAGIC)"
)
_CONSTANT = re.compile(r"[A-Z_][A-Z0-9_]*|[0-9]\w*")
# The protocols of protected guests, which several hypervisors use.
_PROTOCOLS = ("sev", "tdx")
_MAX_TEXT = 60
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Use:
    """A place that makes a hypercall.

    `call` is the call of the function that contains the instruction, None if the instruction is in
    `node` itself. `through` are the functions that lead from there to the instruction. `spares_tdx`
    is set if the called function uses another instruction in a TDX guest.
    """

    node: Node
    line: int
    call: CallFact | None
    name: str
    instruction: Instruction
    spares_tdx: bool
    through: tuple[str, ...] = ()

    @property
    def purpose(self) -> str:
        """Return the first argument as written, which identifies the request, or ""."""
        return self.call.arguments[0] if self.call and self.call.arguments else ""


def find_uses(code: LinkedCode, tables: Tables) -> list[Use]:
    """Return all uses in the code that call a hypervisor, sorted by place."""
    finder = _Finder(code, tables)
    uses = list(finder.find())
    order = sorted(uses, key=lambda use: (use.node.path, use.line, use.name, use.instruction.title))
    unique: dict[tuple[object, ...], Use] = {}
    for use in order:
        key = (use.node.path, use.line, use.node.name, use.name, use.instruction.title)
        unique.setdefault(key, use)
    return list(unique.values())


@dataclass(frozen=True, slots=True)
class _Held:
    """An instruction of a function, which may belong to the callers of the function.

    The other fields are as in a Use. `symbol` is the function in which the instruction is, None
    until an assembler macro is used.
    """

    node: Node
    instruction: Instruction
    spares_tdx: bool = False
    symbol: Node | None = None
    through: tuple[str, ...] = ()


class _Finder:
    """Finds instructions, then walks up from those that belong to their callers."""

    def __init__(self, code: LinkedCode, tables: Tables):
        self._code = code
        self._tables = tables
        self._filter = self._build_filter()
        self._relays: set[Node] = set()

    def _build_filter(self) -> re.Pattern[str]:
        """Return the pattern of an asm to expand: it has a mnemonic or a macro's name."""
        own = [rule.asm.pattern for rule in self._tables.forms if rule.form is Form.VARIANT]
        direct = re.compile("|".join([_MNEMONICS, *own]), re.IGNORECASE)
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
        macros = rf"\b(?:{'|'.join(sorted(upper))})\b"
        return re.compile(f"(?i:{direct.pattern})|{macros}")

    def find(self) -> Iterator[Use]:
        held: list[_Held] = []
        for node in self._code.nodes:
            symbol = _find_symbol(node)
            spares = self._spares_tdx(node)
            held += [_Held(node, found, spares, symbol) for found in self._read(node)]
            held += [_Held(node, found, False, symbol) for found in self._read_named_calls(node)]
        uses = list(self._find_uses(held))
        yield from uses
        if any(rule.form is not Form.VARIANT for rule in self._tables.forms):
            own = [(item.node, item.instruction.form) for item in held]
            used = [(use.node, use.instruction.form) for use in uses]
            yield from self._find_uses(list(self._find_static_calls(own, used)))

    def _find_static_calls(
        self, own: Iterable[tuple[Node, Form]], used: Iterable[tuple[Node, Form]]
    ) -> Iterator[_Held]:
        """Yield the static calls that end in hypercalls."""
        forms = StaticCallForms(
            self._code,
            find_static_calls(self._code, self._tables),
            (pair for pair in own if pair[1] is not Form.VARIANT),
            (pair for pair in used if pair[1] is not Form.VARIANT),
            self._tables.hypercall_page,
        ).forms
        for node in self._code.nodes:
            for call in node.calls:
                name = call.static_call
                if name in forms:
                    instruction = self._build_static_call(node, call.line, name, forms[name])
                    yield _Held(node, instruction, symbol=_find_symbol(node))

    def _build_static_call(
        self, node: Node, line: int, name: str, ends: tuple[Form, ...]
    ) -> Instruction:
        form = ends[0] if len(ends) == 1 else Form.STATIC_CALL
        hypervisor = self._find_hypervisor(f"{node.path} {node.name}")
        place = TreeLocation(node.path, line)
        return Instruction(node.name, place, form, hypervisor, f"static_call({name})", ends)

    def _read_named_calls(self, node: Node) -> Iterator[Instruction]:
        """Yield the calls of functions that a variant's audit.toml names."""
        for rule in self._tables.calls:
            for call in node.calls:
                if rule.functions.fullmatch(call.name):
                    place = TreeLocation(node.path, call.line)
                    text = f"{call.name}({', '.join(call.arguments)})"
                    yield Instruction(
                        node.name, place, Form.VARIANT, "", text[:_MAX_TEXT], name=rule.name
                    )

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
                rule = self._match(node, text, operands)
                if rule is not None:
                    yield self._instruction(node, line, text, rule)

    def _match(self, node: Node, text: str, operands: str) -> FormRule | None:
        assembly = node.kind == "assembly"
        expanded = text if assembly else self._code.expand(text)
        joined = _ESCAPE.sub(" ", _JOINT.sub("", expanded)).lower()
        for rule in self._tables.forms:
            if assembly and rule.operands is not None:
                continue
            if rule.files is not None and not rule.files.search(node.path):
                continue
            if rule.asm.search(joined) and (
                rule.operands is None or rule.operands.search(expanded + operands + text)
            ):
                return rule
        return None

    def _instruction(self, node: Node, line: int, text: str, rule: FormRule) -> Instruction:
        hypervisor = rule.hypervisor
        if not hypervisor and rule.form is not Form.VARIANT:
            hypervisor = self._find_hypervisor(f"{node.path} {node.name}")
        shortened = " ".join(text.replace('"', "").split())
        return Instruction(
            node.name,
            TreeLocation(node.path, line),
            rule.form,
            hypervisor,
            shortened[:_MAX_TEXT],
            name=rule.name,
        )

    def _find_hypervisor(self, text: str) -> str:
        for name, pattern in self._tables.hypervisors:
            if pattern.search(text):
                return name
        return ""

    def _find_uses(self, held: Sequence[_Held]) -> Iterator[Use]:
        """Yield the uses of instructions, through functions compiled into their callers."""
        callers = self._find_callers({item.node for item in held})
        queue = deque(held)
        seen: set[tuple[Node, Instruction]] = set()
        while queue:
            item = queue.popleft()
            if (item.node, item.instruction) in seen:
                continue
            seen.add((item.node, item.instruction))
            users = callers.get(item.node, ()) if self._is_passed_on(item.node) else ()
            if not users and not item.node.header:
                line = item.instruction.place.line
                yield Use(
                    item.symbol or item.node, line, None, "", item.instruction, item.spares_tdx
                )
            for caller, call in users:
                if self._is_passed_on(caller):
                    queue.append(self._pass_on(item, caller))
                else:
                    yield self._build_use(item, caller, call)

    def _pass_on(self, held: _Held, caller: Node) -> _Held:
        spares = held.spares_tdx or self._spares_tdx(caller)
        through = (held.node.name, *held.through)
        return _Held(caller, held.instruction, spares, held.symbol or caller, through)

    def _build_use(self, held: _Held, caller: Node, call: CallFact) -> Use:
        instruction = self._replace_hypervisor(held.instruction, caller)
        name, spares = held.node.name, held.spares_tdx
        return Use(caller, call.line, call, name, instruction, spares, held.through)

    def _is_passed_on(self, node: Node) -> bool:
        """Return whether its instructions are its callers': inline, a macro, assembly, a relay."""
        return node.header or node.kind == "assembly" or node in self._relays

    def _replace_hypervisor(self, instruction: Instruction, user: Node) -> Instruction:
        """Return an instruction of a protocol with the hypervisor whose code uses it.

        VMGEXIT() of arch/x86/hyperv/ivm.c calls Hyper-V, by the GHCB protocol.
        """
        if instruction.hypervisor not in _PROTOCOLS:
            return instruction
        hypervisor = self._find_hypervisor(user.path)
        return replace(instruction, hypervisor=hypervisor or instruction.hypervisor)

    def _find_callers(self, holders: Set[Node]) -> dict[Node, list[tuple[Node, CallFact]]]:
        """Return the callers of functions whose instructions belong to their callers."""
        callers: dict[Node, list[tuple[Node, CallFact]]] = {}
        frontier = {node for node in holders if self._is_passed_on(node)}
        seen = set(frontier)
        for _ in range(_MAX_DEPTH):
            following: set[Node] = set()
            for caller, call, target in self._list_calls(frontier):
                callers.setdefault(target, []).append((caller, call))
                if target.kind == "assembly" and _relays(caller, call):
                    self._relays.add(caller)
                if self._is_passed_on(caller) and caller not in seen:
                    following.add(caller)
            if not following:
                break
            seen |= following
            frontier = following
        return callers

    def _list_calls(self, targets: Set[Node]) -> Iterator[tuple[Node, CallFact, Node]]:
        """Yield the calls of some functions by other functions: caller, call, function."""
        names = {node.name for node in targets}
        for caller in self._code.nodes:
            for call in caller.calls:
                if call.name in names:
                    for target in self._resolve(caller, call):
                        if target in targets and target is not caller:
                            yield caller, call, target

    def _resolve(self, caller: Node, call: CallFact) -> Sequence[Node]:
        targets = self._code.resolve(caller.path, call.name, call.line)
        if not targets and caller.kind == "assembly":
            # An assembler macro is defined in an included file, possibly of another folder.
            return self._code.find_nodes(call.name)
        return targets


def _find_symbol(node: Node) -> Node | None:
    """Return the symbol with a node's code, None for an assembler macro."""
    return None if node.kind == "assembly" and node.static else node


def _relays(function: Node, call: CallFact) -> bool:
    """Return whether a function passes all its parameters on to a function in assembly.

    `__tdx_hypercall(args)` calls `__tdcall_saved_ret(TDG_VP_VMCALL, args)`: its callers choose the
    request.
    """
    arguments = [argument for argument in call.arguments if not _CONSTANT.fullmatch(argument)]
    return (
        function.kind == "function"
        and bool(function.parameters)
        and sorted(arguments) == sorted(function.parameters)
    )
