# SPDX-License-Identifier: GPL-2.0-or-later
"""Find updates of static calls: `static_call_update(name, function)` (include/linux/static_call.h).

The value may be a member that holds the function, and the update may be in a macro that joins the
names: `#define update_call(__cb) static_call_update(apic_call_##__cb, *apic->__cb)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.c_text import IDENTIFIER
from patchgen.audit.facts import Access, CallFact
from patchgen.audit.linked_code import LinkedCode, Node
from patchgen.audit.macro_definitions import replace_parameters

_UPDATE = re.compile(r"\b_*static_call_update\s*\(\s*(\w+)\s*,\s*([^(),]+?)\s*\)")
_MEMBERS = re.compile(r"\*?\s*([A-Za-z_]\w*)\s*((?:(?:\.|->)\s*\w+\s*)+)")
_MACRO = "static_call_update"


@dataclass(frozen=True, slots=True)
class Update:
    """A static call's name, and its value: a function's name, or a member that holds one."""

    name: str
    value: str
    access: Access | None


def find_updates(code: LinkedCode, node: Node, call: CallFact) -> Iterator[Update]:
    """Yield the updates of static calls that a call makes, directly or through a macro."""
    if call.name.lstrip("_") == _MACRO and node.kind != "macro":
        if len(call.arguments) > 1:
            yield _build_update(call.arguments[0], call.arguments[1])
        return
    for target in code.resolve(node.path, call.name):
        if target.kind == "macro" and _MACRO in target.body:
            text = replace_parameters(target.body, target.parameters, call.arguments)
            for match in _UPDATE.finditer(text):
                yield _build_update(match[1], match[2])


def _build_update(name: str, value: str) -> Update:
    value = value.strip("& ")
    match = _MEMBERS.fullmatch(value)
    if match is None:
        return Update(name.strip(), value, None)
    members = tuple(IDENTIFIER.findall(match[2]))
    return Update(name.strip(), "", Access(match[1], "", members))
