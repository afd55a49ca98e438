# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the calls and the stores of a function that a call passes as an argument.

    on_each_cpu(f, NULL, 1);                  calls f, in a function below it
    irq_set_handler(irq, f);                  stores f in irq_desc.handle_irq, which others call

The parameter is followed through the functions that it is passed on to. A macro is expanded with
the arguments of the call and read like a function's body (C11, 6.10.3).
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import reduce
from operator import or_

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import CallFact, Macro, StoreFact
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.macro_definitions import expand_call
from patchgen.audit.nodes import Key, Node
from patchgen.audit.tables import Tables

# An argument that is a name, with casts and an address operator.
_NAME = re.compile(r"(?:\(\s*[\w\s*]+\)\s*)*&?\s*([A-Za-z_]\w*)")
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Uses:
    """The uses of a function: whether it is called, and the members that it is stored in.

    `is_value` is set if a macro evaluates to it, so that the caller uses it.
    """

    called: bool = False
    keys: frozenset[Key] = frozenset()
    is_value: bool = False

    def __or__(self, other: Uses) -> Uses:
        is_value = self.is_value or other.is_value
        return Uses(self.called or other.called, self.keys | other.keys, is_value)


_NOTHING = Uses()
_CALLED = Uses(called=True)


class PassedFunctions:
    """Follows parameters. A use that the code does not show is treated as a call.

    `called` are the keys of all calls through members. A function that is stored where no code
    calls it directly is treated as called: its address may be read and passed on.
    """

    def __init__(self, code: LinkedCode, tables: Tables, called: Set[Key]):
        self._code = code
        self._deferred = tables.deferred
        self._hardware = tables.hardware
        self._called = called
        self._parameters: dict[tuple[Node, int], Uses] = {}

    def find(self, path: str, call: CallFact, name: str, depth: int = _MAX_DEPTH) -> Uses:
        """Return the uses of a function that a call in a file passes by name."""
        if self._deferred.fullmatch(call.name):
            return _NOTHING
        numbers = [
            number
            for number, argument in enumerate(call.arguments)
            if name in IDENTIFIER.findall(argument)
        ]
        targets = self._code.resolve(path, call.name, call.line) if call.name else ()
        plain = self._code.find_plain_macro(call.name)
        if not (targets or plain) or not numbers or not depth:
            return _CALLED
        uses = self._find_in_macro(path, plain, call, name, depth) if plain else _NOTHING
        for target in targets:
            if target.kind == "macro":
                uses |= self._find_in_macro(path, target, call, name, depth)
            else:
                for number in numbers:
                    uses |= self._find_of_parameter(target, number, depth)
        return uses

    def _find_of_parameter(self, function: Node, number: int, depth: int) -> Uses:
        key = (function, number)
        if key not in self._parameters:
            self._parameters[key] = _NOTHING  # a recursive call adds nothing
            name = function.parameters[number] if number < len(function.parameters) else ""
            uses = self._find_uses(function.path, name, function.calls, function.stores, depth)
            self._parameters[key] = _CALLED if uses is None else uses
        return self._parameters[key]

    def _find_in_macro(
        self, path: str, macro: Node | Macro, call: CallFact, name: str, depth: int
    ) -> Uses:
        read = expand_call(macro.body, tuple(macro.parameters), call.arguments)
        if read is None:
            return _CALLED
        # A macro may join the name with another one: asm_##function.
        joined = [word for word in read.identifiers if name in word and word != name]
        names = [name, *(word for word in joined if self._code.resolve(path, word))]
        found = [self._find_uses(path, word, read.calls, read.stores, depth) for word in names]
        uses = [known for known in found if known is not None]
        if uses:
            return reduce(or_, uses)
        return _CALLED if read.calls else Uses(is_value=True)

    def _find_uses(
        self,
        path: str,
        name: str,
        calls: Sequence[CallFact],
        stores: Sequence[StoreFact],
        depth: int,
    ) -> Uses | None:
        """Return the uses of a name in code, None if it has no known use."""
        uses = [
            self._read_store(path, store)
            for store in stores
            if name in (*store.names, *store.parameters)
        ]
        for call in calls:
            access = call.access
            if call.name == name or (access and access.base == name and not access.members):
                uses.append(_CALLED)
            elif any(_is_name(argument, name) for argument in call.arguments):
                uses.append(self.find(path, call, name, depth - 1))
        return reduce(or_, uses) if name and uses else None

    def _read_store(self, path: str, store: StoreFact) -> Uses:
        key = self._code.find_key(path, store.target)
        if key is None or key[0] in self._hardware:
            return _CALLED
        return Uses(called=key not in self._called, keys=frozenset([key]))


def _is_name(argument: str, name: str) -> bool:
    match = _NAME.fullmatch(argument)
    return match is not None and match[1] == name
