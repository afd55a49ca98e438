# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what macros at file scope define, and what the kernel walks over from the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.c_text import CALLED
from patchgen.audit.facts import CallFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Key, Node, StaticVariable
from patchgen.audit.result import EdgeKind, TreeLocation
from patchgen.audit.tables import Registered, Tables


@dataclass(frozen=True, slots=True)
class RegisteredFunction:
    """A function that a macro registers: the key by which it is called, and how.

    `text` is the use of the macro, at `place`.
    """

    key: Key
    function: Node
    kind: EdgeKind
    via: str
    place: TreeLocation
    text: str


def add_aliases(code: LinkedCode, tables: Tables) -> None:
    """Add the symbols that macros define for other functions, and the constructors of guards."""
    for path, name, line, arguments in list(code.list_invocations()):
        if tables.guards.fullmatch(name):
            calls = [CallFact(line, callee) for callee in CALLED.findall(" ".join(arguments[1:]))]
            code.add_alias(f"class_{arguments[0]}_constructor", path, line, calls, "function")
        for alias in tables.aliases:
            if alias.macro.fullmatch(name) and len(arguments) > alias.function:
                real = arguments[alias.function].strip()
                calls = [CallFact(line, callee) for callee in (real, *alias.extra_callees)]
                for pattern in alias.names:
                    code.add_alias(pattern.format(real), path, line, calls)


def list_registered(code: LinkedCode, tables: Tables) -> Iterator[RegisteredFunction]:
    """Yield the functions that macros register in a table, a member or a static call."""
    for path, name, line, arguments in code.list_invocations():
        for rule in tables.registered:
            if not rule.macro.fullmatch(name) or len(arguments) <= rule.function:
                continue
            function = arguments[rule.function].strip("& ")
            via = f"{name}({arguments[0]})" if rule.member else name
            key, place = _make_key(rule, arguments), TreeLocation(path, line)
            text = f"{name}({', '.join(arguments)})"
            for node in code.find_functions(path, function, line):
                yield RegisteredFunction(key, node, rule.kind, via, place, text)


def _make_key(rule: Registered, arguments: tuple[str, ...]) -> Key:
    if rule.call is not None:
        return ("static_call", arguments[rule.call].strip())
    return ("table", rule.table) if rule.table else (rule.type, rule.member)


def list_section_variables(code: LinkedCode, tables: Tables) -> Iterator[StaticVariable]:
    """Yield variables that no code names: the kernel walks over their section."""
    referenced: set[str] = set()
    for node in code.nodes:
        referenced.update(node.identifiers)
    for datum in code.list_data():
        names = datum.variable.identifiers
        referenced.update(name for name in names if name != datum.variable.name)
    for _, _, _, arguments in code.list_invocations():
        referenced.update(argument.strip("& ") for argument in arguments)
    for datum in code.list_data():
        if datum.variable.stores and datum.variable.name not in referenced:
            yield datum
    for path, macro, line, arguments in code.list_invocations():
        for argument in arguments if tables.wakes.fullmatch(macro) else ():
            name = argument.strip("& ")
            if name.isidentifier():
                yield from code.find_data(path, name, line)
