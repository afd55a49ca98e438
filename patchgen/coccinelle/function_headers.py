# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the functions that begin in a part of a C file, by the kernel's layout and by tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from patchgen.ctokens import Token, tokenize

# Words that parentheses may follow in a body, and the names of attributes and of macros.
_NO_NAME = frozenset({b"if", b"for", b"while", b"do", b"switch", b"return", b"sizeof", b"else"})
_ATTRIBUTE = re.compile(rb"__\w+\Z")
_MACRO = re.compile(rb"[A-Z][A-Z0-9_]*\Z")


def find_function_headers(code: Sequence[bytes]) -> list[tuple[int, str | None]]:
    """Return line (from 0) and name of each function that begins in a stretch.

    The stretch may begin anywhere, and need not be valid C. A function's header begins in the first
    column and ends before a `{`; the name is None if it is uncertain.
    """
    found: list[tuple[int, str | None]] = []
    header: list[Token] = []
    depth = 0
    for token in tokenize(b"\n".join(code)):
        if token.text == b"{":
            if depth == 0 and (named := _name_of(header, code)) is not None:
                found.append(named)
            depth += 1
            header = []
        elif token.text == b"}":
            # In kernel code, a brace in the first column closes everything.
            closes_all = code[token.line - 1].startswith(b"}")
            depth = 0 if closes_all else max(0, depth - 1)
            header = []
        elif depth == 0:
            header = [] if token.text == b";" else [*header, token]
    return found


def _name_of(header: Sequence[Token], code: Sequence[bytes]) -> tuple[int, str | None] | None:
    """Return the line and the name of a function by its header, None for other tokens."""
    nested = 0
    names: list[Token] = []
    gap: list[Token] = []
    # The header is empty if a block follows a `;` directly.
    for token, following in zip_longest(header, header[1:]):
        if token.text in (b"(", b")"):
            nested += 1 if token.text == b"(" else -1
            gap = []
        elif nested == 0 and token.text == b"=":
            return None
        elif nested == 0 and token.is_word and following is not None and following.text == b"(":
            # After an attribute, a type precedes the name; after the name, attributes follow.
            if not names or gap:
                names.append(token)
        elif nested == 0:
            gap.append(token)
    if not names or nested or any(token.text in _NO_NAME for token in header):
        return None
    if not code[header[0].line - 1][:1].strip():
        # A header begins in the first column; this may be any statement.
        return None
    certain = [name for name in names if not _MACRO.match(name.text)]
    if len(certain) > 1:
        certain = [name for name in certain if not _ATTRIBUTE.match(name.text)]
    line = (certain or names)[0].line - 1
    is_certain = len(certain) == 1 and header[0] is not certain[0]
    return line, certain[0].text.decode("latin-1") if is_certain else None
