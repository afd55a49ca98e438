# SPDX-License-Identifier: GPL-2.0-or-later
"""Complete the bodies of macro definitions that spatch cannot parse.

spatch parses the body of a definition as an expression, statements and declarations, a function, or
a list of initialisers in braces. A body that is only a part of one of these is completed:

- the head of a loop, and declarations without the last semicolon: by the semicolon;
- fields or elements of a table, `.a = 1, .b = 2` or `{ 1, 2 }, { 3, 4 }`: by braces.

spatch recognises a list of initialisers by its first tokens, and only if the macro has parameters
(parsing_hacks.ml, find_define_init_brace_paren).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from patchgen.ctokens import tokenize

DEFINED = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)(?P<parameters>\([^()]*\))?")
_FIRST_LINE_ENDS = re.compile(rb"[ \t]*(?:\{[ \t]*)?\\\n")
# Declarations, or functions and what follows them, without a semicolon at the end.
_DECLARATION = re.compile(
    rb"(?:\s|\\\n)*+(?:static|extern|const|struct|union|enum|void|int|long|bool|unsigned)\b"
)
_OPENS = frozenset({b"(", b"[", b"{"})
_CLOSES = frozenset({b")", b"]", b"}"})


class Completion(NamedTuple):
    """What to add after the name and the parameters of a macro, and after its body."""

    opens: bytes
    closes: bytes


def complete_body(define: bytes, is_loop: bool) -> Completion | None:
    """Return what a `#define` lacks, None if spatch can parse it or it cannot be completed.

    Lines and columns of code do not change: text is added at the ends of lines only.
    """
    defined = DEFINED.match(define)
    if defined is None:
        return None
    at = defined.end()
    if is_loop or _DECLARATION.match(define, at):
        return Completion(b"", b";") if is_loop or _is_unterminated(define[at:]) else None
    if not _FIRST_LINE_ENDS.match(define, at):
        return None
    return _complete_table(define[at:], b"" if defined["parameters"] else b"()")


def _complete_table(body: bytes, parameters: bytes) -> Completion | None:
    """Return what a body lacks if it has fields or elements, None if it has something else."""
    tokens = [token.text for token in tokenize(body.replace(b"\\\n", b" \n"))]
    if not _is_table(tokens):
        return None
    if tokens[0] == b"{" and _find_end(tokens) == len(tokens) - 1:
        # A structure or an array in its own braces.
        is_list = tokens[1:2] == [b"."] or tokens[2:3] == [b","]
        return Completion(parameters, b"") if is_list else None
    opens = b"{" if tokens[0] == b"." else b"{0,"
    return Completion(parameters + opens, b"}")


def _is_unterminated(body: bytes) -> bool:
    """Return whether a body, which begins like a declaration, ends within one."""
    last = body.rstrip()[-1:]
    if last == b"}":
        tokens = [token.text for token in tokenize(body.replace(b"\\\n", b" \n"))]
        return _find_last_opening(tokens)[-1:] == [b"="]
    return last not in (b";", b",") and any(character in body for character in b"={(")


def _is_table(tokens: Sequence[bytes]) -> bool:
    """Return whether a body has fields or elements of a table: `[a] = b`, `{ ... }, f(x),`."""
    if not tokens or b";" in tokens:
        return False
    if tokens[0] in (b".", b"["):
        return True
    depth = 0
    for token in tokens:
        depth += (token in _OPENS) - (token in _CLOSES)
        if token == b"," and depth == 0:
            return True
    return tokens[0] == b"{" and _find_end(tokens) == len(tokens) - 1


def _find_end(tokens: Sequence[bytes]) -> int:
    """Return the index of the bracket that closes the first one; -1 if none does."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token in _OPENS) - (token in _CLOSES)
        if depth == 0:
            return at
    return -1


def _find_last_opening(tokens: Sequence[bytes]) -> Sequence[bytes]:
    """Return the tokens before the bracket that the last token closes."""
    depth = 0
    for at in range(len(tokens) - 1, -1, -1):
        depth += (tokens[at] in _CLOSES) - (tokens[at] in _OPENS)
        if depth == 0:
            return tokens[:at]
    return ()
