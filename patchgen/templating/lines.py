# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine for each line of a rendered text which template line produced it.

Each line of literal text in a template gets a mark with its line number; after rendering, the marks
are read and removed. So values, loops and included files keep their template lines without support
by Jinja2. The format of a mark is \\x01FILE\\x02LINE\\x03.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from patchgen.templating.template_line import TemplateLine

_MARK = re.compile("\x01(?P<file>[^\x01-\x03\n]*+)\x02(?P<line>\\d{1,9})\x03")


class LineMarks(Extension):
    """Put a mark at the beginning of each line of literal text in a template."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Yield the template's tokens, with marks in the literal text."""
        name = stream.name or ""
        for token in stream:
            if token.type != "data":
                yield token
                continue
            pieces = token.value.split("\n")
            marked = [
                f"\x01{name}\x02{token.lineno + offset}\x03{piece}"
                for offset, piece in enumerate(pieces)
            ]
            yield Token(token.lineno, "data", "\n".join(marked))


def split_marks(marked: str) -> tuple[str, tuple[TemplateLine | None, ...]]:
    """Remove the marks; return the text, and the template line of each of its lines.

    A line without a mark, such as the further lines of a value, has that of the line before.
    """
    lines: list[str] = []
    places: list[TemplateLine | None] = []
    current: TemplateLine | None = None
    for line in marked.split("\n"):
        # The first mark with text after it gives the line's place. The last mark on a line applies
        # to the lines that follow.
        marks = list(_MARK.finditer(line))
        first: TemplateLine | None = None
        for index, mark in enumerate(marks):
            end = marks[index + 1].start() if index + 1 < len(marks) else len(line)
            current = TemplateLine(mark["file"], int(mark["line"]))
            if first is None and (end > mark.end() or index + 1 == len(marks)):
                first = current
        lines.append(_MARK.sub("", line))
        places.append(first or current)
    if lines and lines[-1] == "":
        places.pop()
    return "\n".join(lines), tuple(places)
