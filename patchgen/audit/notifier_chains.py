# SPDX-License-Identifier: GPL-2.0-or-later
"""Match notifier chains: a call of a chain runs only the notifiers that are registered on it.

    blocking_notifier_chain_register(&chain, &block);      registers block.notifier_call
    register_reboot_notifier(&block);                      registers it on a fixed chain
    blocking_notifier_call_chain(&chain, event, NULL);     calls it (kernel/notifier.c)

A chain is the variable or the member that the expression ends in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import CallFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Key, Node
from patchgen.audit.tables import Tables

_VARIABLE = re.compile(r"&?\s*([A-Za-z_]\w*)")
_BASE = re.compile(r"[&\s(]*([A-Za-z_]\w*)")
# The key of all notifiers, whatever their chain, and of those that code assigns.
ANY_NOTIFIER: Key = ("notifier_block", "notifier_call")
ASSIGNED_NOTIFIER: Key = ("chain", "?")


@dataclass(frozen=True, slots=True)
class Registration:
    """A notifier's functions, and the key of its chain; None if the functions are unknown."""

    chain: Key
    functions: tuple[Node, ...] | None


class NotifierChains:
    """Reads the calls that register notifiers, and those that call chains."""

    def __init__(self, code: LinkedCode, tables: Tables):
        self._code = code
        self._register = tables.notifier_chains.register
        self._call = tables.notifier_chains.call
        # Functions that register one of their parameters: the chain and the parameter's number.
        self._registering: dict[str, tuple[Key, int]] = {}
        for node in code.nodes:
            for call in node.calls:
                if self._register.fullmatch(call.name) and len(call.arguments) > 1:
                    block = _VARIABLE.fullmatch(call.arguments[1])
                    if block and block[1] in node.parameters and not self.implements(node):
                        number = list(node.parameters).index(block[1])
                        self._registering[node.name] = (_make_key(call.arguments[0]), number)

    def implements(self, node: Node) -> bool:
        """Return whether a function is part of kernel/notifier.c's own code."""
        return bool(self._call.fullmatch(node.name) or self._register.fullmatch(node.name))

    def find_called(self, node: Node, call: CallFact) -> Key | None:
        """Return the chain that a call calls, None for other calls."""
        if not self._call.fullmatch(call.name) or not call.arguments or self.implements(node):
            return None
        chain = _VARIABLE.fullmatch(call.arguments[0])
        if chain and chain[1] in node.parameters:
            return ANY_NOTIFIER
        return _make_key(call.arguments[0])

    def find_registrations(self, node: Node, call: CallFact) -> Iterator[Registration]:
        """Yield the notifiers that a call registers."""
        chain, number = self._registering.get(call.name, (None, 0))
        if self._register.fullmatch(call.name) and len(call.arguments) > 1:
            chain, number = _make_key(call.arguments[0]), 1
        if chain is None or number >= len(call.arguments) or self.implements(node):
            return
        block = _BASE.match(call.arguments[number])
        if block and block[0] == call.arguments[number] and block[1] in node.parameters:
            return  # its callers name the notifier
        variables = self._code.find_data(node.path, block[1], call.line) if block else ()
        functions = [
            function
            for datum in variables
            for store in datum.variable.stores
            if store.target.members[-1:] in (("notifier_call",), ("*",))
            for function in self._code.find_stored(datum.path, store)
        ]
        yield Registration(chain, tuple(dict.fromkeys(functions)) or None)


def _make_key(expression: str) -> Key:
    return ("chain", IDENTIFIER.findall(expression)[-1] if expression else "")
