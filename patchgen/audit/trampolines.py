# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the static calls that inline assembly makes: `call STATIC_CALL_TRAMP(name)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from patchgen.audit.facts import Access, CallFact
from patchgen.audit.nodes import Node

# include/linux/static_call_types.h
_TRAMPOLINE = re.compile(
    r"\b(?:call|jmp)\b[\s\"]*(?:STATIC_CALL_TRAMP(?:_STR)?\s*\(\s*(\w+)\s*\)|__SCT__(\w+))"
)


def find_trampoline_calls(
    nodes: Iterable[Node], macros: Mapping[str, str], expand: Callable[[str], str]
) -> Iterator[tuple[Node, CallFact]]:
    """Yield functions and macros with the static calls that their inline assembly makes.

    `macros` are the bodies of macros by name, which `expand` expands in a text.
    """
    names = {"STATIC_CALL_TRAMP", "STATIC_CALL_TRAMP_STR"}
    for _ in range(2):
        using = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b|__SCT__")
        names |= {name for name, body in macros.items() if using.search(body)}
    for node in nodes:
        asms = [(asm.line, asm.text) for asm in node.asms]
        if node.kind == "macro" and "asm" in node.body:
            asms = [(node.line, node.body.partition("asm")[2])]
        for line, text in asms:
            for match in _TRAMPOLINE.finditer(expand(text) if using.search(text) else ""):
                name = match[1] or match[2]
                if name not in node.parameters:
                    yield node, CallFact(line, "", Access("static_call", "", (name,)))
