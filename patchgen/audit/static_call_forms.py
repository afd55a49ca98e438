# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the static calls that end in a hypercall, and the instructions that they end in.

A Xen guest calls `static_call(xen_hypercall)` since v6.13 and its stable versions, which ends in
VMCALL, VMMCALL or SYSCALL (arch/x86/xen/xen-head.S); a Hyper-V guest of v7.1 calls
`static_call(hv_hypercall)`. Such a call stands for the instruction, so the code that makes it is
the site. A static call of functions that only call others that make hypercalls, as
`apic_call_send_IPI`, is an ordinary call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.result import Form
from patchgen.audit.static_calls import StaticCall

_MAX_DEPTH = 4
Forms = Mapping[str, tuple[Form, ...]]


class StaticCallForms:
    """The forms of each static call that ends in a hypercall: `forms`, by name.

    `own` are the forms of the instructions in each function, `uses` those of the hypercalls that
    it makes by functions compiled into it. `page` matches the names of hypercall pages.
    """

    def __init__(
        self,
        code: LinkedCode,
        static_calls: Mapping[str, StaticCall],
        own: Iterable[tuple[Node, Form]],
        uses: Iterable[tuple[Node, Form]],
        page: re.Pattern[str],
    ):
        self._code = code
        self._static_calls = static_calls
        self._own = _group(own)
        self._uses = _group(uses)
        self._page = page
        self._users = [
            (node, call.static_call)
            for node in code.nodes
            for call in node.calls
            if call.static_call
        ]
        self.forms: Forms = {}
        self._resolve()

    def _resolve(self) -> None:
        """Find the forms until no static call that a function of another one makes adds any."""
        for _ in range(_MAX_DEPTH):
            forms = {name: self._find_forms(call) for name, call in self._static_calls.items()}
            before, self.forms = self.forms, {name: found for name, found in forms.items() if found}
            if self.forms == before:
                break
            for node, name in self._users:
                if name in self.forms and not node.header:
                    self._own.setdefault(node, set()).update(self.forms[name])

    def _find_forms(self, static_call: StaticCall) -> tuple[Form, ...]:
        forms: set[Form] = set()
        if any(map(self._page.search, self._list_names(static_call.unknown))):
            forms.add(Form.PAGE)
        for function in static_call.functions:
            forms |= self._find_own(function)
        if forms:
            for function in static_call.functions:
                for node in (function, *self._find_callees(function)):
                    forms |= self._uses.get(node, set())
        return tuple(sorted(forms))

    def _list_names(self, nodes: Iterable[Node]) -> Iterator[str]:
        for node in nodes:
            yield from node.identifiers

    def _find_own(self, function: Node) -> set[Form]:
        """Return the forms of the function's instructions, through jumps in assembly."""
        forms: set[Form] = set()
        todo, seen = [function], {function}
        while todo:
            node = todo.pop()
            forms |= self._own.get(node, set())
            for callee in self._find_callees(node) if node.kind == "assembly" else ():
                if callee.kind == "assembly" and callee not in seen:
                    seen.add(callee)
                    todo.append(callee)
        return forms

    def _find_callees(self, node: Node) -> list[Node]:
        return [
            callee
            for call in node.calls
            if call.name
            for callee in self._code.find_functions(node.path, call.name, call.line)
        ]


def _group(pairs: Iterable[tuple[Node, Form]]) -> dict[Node, set[Form]]:
    grouped: dict[Node, set[Form]] = {}
    for node, form in pairs:
        grouped.setdefault(node, set()).add(form)
    return grouped
