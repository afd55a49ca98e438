# SPDX-License-Identifier: GPL-2.0-or-later
"""C as text: its lines and parentheses, and spaces in place of removed text."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable

# A name in C, and one that a parenthesis follows.
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
# Members before a parenthesis, with the variable before them if there is one: `->go(`, `ops.go(`.
MEMBER_CALLED = re.compile(r"(\b[A-Za-z_]\w*)?\s*((?:(?:->|\.)\s*[A-Za-z_]\w*\s*)+)\(")
# The trampoline of a static call in assembly (include/linux/static_call_types.h).
TRAMPOLINE = r"(?:STATIC_CALL_TRAMP(?:_STR)?\s*\(\s*(\w+)\s*\)|__SCT__(\w+))"
_END = re.compile(rb"\n")
_NOT_NEWLINE = re.compile(rb"[^\n]")


class LineOffsets:
    """The lines of a text, by offset."""

    def __init__(self, text: bytes):
        self._starts = [0, *(match.end() for match in _END.finditer(text))]

    def number(self, offset: int) -> int:
        """Return the number, from 1, of the line that contains an offset."""
        return bisect.bisect_right(self._starts, offset)


def overwrite_with_spaces(content: bytes) -> bytes:
    """Return a text of the same length and lines that consists of spaces."""
    return _NOT_NEWLINE.sub(b" ", content) if b"\n" in content else b" " * len(content)


def overwrite_spans(text: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return a text with spaces in these spans, each from a start to an end."""
    changed = bytearray(text)
    for start, end in spans:
        changed[start:end] = overwrite_with_spaces(text[start:end])
    return bytes(changed)


def find_closing(text: bytes, opening: int) -> int:
    """Return the offset after the parenthesis that closes the one at `opening`."""
    depth = 0
    for match in re.compile(rb"[()]").finditer(text, opening):
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
