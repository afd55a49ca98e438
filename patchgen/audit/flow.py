# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what the window reaches: follow calls from the entries, and pointers once they are assigned.

A function is reached through a pointer only after the assignment is reached: in a function that
stores it, or in the initialiser of a variable that a reached function refers to (rapid type
analysis, Bacon and Sweeney, OOPSLA 1996, with structs for classes). So a function that an initcall
installs is not early.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from patchgen.audit.facts import Access, CallFact, StoreFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Key, Node, StaticVariable
from patchgen.audit.paths import Edge, Install, PointerCall
from patchgen.audit.result import EdgeKind
from patchgen.audit.static_calls import find_updates
from patchgen.audit.tables import Tables

_OPERAND = re.compile(r"\b[a-z_]\w*(?:\.\w+)+")
_MEMBERS = re.compile(r"[a-z_]\w*(?:\.\w+)*")
# A member's name alone is a match if at most this many structs have a member of that name.
_MAX_STRUCTS = 3


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
        self._stores: dict[Key, dict[Node, tuple[EdgeKind, str]]] = {}
        self._by_member: dict[str, set[Key]] = {}
        self._calls: dict[Key, list[PointerCall]] = {}
        self._call_members: dict[Key, set[Key]] = {}
        self._unknown: list[PointerCall] = []
        self._connected: dict[tuple[Node, int, Node], int] = {}
        self._installs: dict[tuple[str, Node], list[Install]] = {}
        self._add_aliases()
        self._register_all()
        self._reach_section_variables()

    # --- reached from the start -------------------------------------------------------------------

    def _add_aliases(self) -> None:
        for path, name, line, arguments in list(self._code.list_invocations()):
            for alias in self._tables.aliases:
                if alias.macro.fullmatch(name) and len(arguments) > alias.function:
                    real = arguments[alias.function].strip()
                    calls = [CallFact(line, callee) for callee in (real, *alias.extra_callees)]
                    for pattern in alias.names:
                        self._code.add_alias(pattern.format(real), path, line, calls)

    def _register_all(self) -> None:
        for path, name, line, arguments in self._code.list_invocations():
            for rule in self._tables.registered:
                if not rule.macro.fullmatch(name) or len(arguments) <= rule.function:
                    continue
                name_of_function = arguments[rule.function].strip("& ")
                for node in self._code.find_functions(path, name_of_function, line):
                    if rule.call is not None:
                        key = ("static_call", arguments[rule.call].strip())
                    else:
                        key = ("table", rule.table) if rule.table else (rule.type, rule.member)
                    via = f"{name}({arguments[0]})" if rule.member else name
                    self._store(key, node, rule.kind, via)

    def _reach_section_variables(self) -> None:
        """Reach variables that no code names: the kernel walks over their section."""
        referenced: set[str] = set()
        for node in self._code.nodes:
            referenced.update(node.identifiers)
        for datum in self._code.list_data():
            referenced.update(
                identifier
                for identifier in datum.variable.identifiers
                if identifier != datum.variable.name
            )
        for _, _, _, arguments in self._code.list_invocations():
            referenced.update(argument.strip("& ") for argument in arguments)
        for datum in list(self._code.list_data()):
            if datum.variable.stores and datum.variable.name not in referenced:
                self._reach_variable(datum)
        for path, macro, line, arguments in self._code.list_invocations():
            for argument in arguments if self._tables.wakes.fullmatch(macro) else ():
                name = argument.strip("& ")
                if name.isidentifier():
                    for datum in self._code.find_data(path, name, line):
                        self._reach_variable(datum)

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
        unresolved = list(self._unknown)
        for key, calls in self._calls.items():
            if not any(self._find_stored_keys(key)) and not self._code.is_plain(key):
                unresolved += [replace(call, key=key) for call in calls]
        return sorted(unresolved, key=lambda call: (call.node.path, call.line, call.via))

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
        for name in store.names:
            for target in self._code.find_functions(node.path, name, store.line):
                if key is None:
                    via = f"a variable of {node.name}()"
                    self._connect(
                        Edge(node, target, store.line, EdgeKind.POINTER, via, under=store.under)
                    )
                else:
                    by = Install(node, store.under)
                    self._store(key, target, EdgeKind.POINTER, "", by)

    def _visit_identifier(self, node: Node, identifier: str) -> None:
        for datum in self._code.find_data(node.path, identifier, node.line):
            self._reach_variable(datum, node)
        for name in self._tables.stubs.get(identifier, ()):
            for target in self._code.find_functions(node.path, name):
                self._connect(Edge(node, target, node.line, EdgeKind.POINTER, identifier))
        if identifier in self._tables_of_functions:
            self._add_pointer_call(("table", identifier), PointerCall(node, node.line, identifier))

    def _follow(self, node: Node, call: CallFact) -> None:
        if call.access is not None:
            self._follow_pointer(node, call, call.access)
        else:
            updated = self._update_static_calls(node, call)
            for access in self.find_operands(node, call):
                self._follow_pointer(node, call, access)
            for member in self._code.find_named_members(call):
                via = f"{call.name}({member})"
                self._add_pointer_call(("?", member), PointerCall(node, call.line, via, call.under))
            kind = EdgeKind.ASSEMBLY if node.kind == "assembly" else EdgeKind.CALL
            targets = self._code.resolve(node.path, call.name, call.line)
            for target in targets:
                if target is not node:
                    self._connect(Edge(node, target, call.line, kind, "", under=call.under))
            if not targets:
                self._follow_unknown(node, call)
            if updated:
                return
        if call.passed and not self._tables.deferred.fullmatch(call.name):
            for name in call.passed:
                # A macro may be passed to another one: LOCK_CONTENDED(lock, try, do_raw_lock).
                for target in self._code.resolve(node.path, name, call.line):
                    via = f"an argument of {call.name or 'a pointer'}()"
                    self._connect(
                        Edge(node, target, call.line, EdgeKind.POINTER, via, under=call.under)
                    )

    def _update_static_calls(self, node: Node, call: CallFact) -> bool:
        """Record the new target of a static call; return whether the call updates one."""
        updates = list(find_updates(self._code, node, call))
        for update in updates:
            key = ("static_call", update.name)
            for target in update.functions:
                self._store(key, target, EdgeKind.STATIC_CALL, "", Install(node, call.under))
            member = None
            if update.access is not None:
                member = self._code.find_key(node.path, update.access)
            if member is not None:
                # A static call then calls the function that the member holds.
                self._call_members.setdefault(key, set()).add(member)
                for pointer_call in list(self._calls.get(key, ())):
                    self._add_pointer_call(member, pointer_call)
        return bool(updates)

    def _follow_unknown(self, node: Node, call: CallFact) -> None:
        """Follow a call by the name of a variable, or of a function that was not read."""
        if self._code.find_data(node.path, call.name):
            self._follow_pointer(node, call, Access(call.name, "", ()))
        elif node.kind == "function" and not call.name.startswith("__builtin_"):
            self.unread.add(call.name)

    def find_operands(self, node: Node, call: CallFact) -> list[Access]:
        """Return the member that a macro calls through, if it is such a macro, else nothing.

        `PVOP_VCALL1(mmu.exit_mmap, mm)`, or with the variable before the member, as in v7.1:
        `PVOP_VCALL1(pv_ops_lock, kick, cpu)`.
        """
        for macro, root in self._tables.member_calls:
            if not macro.fullmatch(call.name) or node.kind == "macro":
                continue
            for name, member in pairwise(call.arguments):
                if name.startswith(root) and _MEMBERS.fullmatch(member):
                    return [Access(name, "", tuple(member.split(".")))]
            operands = [match[0] for text in call.arguments for match in _OPERAND.finditer(text)]
            return [Access(root, "", tuple(operand.split("."))) for operand in operands[:1]]
        return []

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
        via = ".".join([access.base or access.type, *access.members])
        key = self._code.find_key(node.path, access)
        if key is None:
            # The target in a local variable was connected at the store.
            if node.kind != "assembly" and not self.is_stored(node, access):
                self._unknown.append(PointerCall(node, line, f"{via}()" if access.called else via))
            return
        is_loaded = node.kind == "assembly" and key[0] != "static_call"
        if is_loaded and not self._code.find_data(node.path, access.base):
            return
        self._add_pointer_call(key, PointerCall(node, line, via, call.under))

    def is_stored(self, node: Node, access: Access) -> bool:
        """Return whether a function stores functions in the local variable of a call."""
        return access.local and any(
            store.target.local
            and store.target.base == access.base
            and any(self._code.find_functions(node.path, name, store.line) for name in store.names)
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
            if by is not None and key is not None and self._code.is_plain(key):
                self._connect_hidden(by, datum, store)
            for name in store.names if key else ():
                for target in self._code.find_functions(datum.path, name, store.line):
                    self._store(key, target, EdgeKind.POINTER, "")
        for identifier in variable.identifiers:
            for referenced in self._code.find_data(datum.path, identifier, datum.line):
                self._reach_variable(referenced)

    def _connect_hidden(self, by: Node, datum: StaticVariable, store: StoreFact) -> None:
        """Follow functions that a macro stores in a struct: `= __TIMER_INITIALIZER(f, 0)`."""
        if not any(map(self._tables.deferred.fullmatch, store.names)):
            for name in store.names:
                for target in self._code.find_functions(datum.path, name, store.line):
                    via = datum.variable.name
                    self._connect(Edge(by, target, by.line, EdgeKind.POINTER, via))

    def _store(
        self, key: Key | None, target: Node, kind: EdgeKind, via: str, by: Install | None = None
    ) -> None:
        if key is None:
            return
        self._installs.setdefault((key[1], target), []).append(by or Install(None))
        targets = self._stores.setdefault(key, {})
        if target in targets:
            return
        targets[target] = (kind, via)
        self._by_member.setdefault(key[1], set()).add(key)
        for call in self._find_pointer_calls(key):
            self._link(call, target, key, kind, via)

    def _add_pointer_call(self, key: Key, call: PointerCall) -> None:
        self._calls.setdefault(key, []).append(call)
        for member in sorted(self._call_members.get(key, ())):
            self._add_pointer_call(member, call)
        for match in list(self._find_stored_keys(key)):
            for target, (kind, via) in list(self._stores.get(match, {}).items()):
                self._link(call, target, match, kind, via)

    def _find_pointer_calls(self, key: Key) -> list[PointerCall]:
        """Return the calls that a store provides a target for."""
        if key[1] == "*":
            return [
                c for call_key, calls in self._calls.items() if call_key[0] == key[0] for c in calls
            ]
        calls = list(self._calls.get(key, ()))
        if key[0] not in ("=", "table", "static_call"):
            of_any_type = self._calls.get(("?", key[1]), ())
            if of_any_type and len(self._by_member.get(key[1], ())) <= _MAX_STRUCTS:
                calls += of_any_type
        return calls

    def _find_stored_keys(self, key: Key) -> Iterable[Key]:
        """Return the keys of the stores that provide targets for a call."""
        if key[0] == "?":
            keys = self._by_member.get(key[1], set())
            return sorted(keys) if len(keys) <= _MAX_STRUCTS else []
        return [
            stored_key
            for stored_key in (key, (key[0], "*"), ("?", key[1]))
            if stored_key in self._stores
        ]

    def _link(self, call: PointerCall, target: Node, key: Key, kind: EdgeKind, via: str) -> None:
        op = key[1] == self._tables.member
        if kind is EdgeKind.PARAM or kind is EdgeKind.INITCALL:
            shown_via = via or call.via
        else:
            kind = EdgeKind.STATIC_CALL if key[0] == "static_call" else kind
            shown_via = call.via
        self._connect(Edge(call.node, target, call.line, kind, shown_via, op, call.under, key[1]))

    def find_installs(self, member: str, target: Node) -> Sequence[Install]:
        """Return the assignments of a function to members of a name."""
        return self._installs.get((member, target), ())

    def find_holders(self, member: str) -> list[Node]:
        """Return the known functions in a member of any struct, sorted by place."""
        functions = {n for key in self._by_member.get(member, ()) for n in self._stores[key]}
        return sorted(functions, key=lambda node: (node.path, node.line))
