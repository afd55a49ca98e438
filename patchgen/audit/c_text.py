# SPDX-License-Identifier: GPL-2.0-or-later
"""C as text: its lines and parentheses, and spaces in place of removed text."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A name in C, and one that a parenthesis follows.
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
# Members before a parenthesis, with the variable before them if there is one: `->go(`, `ops.go(`.
MEMBER_CALLED = re.compile(r"(\b[A-Za-z_]\w*)?\s*((?:(?:->|\.)\s*[A-Za-z_]\w*\s*)+)\(")
# The trampoline of a static call in assembly (include/linux/static_call_types.h).
TRAMPOLINE = r"(?:STATIC_CALL_TRAMP(?:_STR)?\s*\(\s*(\w+)\s*\)|__SCT__(\w+))"
_PARENTHESIS = re.compile(rb"[()]")
_TO_SPACES = bytes(byte if byte == ord("\n") else ord(" ") for byte in range(256))


class LineCounter:
    """Numbers the lines of a text by offset. Offsets in ascending order cost least."""

    def __init__(self, text: bytes, first: int = 1):
        self._text = text
        self._first = first
        self._offset = 0
        self._number = first

    def number(self, offset: int) -> int:
        """Return the number of the line that contains an offset; the first line is `first`."""
        if offset < self._offset:
            self._offset, self._number = 0, self._first
        self._number += self._text.count(b"\n", self._offset, offset)
        self._offset = offset
        return self._number


def join_words(words: bytes) -> bytes:
    """Return a pattern for any of these words, which are patterns that begin with a letter or `_`.

    The lookbehind after the first character tests that a word begins there: `re` finds a character
    much faster than a word boundary.
    """
    by_first: dict[bytes, list[bytes]] = {}
    for word in words.split():
        by_first.setdefault(word[:1], []).append(word[1:])
    return b"|".join(
        rb"%b(?<!\w%b)(?:%b)" % (first, first, b"|".join(rests))
        for first, rests in by_first.items()
    )


def overwrite_with_spaces(content: bytes) -> bytes:
    """Return a text of the same length and lines that consists of spaces."""
    return content.translate(_TO_SPACES)


def overwrite_spans(text: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return a text with spaces in these spans, each from a start to an end."""
    changed = bytearray(text)
    for start, end in spans:
        changed[start:end] = overwrite_with_spaces(text[start:end])
    return bytes(changed)


def find_closing(text: bytes, opening: int) -> int:
    """Return the offset after the parenthesis that closes the one at `opening`."""
    depth = 0
    for match in _PARENTHESIS.finditer(text, opening):
        depth += 1 if match[0] == b"(" else -1
        if depth == 0:
            return match.end()
    return opening + 1


def split_arguments(inner: str) -> tuple[str, ...]:
    """Split at the commas outside of parentheses, braces and strings."""
    depth, start, parts = 0, 0, []
    for match in re.finditer(r'"(?:\\.|[^"\\])*"|[(){}\[\],]', inner):
        if match[0] in "({[":
            depth += 1
        elif match[0] in ")}]":
            depth -= 1
        elif match[0] == "," and depth == 0:
            parts.append(inner[start : match.start()])
            start = match.end()
    return tuple(" ".join(part.split())[:200] for part in [*parts, inner[start:]])
