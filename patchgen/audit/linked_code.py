# SPDX-License-Identifier: GPL-2.0-or-later
"""Link the facts of all files: which functions a name means in a file, and how members are keyed.

Nodes are functions, and macros with calls or inline assembly. Names are looked up as the compiler
and the linker do, as far as possible without the order of headers: first static functions of the
file (and of .c files that include one another), then functions of headers and global ones.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.conditions import Conditions, DeadCode, Settings
from patchgen.audit.facts import Access, CallFact, FileFacts, Macro, StoreFact
from patchgen.audit.file_callers import FileCallers
from patchgen.audit.macro_definitions import (
    CalledParameters,
    defines_functions,
    expand_invocations,
    find_called_parameters,
    read_macro,
)
from patchgen.audit.nodes import Key, Node, StaticVariable
from patchgen.audit.other_names import OtherNames
from patchgen.audit.result import TreeLocation
from patchgen.audit.struct_types import StructTypes
from patchgen.audit.trampolines import find_trampoline_calls
from patchgen.audit.visibility import Visibility

_CHOICE = re.compile(r"\bif\b|\?|&&|\|\||\bswitch\b")
# objcopy adds it to the symbols of code that runs from the identity mapping
# (arch/x86/boot/startup/Makefile), SYM_PIC_ALIAS() to symbols that this code uses (asm/linkage.h).
_PREFIX = "__pi_"
_MAX_TEXT = 3000
_Placed = TypeVar("_Placed", Node, StaticVariable)


class LinkedCode:
    """The linked files. `settings` is the .config, or None for all branches."""

    def __init__(self, facts: Mapping[str, FileFacts], settings: Settings | None = None):
        self._facts = facts
        self.settings = settings
        c, assembly = Conditions(settings), Conditions(settings, assembly=True)
        self._dead = {
            path: DeadCode(file_facts.regions, assembly if path.endswith(".S") else c)
            for path, file_facts in facts.items()
        }
        self._visibility = Visibility(c)
        self._units = _find_units(facts)
        self.nodes: list[Node] = []
        self._local: dict[tuple[str, str], list[Node]] = {}
        self._shared: dict[str, list[Node]] = {}
        self._types = StructTypes()
        self._data: dict[str, list[StaticVariable]] = {}
        self._texts: dict[str, str] = {}
        self._definers: dict[str, Macro] = {}
        self._plain_macros: dict[str, Macro] = {}
        self._other_names = OtherNames()
        self._called_parameters: dict[str, CalledParameters] = {}
        self._macro_calls: dict[Node, Sequence[CallFact]] = {}
        for path in sorted(facts):
            self._add_file(path, facts[path])
        for path in sorted(facts):
            self._add_expanded(path, facts[path])
        for node, call in list(find_trampoline_calls(self.nodes, self._texts, self.expand)):
            node.calls = [*node.calls, call]

    def _add_file(self, path: str, facts: FileFacts) -> None:
        dead = self._dead[path]
        for macro in facts.macros:
            if not dead.covers(macro.line):
                self._add_macro(path, macro)
        assembly = path.endswith(".S")
        for function in facts.functions:
            if dead.covers(function.line):
                continue
            self._add(
                Node(
                    function.name,
                    path,
                    function.line,
                    "assembly" if assembly else "function",
                    function.static,
                    calls=dead.keep(function.calls),
                    identifiers=function.identifiers,
                    asms=dead.keep(function.asms),
                    stores=dead.keep(function.stores),
                    result=function.result,
                    parameters=function.parameters,
                    guards=function.guards,
                    returns=function.returns,
                )
            )
        for variable in facts.variables:
            if not dead.covers(variable.line):
                compiled_variable = variable._replace(stores=tuple(dead.keep(variable.stores)))
                self._data.setdefault(variable.name, []).append(
                    StaticVariable(path, compiled_variable)
                )
        self._types.add(facts.structs, facts.typedefs)

    def _add_macro(self, path: str, macro: Macro) -> None:
        self._texts.setdefault(macro.name, macro.body)
        if called := find_called_parameters(macro):
            self._called_parameters.setdefault(macro.name, called)
        if defines_functions(macro):
            self._definers.setdefault(macro.name, macro)
        if not macro.calls and "asm" not in macro.body:
            self._plain_macros.setdefault(macro.name, macro)
            self._other_names.add(path, macro)
            return
        identifiers = () if len(macro.body) > _MAX_TEXT else set(IDENTIFIER.findall(macro.body))
        self._add(
            Node(
                macro.name,
                path,
                macro.line,
                "macro",
                static=not path.endswith(".h"),
                calls=[_build_macro_call(name, line) for name, line in macro.calls],
                identifiers=tuple(
                    identifier for identifier in identifiers if identifier not in macro.parameters
                ),
                parameters=macro.parameters,
                body=macro.body,
            )
        )

    def _add_expanded(self, path: str, facts: FileFacts) -> None:
        """Add the definitions that macros at file scope expand to."""
        used = [invocation for invocation in facts.invocations if invocation.name in self._definers]
        if used:
            live = [use for use in used if not self._dead[path].covers(use.line)]
            for expanded in expand_invocations(live, self._definers):
                self._add_file(path, expanded._replace(macros=()))

    def _add(self, node: Node) -> None:
        self.nodes.append(node)
        if node.path.endswith(".h") or not node.static:
            self._shared.setdefault(node.name, []).append(node)
        # A global function may be weak, and another file may define it again.
        if node.static and not node.path.endswith(".h"):
            self._local.setdefault((self._units[node.path], node.name), []).append(node)

    def add_alias(
        self, name: str, path: str, line: int, calls: Sequence[CallFact], kind: str = "assembly"
    ) -> None:
        """Add a symbol that a macro creates for a function, with the calls that it makes."""
        self._add(Node(name, path, line, kind, False, tuple(calls)))

    # --- names ----------------------------------------------------------------------------------

    def resolve(self, path: str, name: str, line: int = 0) -> Sequence[Node]:
        """Return the nodes that a name at a line of a file may refer to, 0 for any line."""
        names = self._other_names.find(path, name)
        if not names:
            return self._resolve(path, name, line)
        nodes = (node for other in (name, *names) for node in self._resolve(path, other, line))
        return tuple(dict.fromkeys(nodes))

    def _resolve(self, path: str, name: str, line: int) -> Sequence[Node]:
        unit = self._units.get(path)
        local = self._local.get((unit, name)) if unit is not None else None
        if local:
            return self._choose(path, line, local, lambda: self._find_shared(name))
        return self._find_shared(name)

    def _find_shared(self, name: str) -> Sequence[Node]:
        shared = self._shared.get(name, ())
        if not shared and name.startswith(_PREFIX):
            return self._shared.get(name.removeprefix(_PREFIX), ())
        return shared

    def _choose(
        self,
        path: str,
        line: int,
        local: Sequence[_Placed],
        find_others: Callable[[], Sequence[_Placed]],
    ) -> Sequence[_Placed]:
        """Return the local definitions that a use may mean, and the others unless these hide them.

        A definition in a branch of an #if hides others only in that branch.
        """
        branches = [self._dead[place.path].list_unknown(place.line) for place in local]
        if not all(branches):
            return local
        use = self._dead[path].list_unknown(line) if line else ()
        possible, hides = self._visibility.compare(use, branches)
        visible: list[_Placed] = [
            place for place, meant in zip(local, possible, strict=True) if meant
        ]
        if not hides:
            visible += find_others()
        return visible

    def find_functions(self, path: str, name: str, line: int = 0) -> Sequence[Node]:
        """Return the functions, not macros, that a name may refer to."""
        return [node for node in self.resolve(path, name, line) if node.kind != "macro"]

    def find_stored(self, path: str, store: StoreFact) -> list[Node]:
        """Return the functions that a store in a file assigns."""
        return [f for name in store.names for f in self.find_functions(path, name, store.line)]

    def read_calls(self, node: Node) -> Sequence[CallFact]:
        """Return the calls of a node; those of a macro have the conditions in its text.

        A macro's text is parsed like a function's body on the first request, which sets its guards.
        """
        if node.kind != "macro" or not _CHOICE.search(node.body):
            return node.calls
        if node not in self._macro_calls:
            read = read_macro(node.name, node.line, node.parameters, node.body)
            self._macro_calls[node] = node.calls
            if read is not None:
                self._macro_calls[node] = [call._replace(forwards=True) for call in read.calls]
                node.guards = read.guards
        return self._macro_calls[node]

    def is_macro(self, name: str) -> bool:
        """Return whether a macro has this name, even if it makes no calls."""
        return name in self._texts

    @cached_property
    def static_call_macros(self) -> frozenset[str]:
        """The macros that update static calls (include/linux/static_call.h)."""
        named = {"static_call_update", "__static_call_update", "static_call_update_early"}
        users = {n.name for n in self.nodes if n.kind == "macro" and "static_call_update" in n.body}
        return frozenset(named | users)

    def is_typedef(self, name: str) -> bool:
        """Return whether a name is that of a typedef: `(u32)(value)` is a cast, not a call."""
        return self._types.is_typedef(name)

    def find_plain_macro(self, name: str) -> Macro | None:
        """Return a macro that makes no calls, which therefore is not a node."""
        return self._plain_macros.get(name)

    def find_called_parameters(self, macro: str) -> CalledParameters | None:
        """Return the calls that a macro makes by its arguments, None if it makes no such calls."""
        return self._called_parameters.get(macro)

    def find_nodes(self, name: str) -> list[Node]:
        """Return all functions of a name, including static ones."""
        return [node for node in self._by_name.get(name, ()) if node.kind != "macro"]

    @cached_property
    def _by_name(self) -> dict[str, list[Node]]:
        nodes: dict[str, list[Node]] = {}
        for node in self.nodes:
            nodes.setdefault(node.name, []).append(node)
        return nodes

    def find_within(self, node: Node) -> tuple[str, ...]:
        """Return the functions of a node's file that call it, directly or through others."""
        return self._file_callers.find(node)

    @cached_property
    def _file_callers(self) -> FileCallers:
        return FileCallers(self.nodes)

    def find_data(self, path: str, name: str, line: int = 0) -> Sequence[StaticVariable]:
        """Return the variables that a name at a line of a file may refer to, 0 for any line."""
        variables = self._data.get(name, ())
        local = [datum for datum in variables if datum.path == path]
        others = [
            datum
            for datum in variables
            if datum.path != path and (not datum.variable.static or datum.path.endswith(".h"))
        ]
        return self._choose(path, line, local, lambda: others) if local else others

    def expand(self, text: str, depth: int = 6) -> str:
        """Return a text with its macros expanded, up to `depth` levels."""
        for _ in range(depth):
            expanded = IDENTIFIER.sub(self._expand_identifier, text)
            if expanded == text or len(expanded) > 20000:
                break
            text = expanded
        return text

    def _expand_identifier(self, match: re.Match[str]) -> str:
        name = match[0]
        # Registers and instructions are not macros; the others are recognised by their names.
        plain = not name.isupper() and not name.startswith("__")
        if plain or name.startswith(("ALTERNATIVE", "STATIC_CALL_TRAMP")):
            return name
        body = self._texts.get(name, "")
        return body if body and len(body) < 1500 else name

    @property
    def texts(self) -> Mapping[str, str]:
        """The bodies of macros by name."""
        return self._texts

    # --- members --------------------------------------------------------------------------------

    def find_key(self, path: str, access: Access) -> Key | None:
        """Return the key of a member or a variable that holds functions.

        It is the struct and the member, `("x86_hyper_init", "init_platform")`; `("=", name)` for a
        variable; `("static_call", name)`; `("?", member)` if the struct is unknown; None for local
        variables.
        """
        if access.base == "static_call":
            return ("static_call", access.members[-1])
        members = access.members
        kind = self._find_base_type(path, access)
        if not members:
            return (
                None if access.local or access.called or access.base == "?" else ("=", access.base)
            )
        for member in members[:-1]:
            kind = self._types.find_field_type(kind, member)
        kind = self._types.resolve(kind)
        if not kind and len(members) > 1:
            kind = self._types.find_owner(members[-2], members[-1])
        if members[-1] == "*" and kind not in self._types:
            return ("=", access.base) if not access.local else None
        return (kind or "?", members[-1])

    def _find_base_type(self, path: str, access: Access) -> str:
        if access.type:
            return access.type
        if access.called:
            for node in self.resolve(path, access.base):
                if node.result:
                    return node.result
            return ""
        for datum in self.find_data(path, access.base):
            if datum.variable.type:
                return datum.variable.type
        return ""

    def is_plain(self, key: Key) -> bool:
        """Return whether a key is known not to hold a function: a field that is a struct."""
        return self._types.is_plain(*key)

    def find_field(self, member: str) -> TreeLocation | None:
        """Return the place of the first struct that has a member, or None."""
        for path in sorted(self._facts):
            for struct in self._facts[path].structs:
                if any(name == member for name, _ in struct.fields):
                    return TreeLocation(path, struct.line)
        return None

    @property
    def facts(self) -> Mapping[str, FileFacts]:
        """The linked facts, by path."""
        return self._facts

    def list_invocations(self) -> Iterator[tuple[str, str, int, tuple[str, ...]]]:
        """Yield macros used at file scope: path, name, line, arguments."""
        for path, facts in self._facts.items():
            for invocation in facts.invocations:
                if not self._dead[path].covers(invocation.line):
                    yield path, invocation.name, invocation.line, invocation.arguments

    def describe_condition(self, path: str, line: int) -> str:
        """Return the #if conditions on CONFIG_ options around a line, as a C expression."""
        return self._dead[path].describe(line) if path in self._dead else ""

    def list_data(self) -> Iterator[StaticVariable]:
        """Yield all variables."""
        for variables in self._data.values():
            yield from variables


def _build_macro_call(name: str, line: int) -> CallFact:
    base, *members = name.split(".")
    if not members:
        return CallFact(line, name, forwards=True)
    return CallFact(line, "", Access(base, "", tuple(members)))


def _find_units(facts: Mapping[str, FileFacts]) -> dict[str, str]:
    """Return for each .c and .S file the one that represents all files compiled with it."""
    units = {path: path for path in facts if not path.endswith(".h")}
    for path in sorted(units):
        for include in facts[path].includes:
            name = include.strip('"<> ')
            if not name.endswith((".c", ".S")):
                continue
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            if inner in units:
                old, new = units[inner], units[path]
                units = {file: new if unit == old else unit for file, unit in units.items()}
    return units
