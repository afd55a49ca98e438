# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what the window reaches: follow calls from the entries, and pointers once they are assigned.

A function is reached through a pointer only after the assignment is reached: in a function that
stores it, or in the initialiser of a variable that a reached function refers to (rapid type
analysis, Bacon and Sweeney, OOPSLA 1996, with structs for classes). So a function that an initcall
installs is not early.
"""

from __future__ import annotations

import re
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from patchgen.audit.assembly import LOADED
from patchgen.audit.facts import Access, CallFact, StoreFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Key, Node, StaticVariable
from patchgen.audit.notifier_chains import ANY_NOTIFIER, ASSIGNED_NOTIFIER, NotifierChains
from patchgen.audit.passed_functions import PassedFunctions
from patchgen.audit.paths import Edge, Install, PointerCall
from patchgen.audit.pointers import Pointers
from patchgen.audit.result import EdgeKind
from patchgen.audit.static_calls import find_updates
from patchgen.audit.tables import Tables
from patchgen.audit.window_roots import add_aliases, list_registered, list_section_variables

_OPERAND = re.compile(r"\b[a-z_]\w*(?:\.\w+)+")
_MEMBER_PATH = re.compile(r"\(?&?[A-Za-z_]\w*\)?(?:(?:->|\.)(?:\w+(?:->|\.))*)(\w+)")
_MEMBERS = re.compile(r"[a-z_]\w*(?:\.\w+)*")


class Flow:
    """Follows the window to its end; `edges` and `unresolved` are the result."""

    def __init__(self, code: LinkedCode, tables: Tables, limits: Mapping[Node, int]):
        self._code = code
        self._tables = tables
        self._limits = limits
        self.edges: dict[Node, list[Edge]] = {}
        self.unread: set[str] = set()
        self._tables_of_functions = frozenset(r.table for r in tables.registered if r.table)
        self._queue: deque[Node] = deque()
        self._reached_variables: set[StaticVariable] = set()
        # Without a cycle, the last reference frees the flow, and all code that it refers to.
        self.pointers = Pointers(partial(Flow._link, weakref.proxy(self)))
        self._unknown: list[PointerCall] = []
        self._roots: dict[str, str | None] = {}
        self._connected: dict[tuple[Node, int, Node], int] = {}
        self._passed = PassedFunctions(code, tables, frozenset(self._list_called_keys()))
        self._chains = NotifierChains(code, tables)
        add_aliases(code, tables)
        for root in list_registered(code, tables):
            self.pointers.store(root.key, root.function, root.kind, root.via)
        for datum in list(list_section_variables(code, tables)):
            self._reach_variable(datum)

    def _list_called_keys(self) -> Iterator[Key]:
        """Yield the members that any code calls, reached or not."""
        for node in self._code.nodes:
            for call in node.calls:
                accesses = [call.access] if call.access else self.find_operands(node, call)
                for access in accesses:
                    if key := self._code.find_key(node.path, access):
                        yield key

    # --- following --------------------------------------------------------------------------------

    def run(self, entries: Iterable[Node]) -> None:
        """Follow everything from these functions on."""
        for entry in entries:
            self._reach(entry)
        while self._queue:
            self._visit(self._queue.popleft())

    @property
    def unresolved(self) -> list[PointerCall]:
        """Return the pointer calls without a target, sorted by place."""
        unassigned = self.pointers.list_unassigned()
        unresolved = [
            *self._unknown,
            *(
                call
                for call in unassigned
                if call.key and self._may_hold_function(call.key) and not call.is_loaded
            ),
        ]
        return sorted(unresolved, key=lambda call: (call.node.path, call.line, call.via))

    def list_unread(self) -> tuple[str, ...]:
        """Return the names that early code calls and no file defines, sorted."""
        return tuple(sorted(name for name in self.unread if not self._code.is_macro(name)))

    def _may_hold_function(self, key: Key) -> bool:
        # A chain without notifiers calls nothing.
        return key[0] != "chain" and not self._code.is_plain(key)

    def _reach(self, node: Node) -> None:
        if node not in self.edges and node.name not in self._tables.never:
            self.edges[node] = []
            self._queue.append(node)

    def _connect(self, edge: Edge) -> None:
        if edge.target.name in self._tables.never:
            return
        edges = self.edges[edge.source]
        key = (edge.source, edge.line, edge.target)
        if key in self._connected:
            # Two calls on a line: keep the guards that both share, and the member if both agree.
            at = self._connected[key]
            first = edges[at]
            both = tuple(guard for guard in first.under if guard in edge.under)
            member = first.member if first.member == edge.member else ""
            edges[at] = replace(first, under=both, member=member)
            return
        self._connected[key] = len(edges)
        edges.append(edge)
        self._reach(edge.target)

    def _visit(self, node: Node) -> None:
        limit = self._limits.get(node)
        for call in node.calls:
            if self.is_in_window(node, call.line):
                self._follow(node, call)
        for store in node.stores:
            if limit is None or store.line < limit:
                self._visit_store(node, store)
        for identifier in node.identifiers:
            self._visit_identifier(node, identifier)

    def _visit_store(self, node: Node, store: StoreFact) -> None:
        key = self._code.find_key(node.path, store.target)
        for target in self._code.find_stored(node.path, store):
            if key is None:
                via = f"a variable of {node.name}()"
                self._connect(
                    Edge(node, target, store.line, EdgeKind.POINTER, via, under=store.under)
                )
                continue
            by = Install(node, store.under)
            self.pointers.store(key, target, EdgeKind.POINTER, "", by)
            if key[1] == ANY_NOTIFIER[1]:
                self.pointers.store(ASSIGNED_NOTIFIER, target, EdgeKind.POINTER, "", by)

    def _visit_identifier(self, node: Node, identifier: str) -> None:
        for datum in self._code.find_data(node.path, identifier, node.line):
            self._reach_variable(datum, node)
        for name in self._tables.stubs.get(identifier, ()):
            for target in self._code.find_functions(node.path, name):
                self._connect(Edge(node, target, node.line, EdgeKind.POINTER, identifier))
        if identifier in self._tables_of_functions:
            self.pointers.add_call(("table", identifier), PointerCall(node, node.line, identifier))

    def _follow(self, node: Node, call: CallFact) -> None:
        if call.access is not None:
            self._follow_pointer(node, call, call.access)
        else:
            updated = self._update_static_calls(node, call)
            for access in self.find_operands(node, call):
                self._follow_pointer(node, call, access)
            self._follow_called_parameters(node, call)
            self._follow_chains(node, call)
            self._follow_name(node, call)
            if updated:
                return
        for name in call.passed:
            # The passed name may be that of a macro: LOCK_CONTENDED(lock, try, do_raw_lock).
            if targets := self._code.resolve(node.path, name, call.line):
                self._pass(node, call, name, targets)

    def _pass(self, node: Node, call: CallFact, name: str, targets: Sequence[Node]) -> None:
        """Follow a function that a call passes on: to a call, or to where it is stored."""
        uses = self._passed.find(node.path, call, name)
        # A value that the function stores is followed from there.
        stored = uses.is_value and any(name in store.names for store in node.stores)
        for target in targets:
            if uses.called or (uses.is_value and not stored):
                via = f"an argument of {call.name or 'a pointer'}()"
                self._connect(
                    Edge(node, target, call.line, EdgeKind.POINTER, via, under=call.under)
                )
            for key in sorted(uses.keys) if target.kind != "macro" else ():
                self.pointers.store(key, target, EdgeKind.POINTER, "", Install(node, call.under))

    def _follow_called_parameters(self, node: Node, call: CallFact) -> None:
        """Follow what a macro calls by its arguments: members, pointers, names that it joins."""
        called = self._code.find_called_parameters(call.name)
        if called is None or node.kind == "macro":
            return
        for members in called.list_members(call.arguments):
            via = f"{call.name}({members[-1]})"
            if key := self._code.find_key(node.path, Access("", "", members)):
                self.pointers.add_call(key, PointerCall(node, call.line, via, call.under))
        for argument in called.list_functions(call.arguments):
            if match := _MEMBER_PATH.fullmatch(argument):
                key = ("?", match[1])
                self.pointers.add_call(key, PointerCall(node, call.line, argument, call.under))
            elif argument.isidentifier() and argument not in call.passed:
                self._unknown.append(PointerCall(node, call.line, argument))
        for name in called.list_joined(call.arguments):
            self._follow_name(node, call._replace(name=name))

    def _update_static_calls(self, node: Node, call: CallFact) -> bool:
        """Record the new target of a static call; return whether the call updates one."""
        updates = list(find_updates(self._code, node, call))
        for update in updates:
            key = ("static_call", update.name)
            for target in update.functions:
                self.pointers.store(
                    key, target, EdgeKind.STATIC_CALL, "", Install(node, call.under)
                )
            member = None
            if update.access is not None:
                member = self._code.find_key(node.path, update.access)
            if member is not None:
                # The static call calls the function that the member holds.
                self.pointers.forward(key, member)
        return bool(updates)

    def _follow_chains(self, node: Node, call: CallFact) -> None:
        """Follow a call of a notifier chain to the notifiers that the window registers on it."""
        if chain := self._chains.find_called(node, call):
            via = call.arguments[0].strip("& ")
            self.pointers.add_call(chain, PointerCall(node, call.line, via, call.under))
        for registration in self._chains.find_registrations(node, call):
            by = Install(node, call.under)
            for function in registration.functions or ():
                self.pointers.store(registration.chain, function, EdgeKind.POINTER, "", by)
            if registration.functions is None:
                self.pointers.forward(registration.chain, ASSIGNED_NOTIFIER)

    def _follow_name(self, node: Node, call: CallFact) -> None:
        kind = EdgeKind.ASSEMBLY if node.kind == "assembly" else EdgeKind.CALL
        targets = self._code.resolve(node.path, call.name, call.line)
        for target in targets:
            if target is not node:
                self._connect(Edge(node, target, call.line, kind, "", under=call.under))
        if not targets:
            self._follow_unknown(node, call)

    def _follow_unknown(self, node: Node, call: CallFact) -> None:
        """Follow a call by the name of a variable, or of a function that was not read."""
        if node.kind == "assembly" or self._code.is_typedef(call.name):
            return  # the name of an instruction, or a cast
        if self._code.find_data(node.path, call.name):
            self._follow_pointer(node, call, Access(call.name, "", ()))
        elif not call.name.startswith("__builtin_"):
            self.unread.add(call.name)

    def find_operands(self, node: Node, call: CallFact) -> list[Access]:
        """Return the member that a macro calls through, [] for another macro.

        `PVOP_VCALL1(mmu.exit_mmap, mm)`, or with the variable before the member, as in v7.1:
        `PVOP_VCALL1(pv_ops_lock, kick, cpu)`.
        """
        root = self._find_root(call.name)
        if root is None or node.kind == "macro":
            return []
        for name, member in pairwise(call.arguments):
            if name.startswith(root) and _MEMBERS.fullmatch(member):
                return [Access(name, "", tuple(member.split(".")))]
        operands = [match[0] for text in call.arguments for match in _OPERAND.finditer(text)]
        return [Access(root, "", tuple(operand.split("."))) for operand in operands[:1]]

    def _find_root(self, name: str) -> str | None:
        """Return the variable with the members that a macro of a name calls, None for others."""
        if name not in self._roots:
            roots = (root for macro, root in self._tables.member_calls if macro.fullmatch(name))
            self._roots[name] = next(roots, None)
        return self._roots[name]

    def is_in_window(self, node: Node, line: int) -> bool:
        """Return whether a call at a line is followed; the call that ends the window is, too."""
        limit = self._limits.get(node)
        return limit is None or line <= limit

    def is_early(self, node: Node, line: int) -> bool:
        """Return whether a line of a function can run in the window."""
        limit = self._limits.get(node)
        return node in self.edges and (limit is None or line < limit)

    def _follow_pointer(self, node: Node, call: CallFact, access: Access) -> None:
        line = call.line
        if access.type == "(parameter)":
            # The argument was connected at the call that passes it.
            return
        if access.members[-1:] == ANY_NOTIFIER[1:] and self._chains.implements(node):
            # The notifiers were connected at the call of the chain.
            return
        via = access.text
        key = self._code.find_key(node.path, access)
        if key is None:
            # The target in a local variable was connected at the store.
            if not self.is_stored(node, access):
                self._unknown.append(PointerCall(node, line, f"{via}()" if access.called else via))
            return
        is_loaded = access.type == LOADED
        if is_loaded and not self._code.find_data(node.path, access.base):
            return
        self.pointers.add_call(key, PointerCall(node, line, via, call.under, is_loaded=is_loaded))

    def is_stored(self, node: Node, access: Access) -> bool:
        """Return whether a function stores functions in the local variable of a call."""
        return access.local and any(
            store.target.local
            and store.target.base == access.base
            and self._code.find_stored(node.path, store)
            for store in node.stores
        )

    # --- pointers ---------------------------------------------------------------------------------

    def _reach_variable(self, datum: StaticVariable, by: Node | None = None) -> None:
        variable = datum.variable
        if by is not None and variable.type in self._tables.hardware:
            for name in variable.identifiers:
                for target in self._code.find_functions(datum.path, name, datum.line):
                    self._connect(Edge(by, target, by.line, EdgeKind.POINTER, variable.name))
        if datum in self._reached_variables or not variable.identifiers:
            return
        self._reached_variables.add(datum)
        for store in variable.stores:
            key = self._code.find_key(datum.path, store.target)
            if key is None:
                continue
            if by is not None and self._code.is_plain(key):
                self._connect_hidden(by, datum, store)
            for target in self._code.find_stored(datum.path, store):
                self.pointers.store(key, target, EdgeKind.POINTER, "")
        for identifier in variable.identifiers:
            for referenced in self._code.find_data(datum.path, identifier, datum.line):
                self._reach_variable(referenced)

    def _connect_hidden(self, by: Node, datum: StaticVariable, store: StoreFact) -> None:
        """Follow functions that a macro stores in a struct: `= __TIMER_INITIALIZER(f, 0)`."""
        if not any(map(self._tables.deferred.fullmatch, store.names)):
            for target in self._code.find_stored(datum.path, store):
                self._connect(Edge(by, target, by.line, EdgeKind.POINTER, datum.variable.name))

    def _link(self, call: PointerCall, target: Node, key: Key, kind: EdgeKind, via: str) -> None:
        op = key[1] == self._tables.member
        if kind is EdgeKind.PARAM or kind is EdgeKind.INITCALL:
            shown_via = via or call.via
        else:
            kind = EdgeKind.STATIC_CALL if key[0] == "static_call" else kind
            shown_via = call.via
        self._connect(Edge(call.node, target, call.line, kind, shown_via, op, call.under, key[1]))
