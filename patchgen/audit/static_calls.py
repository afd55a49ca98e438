# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the functions that static calls may call, and the code that calls them by a trampoline.

`DEFINE_STATIC_CALL(name, function)` sets the first function, `static_call_update(name, function)`
another one (include/linux/static_call.h), and `static_call_update_early()` does so before static
calls are initialised (arch/x86/include/asm/static_call.h). The value may be a local variable, or a
member that holds the function; the update may be in a macro that joins the names:
`#define update_call(__cb) static_call_update(apic_call_##__cb, *apic->__cb)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import Access, CallFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.macro_definitions import replace_parameters
from patchgen.audit.nodes import Node
from patchgen.audit.tables import Tables
from patchgen.audit.window_roots import list_registered

_UPDATER = re.compile(r"_*static_call_update(?:_early)?")
_UPDATE = re.compile(r"\b_*static_call_update(?:_early)?\s*\(\s*(\w+)\s*,\s*([^(),]+?)\s*\)")
_MEMBERS = re.compile(r"\*?\s*([A-Za-z_]\w*)\s*((?:(?:\.|->)\s*\w+\s*)+)")
_MACRO = "static_call_update"


@dataclass(frozen=True, slots=True)
class Update:
    """A static call's name, and its value: functions, or a member that holds one.

    `is_known` is False if the value may be something else, too.
    """

    name: str
    functions: tuple[Node, ...]
    access: Access | None
    is_known: bool = True


@dataclass(slots=True)
class StaticCall:
    """The functions that it may call, and the code that sets it to anything else."""

    functions: dict[Node, None] = field(default_factory=dict)
    unknown: dict[Node, None] = field(default_factory=dict)


def find_static_calls(code: LinkedCode, tables: Tables) -> Mapping[str, StaticCall]:
    """Return all static calls by name, with what any code may set them to."""
    found: dict[str, StaticCall] = {}
    for registered in list_registered(code, tables):
        kind, name = registered.key
        if kind == "static_call":
            found.setdefault(name, StaticCall()).functions[registered.function] = None
    for node in code.nodes:
        for call in node.calls:
            for update in find_updates(code, node, call):
                static_call = found.setdefault(update.name, StaticCall())
                static_call.functions |= dict.fromkeys(update.functions)
                if not update.is_known:
                    static_call.unknown[node] = None
    return found


def find_updates(code: LinkedCode, node: Node, call: CallFact) -> Iterator[Update]:
    """Yield the updates of static calls that a call makes, directly or through a macro."""
    if call.name not in code.static_call_macros or node.kind == "macro":
        return
    if _UPDATER.fullmatch(call.name):
        if len(call.arguments) > 1:
            yield _build_update(code, node, call.arguments[0], call.arguments[1])
        return
    for target in code.resolve(node.path, call.name, call.line):
        if target.kind == "macro" and _MACRO in target.body:
            text = replace_parameters(target.body, target.parameters, call.arguments)
            for match in _UPDATE.finditer(text):
                yield _build_update(code, node, match[1], match[2])


def _build_update(code: LinkedCode, node: Node, name: str, value: str) -> Update:
    value = value.strip("& ")
    match = _MEMBERS.fullmatch(value)
    if match is not None:
        members = tuple(IDENTIFIER.findall(match[2]))
        return Update(name.strip(), (), Access(match[1], "", members))
    names = IDENTIFIER.findall(value)
    is_known = any(code.find_functions(node.path, value) for value in names)
    for store in node.stores:
        if store.target.local and not store.target.members and store.target.base in names:
            names += store.names
    functions = [target for value in names for target in code.find_functions(node.path, value)]
    return Update(name.strip(), tuple(dict.fromkeys(functions)), None, is_known)
