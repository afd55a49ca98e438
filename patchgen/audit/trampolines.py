# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the static calls that inline assembly makes: `call STATIC_CALL_TRAMP(name)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from patchgen.audit.c_text import TRAMPOLINE
from patchgen.audit.facts import CallFact, access_static_call
from patchgen.audit.nodes import Node

_STATIC_CALL = re.compile(rf"\b(?:call|jmp)\b[\s\"]*{TRAMPOLINE}")


def find_trampoline_calls(
    nodes: Iterable[Node], macros: Mapping[str, str], expand: Callable[[str], str]
) -> Iterator[tuple[Node, CallFact]]:
    """Yield functions and macros with the static calls that their inline assembly makes.

    `macros` are the bodies of macros by name, which `expand` expands in a text.
    """
    names = {"STATIC_CALL_TRAMP", "STATIC_CALL_TRAMP_STR"}
    for _ in range(2):
        using = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b|__SCT__")
        # A literal is searched for much faster than a pattern, and most bodies have none of them.
        literals = ("__SCT__", *names)
        names |= {
            name
            for name, body in macros.items()
            if any(literal in body for literal in literals) and using.search(body)
        }
    for node in nodes:
        asms = [(asm.line, asm.text) for asm in node.asms]
        if node.kind == "macro" and "asm" in node.body:
            asms = [(node.line, node.body.partition("asm")[2])]
        for line, text in asms:
            for match in _STATIC_CALL.finditer(expand(text) if using.search(text) else ""):
                name = match[1] or match[2]
                if name not in node.parameters:
                    yield node, CallFact(line, "", access_static_call(name))
