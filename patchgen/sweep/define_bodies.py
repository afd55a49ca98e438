# SPDX-License-Identifier: GPL-2.0-or-later
"""Complete the bodies of macro definitions that spatch cannot parse.

spatch parses the body of a definition as an expression, statements and declarations, a function, or
a list of initialisers in braces. A body that is only a part of one of these is completed:

- the head of a loop, and declarations without the last semicolon: by the semicolon;
- fields or elements of a table, `.a = 1, .b = 2` or `{ 1, 2 }, { 3, 4 }`: by braces.

spatch recognises a list of initialisers by its first tokens, and only if the macro has parameters
(parsing_hacks.ml, find_define_init_brace_paren). Text is added only at the ends of lines, so the
lines and columns of code do not change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from patchgen.ctokens import BRACKETS, find_closing, tokenize

_FIRST_LINE_ENDS = re.compile(rb"[ \t]*(?:\{[ \t]*)?\\\n")
# Declarations, or functions and what follows them, without a semicolon at the end.
_DECLARATION = re.compile(
    rb"(?:\s|\\\n)*+(?:static|extern|const|struct|union|enum|void|int|long|bool|unsigned)\b"
)


class Completion(NamedTuple):
    """What to add after the name and the parameters of a macro, and after its body."""

    opens: bytes
    closes: bytes


def complete_body(body: bytes, *, has_parameters: bool, is_loop: bool) -> Completion | None:
    """Return what completes the body of a macro.

    It is None if the body is complete or cannot be completed. With `is_loop`, it is the head of a
    loop.
    """
    if is_loop or _DECLARATION.match(body):
        return Completion(b"", b";") if is_loop or _is_unterminated(body) else None
    if not _FIRST_LINE_ENDS.match(body):
        return None
    tokens = _tokenize(body)
    if not _is_table(tokens):
        return None
    parameters = b"" if has_parameters else b"()"
    if _is_block(tokens):
        is_list = tokens[1:2] == [b"."] or tokens[2:3] == [b","]
        return Completion(parameters, b"") if is_list else None
    opens = b"{" if tokens[0] == b"." else b"{0,"
    return Completion(parameters + opens, b"}")


def _tokenize(body: bytes) -> list[bytes]:
    return [token.text for token in tokenize(body.replace(b"\\\n", b" \n"))]


def _is_unterminated(body: bytes) -> bool:
    """Return whether a body, which begins like a declaration, ends within one."""
    last = body.rstrip()[-1:]
    if last == b"}":
        return _find_token_before_block(_tokenize(body)) == b"="
    return last not in (b";", b",") and any(character in body for character in b"={(")


def _is_table(tokens: Sequence[bytes]) -> bool:
    """Return whether a body has fields or elements of a table: `[a] = b`, `{ ... }, f(x),`."""
    if not tokens or b";" in tokens:
        return False
    if tokens[0] in (b".", b"["):
        return True
    depth = 0
    for token in tokens:
        depth += BRACKETS.get(token, 0)
        if token == b"," and depth == 0:
            return True
    return _is_block(tokens)


def _is_block(tokens: Sequence[bytes]) -> bool:
    """Return whether a body is in its own braces."""
    return tokens[0] == b"{" and find_closing(tokens, 0) == len(tokens) - 1


def _find_token_before_block(tokens: Sequence[bytes]) -> bytes:
    """Return the token before the bracket that the last token closes, b"" without one."""
    depth = 0
    for at in range(len(tokens) - 1, 0, -1):
        depth += BRACKETS.get(tokens[at], 0)
        if depth == 0:
            return tokens[at - 1]
    return b""
