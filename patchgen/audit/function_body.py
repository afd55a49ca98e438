# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a function's body: its calls and stores, and whether it passes addresses on."""

from __future__ import annotations

import re
from collections.abc import Sequence

import tree_sitter

from patchgen.audit.branch_conditions import Guards, descend
from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import Access, CallFact, Guard, StoreFact, access_static_call
from patchgen.audit.syntax import (
    LEAVES,
    line_of,
    names_in,
    read_declarator,
    read_initialiser,
    shorten,
    text_of,
    type_name,
)

# Calls that evaluate to their argument, or to what it points to.
_READERS = """
    this_cpu_ptr per_cpu_ptr per_cpu raw_cpu_ptr this_cpu_read get_cpu_ptr READ_ONCE
    rcu_dereference rcu_dereference_raw rcu_dereference_check rcu_dereference_sched
    rcu_dereference_protected smp_load_acquire rcu_access_pointer __this_cpu_read raw_cpu_read
    get_cpu_var likely unlikely ACCESS_PRIVATE RELOC_HIDE fixup_pointer rip_rel_ptr
"""
_TRANSPARENT = frozenset(_READERS.split())
_CONTAINER = frozenset(
    ["container_of", "list_entry", "list_first_entry", "hlist_entry", "rb_entry"]
)
_CONVERSION = re.compile(r"_to_|addr|__pa|__va|PAGE_|ALIGN|pfn|round_|PFN|pgprot|pte|min|max|PTR")
# A pointer to a struct is not an address of pages, except for `struct page *`.
_ADDRESS_TYPES = re.compile(
    r"\b(?:void|char|u8|struct page|const)\s*\*|unsigned long"
    r"|\b(?:u64|phys_addr_t|dma_addr_t|pte_t|pgd_t|pgprot_t|uintptr_t|ulong|pmd_t|pud_t)\b"
)
# The part of an expression that names the same object as the whole expression.
_PARTS = {
    "subscript_expression": "argument",
    "pointer_expression": "argument",
    "conditional_expression": "consequence",
}
_PLAIN_VALUES = """
    binary_expression false null number_literal string_literal true update_expression
"""
_NO_FUNCTIONS = frozenset(_PLAIN_VALUES.split())
_PLAIN_NAME = re.compile(r"(?<![\w.>])[A-Za-z_]\w*+(?!\s*(?:->|\.|\[|\())")
_FLAG_TYPES = frozenset(["bool", "int", "_Bool", "unsigned int"])
# include/linux/static_call.h
_STATIC_CALLS = frozenset(["static_call", "static_call_mod", "static_call_cond"])
_TEXTS = frozenset(["string_literal", "concatenated_string"])
# include/linux/cleanup.h: `guard(mutex)(&lock)` calls class_mutex_constructor(&lock).
_GUARDS = frozenset(["guard", "CLASS", "ACQUIRE"])
_SCOPED_GUARDS = frozenset(["scoped_guard", "scoped_cond_guard", "scoped_class"])
_MAX_ARGUMENTS = 5
_MAX_TEXT = 200
_MAY_PASS = frozenset(
    ["identifier", "pointer_expression", "cast_expression", "conditional_expression"]
)


class FunctionBody:
    """The facts of a function's body, read when it is constructed."""

    def __init__(self, node: tree_sitter.Node, body: tree_sitter.Node):
        self.calls: list[CallFact] = []
        self.stores: list[StoreFact] = []
        self.identifiers: set[str] = set()
        self._types: dict[str, str] = {}
        self._derived: set[str] = set()
        self._addresses: set[str] = set()
        self._aliases: dict[str, Access] = {}
        self._parameters: set[str] = set()
        self._functions: set[str] = set()
        self._flows: list[tuple[str, frozenset[str]]] = []
        self._first_sources: dict[int, frozenset[str]] = {}
        self.parameters: list[str] = []
        self.guards: list[Guard] = []
        self._numbers: dict[Guard, int] = {}
        self._flags: set[str] = set()
        self._assigned_values: dict[str, list[str]] = {}
        self._read_parameters(node.child_by_field_name("declarator"))
        self._walk(body)
        self._find_derived()
        self.identifiers -= self._types.keys()

    def _read_parameters(self, node: tree_sitter.Node | None) -> None:
        while node is not None and node.type != "function_declarator":
            node = node.child_by_field_name("declarator")
        parameters = node.child_by_field_name("parameters") if node is not None else None
        for child in parameters.named_children if parameters is not None else ():
            if child.type != "parameter_declaration":
                continue
            name, function = read_declarator(child.child_by_field_name("declarator"))
            self.parameters.append(name)
            if name:
                kind = child.child_by_field_name("type")
                self._parameters.add(name)
                if kind is not None and text_of(kind) in _FLAG_TYPES:
                    self._flags.add(name)
                self._types[name] = "()" if function else type_name(kind)
                if function or (kind is not None and kind.type == "type_identifier"):
                    self._functions.add(name)
                if _ADDRESS_TYPES.search(text_of(child)) and not function:
                    self._derived.add(name)

    def _walk(self, node: tree_sitter.Node) -> None:
        stack: list[tuple[tree_sitter.Node, Guards]] = [(node, ())]
        while stack:
            current, guards = stack.pop()
            kind = current.type
            if kind == "identifier":
                self.identifiers.add(text_of(current))
                continue
            if kind in LEAVES:
                continue
            if kind == "call_expression":
                callee = current.child_by_field_name("function")
                arguments = current.child_by_field_name("arguments")
                if callee is not None and arguments is not None:
                    self._read_call(callee, arguments, guards)
                if callee is not None and callee.type == "identifier":
                    if arguments is not None:
                        stack.append((arguments, guards))
                    continue
            elif kind == "declaration":
                self._read_declaration(current, guards)
            elif kind == "assignment_expression":
                self._read_assignment(current, guards)
            elif kind == "compound_literal_expression":
                self._read_literal(current)
            stack.extend(reversed(descend(current, kind, guards)))

    def _number_guards(self, guards: Guards) -> tuple[int, ...]:
        """Return the numbers of the conditions that can distinguish platforms or callers."""
        numbers = []
        for guard in guards:
            if guard not in self._numbers and self._depends_on_input(guard.text):
                self._numbers[guard] = len(self.guards)
                self.guards.append(guard)
            if guard in self._numbers:
                numbers.append(self._numbers[guard])
        return tuple(numbers)

    def _depends_on_input(self, text: str) -> bool:
        """Return whether a condition depends on more than values that the function computes."""
        return not text or any(
            name not in self._types or name in self._flags or name in self._assigned_values
            for name in IDENTIFIER.findall(text)
        )

    def _read_declaration(self, node: tree_sitter.Node, guards: Guards) -> None:
        kind = type_name(node.child_by_field_name("type"))
        is_address = _ADDRESS_TYPES.search(text_of(node)) is not None
        for child in node.children_by_field_name("declarator"):
            name, function = read_declarator(child)
            if not name:
                continue
            self._types[name] = "()" if function else kind
            if is_address and not function:
                self._addresses.add(name)
            value = child.child_by_field_name("value") if child.type == "init_declarator" else None
            if value is None:
                continue
            self._assigned_values.setdefault(name, []).append(shorten(value, _MAX_TEXT))
            self._follow(name, value)
            if value.type == "initializer_list" or function or value.type == "identifier":
                target = Access(name, self._types[name], (), local=True)
                under = self._number_guards(guards)
                stores = read_initialiser(value, target)
                self.stores.extend(store._replace(under=under) for store in stores)

    def _read_literal(self, node: tree_sitter.Node) -> None:
        descriptor = node.child_by_field_name("type")
        kind = descriptor.child_by_field_name("type") if descriptor is not None else None
        value = node.child_by_field_name("value")
        if value is not None:
            self.stores.extend(read_initialiser(value, Access("", type_name(kind), (), local=True)))

    def _read_assignment(self, node: tree_sitter.Node, guards: Guards) -> None:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        if left is None or right is None:
            return
        if left.type == "identifier":
            name = text_of(left)
            self._follow(name, right)
            self._forget(name)
            self._assigned_values.setdefault(name, []).append(shorten(right, _MAX_TEXT))
        if right.type in _NO_FUNCTIONS:
            return
        target = self._read_access(left)
        values = names_in(right)
        names = tuple(name for name in values if name not in self._types)
        parameters = tuple(name for name in values if name in self._functions)
        if target is not None and (names or parameters):
            under = self._number_guards(guards)
            self.stores.append(StoreFact(line_of(node), target, names, under, parameters))

    def _forget(self, name: str) -> None:
        """Record that a parameter no longer holds the caller's argument."""
        if name in self._parameters:
            self.parameters = ["" if other == name else other for other in self.parameters]

    def _follow(self, name: str, value: tree_sitter.Node) -> None:
        """Record what a local variable is assigned: addresses from parameters, and accesses."""
        if name in self._types and (sources := self._find_sources(value)):
            self._flows.append((name, sources))
        if value.type in (
            "field_expression",
            "identifier",
            "subscript_expression",
            "call_expression",
        ):
            access = self._read_access(value)
            if access is not None and access.base != name:
                self._aliases[name] = access

    def _find_sources(self, value: tree_sitter.Node) -> frozenset[str]:
        """Return the local names that an address derives from, through conversions if called."""
        sources = set()
        stack = [value]
        while stack:
            node = stack.pop()
            kind = node.type
            if kind == "identifier":
                name = text_of(node)
                if name in self._types:
                    sources.add(name)
                continue
            if kind in LEAVES:
                continue
            if kind == "call_expression":
                callee = node.child_by_field_name("function")
                if callee is None or not _CONVERSION.search(text_of(callee)):
                    continue
            stack.extend(node.named_children)
        return frozenset(sources)

    def _find_derived(self) -> None:
        """Find all locals that derive from parameters, independent of the order of assignments."""
        has_grown = True
        while has_grown:
            derived = {
                name for name, sources in self._flows if not self._derived.isdisjoint(sources)
            }
            has_grown = not derived <= self._derived
            self._derived |= derived
        self._resolve_guards()
        for number, sources in self._first_sources.items():
            if not self._derived.isdisjoint(sources):
                self.calls[number] = self.calls[number]._replace(forwards=True)

    def _resolve_guards(self) -> None:
        """Replace local variables that are assigned once by the expression assigned to them.

        A variable before `->`, `.`, `[` or `(` is not replaced: the condition is not on its value.
        """
        single_values = {
            name: f"({values[0]})"
            for name, values in self._assigned_values.items()
            if len(values) == 1 and name in self._types and name not in self._parameters
        }
        for number, guard in enumerate(self.guards if single_values else ()):
            text = _PLAIN_NAME.sub(lambda match: single_values.get(match[0], match[0]), guard.text)
            if len(text) <= 2 * _MAX_TEXT:
                self.guards[number] = guard._replace(text=text)

    def _read_call(
        self, callee: tree_sitter.Node, arguments: tree_sitter.Node, guards: Guards
    ) -> None:
        argument_nodes = [child for child in arguments.named_children if child.type != "comment"]
        passed = [
            name
            for argument in argument_nodes
            if argument.type in _MAY_PASS
            for name in names_in(argument)
            if name not in self._types
        ]
        while callee.type == "parenthesized_expression" and callee.named_children:
            callee = callee.named_children[0]
        kind = callee.type
        if kind in _TEXTS:
            return  # `"=r" (value)`, an operand of inline assembly
        called = text_of(callee) if kind == "identifier" else ""
        name = _read_guard(callee) if kind == "call_expression" else called
        access = None
        if not name or called in self._types:
            name, access = "", self._read_pointer(callee)
        under = self._number_guards(guards)
        self.calls.append(
            CallFact(
                line_of(callee),
                name,
                access,
                tuple(shorten(argument) for argument in argument_nodes[:_MAX_ARGUMENTS]),
                tuple(passed),
                False,
                under,
            )
        )
        if called in _SCOPED_GUARDS and argument_nodes:
            name = _name_constructor(argument_nodes[0])
            self.calls.append(CallFact(line_of(callee), name, under=under))
        self._follow_arguments(argument_nodes)

    def _follow_arguments(self, arguments: Sequence[tree_sitter.Node]) -> None:
        """Record what the first argument of the last call derives from, and the results of that."""
        sources = self._find_sources(arguments[0]) if arguments else None
        if not sources:
            return
        self._first_sources[len(self.calls) - 1] = sources
        # lookup_mapped_pages(vaddr, &pfn): the pages of an address are stored in an argument.
        results = {
            text_of(argument) for argument in arguments[1:] if argument.type == "pointer_expression"
        }
        self._flows += [(name, sources) for name in self._addresses if f"&{name}" in results]

    def _read_pointer(self, callee: tree_sitter.Node) -> Access:
        """Return the access of a call; that of a local variable is the access assigned to it."""
        access = self._read_access(callee)
        if access is None:
            return Access("?", "", ())
        if access.local and not access.members:
            if access.base in self._aliases:
                return self._aliases[access.base]
            if access.base in self._parameters:
                return access._replace(type="(parameter)")
        return access

    def _read_access(self, node: tree_sitter.Node) -> Access | None:
        """Return the variable or member that an expression names, None for other expressions."""
        match node.type:
            case "identifier":
                name = text_of(node)
                return Access(name, self._types.get(name, ""), (), local=name in self._types)
            case "field_expression":
                member = text_of(node.child_by_field_name("field") or node)
                inner = self._read_part(node, "argument") or Access("?", "", ())
                return inner._replace(members=(*inner.members, member))
            case "cast_expression":
                return self._read_cast(node)
            case "call_expression":
                return self._read_result(node)
        return self._read_part(node, _PARTS.get(node.type, ""))

    def _read_part(self, node: tree_sitter.Node, name: str) -> Access | None:
        """Return the access in a named part of an expression, or inside its parentheses."""
        if node.type == "parenthesized_expression":
            return self._read_access(node.named_children[0]) if node.named_children else None
        part = node.child_by_field_name(name) if name else None
        return self._read_access(part) if part is not None else None

    def _read_cast(self, node: tree_sitter.Node) -> Access | None:
        descriptor = node.child_by_field_name("type")
        kind = descriptor.child_by_field_name("type") if descriptor is not None else None
        if type_name(kind):
            return Access("", type_name(kind), (), local=True)
        value = node.child_by_field_name("value")
        return self._read_access(value) if value is not None else None

    def _read_result(self, node: tree_sitter.Node) -> Access | None:
        callee = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        if callee is None or callee.type != "identifier" or arguments is None:
            return None
        name, argument_nodes = text_of(callee), arguments.named_children
        if name in _TRANSPARENT and argument_nodes:
            return self._read_access(argument_nodes[0])
        if name in _CONTAINER and len(argument_nodes) > 1:
            identifiers = re.findall(r"\w+", text_of(argument_nodes[1]))
            return Access("", identifiers[-1] if identifiers else "", (), local=True)
        if name in _STATIC_CALLS and argument_nodes:
            return access_static_call(text_of(argument_nodes[0]))
        return Access(name, "", (), called=True)


def _read_guard(callee: tree_sitter.Node) -> str:
    """Return the function that `guard(mutex)(&lock)` calls, "" for other calls."""
    macro = callee.child_by_field_name("function")
    names = callee.child_by_field_name("arguments")
    if macro is None or names is None or text_of(macro) not in _GUARDS or not names.named_children:
        return ""
    return _name_constructor(names.named_children[0])


def _name_constructor(name: tree_sitter.Node) -> str:
    return f"class_{text_of(name)}_constructor"
