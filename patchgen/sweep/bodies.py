# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the bodies of functions and the contents of tables in a C file by its layout.

Only the kernel's layout is recognised: braces alone in the first column, or `= {` at the end of a
line and `};`. Code in another layout, and ambiguous code, is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from patchgen.coccinelle import find_line_start

# The openings of a function and of tables, at the end of a line.
_OPENINGS = (b"\n{", b"= {", b"={")
_END_OF_LINE = re.compile(rb"[ \t\r]*(?:\n|\Z)")
# The next item begins in the first column. Otherwise the brace did not close this item.
_END_OF_ITEM = re.compile(rb"[ \t\r]*(?:\n(?:[ \t\r]*\n)*+(?![ \t])|\Z)")
_END_OF_TABLE = re.compile(rb"[ \t]*;")
_WORDS = re.compile(rb"[A-Za-z_]\w*")
# Words before the brace of a block in a function, should that brace be in the first column.
_NO_FUNCTION = frozenset({b"if", b"else", b"for", b"while", b"do", b"switch", b"return", b"sizeof"})
# A body with one of these affects the code after it: it defines macros, types or declarations that
# are valid in the whole file.
_TYPE = re.compile(rb"\b(?:struct|union|enum)(?:\s+\w+)?\s*\Z")
_NO_TYPE = (b") ", b"else ", b"do ", b"= ")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(define|undef|include|pragma|if|else|elif|endif)", re.M)
_WHOLE_DIRECTIVE = re.compile(rb"[ \t]*#(?:[^\\\n]|\\[^\n]|\\\n)*")
# The usual header, after an empty line, a comment or another item: recognised by one match.
_PLAIN_HEADER = re.compile(
    rb"(?:(?!(?:%s)\b)[A-Za-z_]\w*[ \t\n*]+)+(?!(?:%s)\b)[A-Za-z_]\w*\([^(){};=#\"'/\\]*\)"
    % (b"|".join(sorted(_NO_FUNCTION)), b"|".join(sorted(_NO_FUNCTION)))
)
_ATTRIBUTE_AT_END = re.compile(rb"\)\s*\w+\Z")


class Span(NamedTuple):
    """A part of a text: its begin, and the offset after its end."""

    begin: int
    end: int


def replace_spans(text: bytes, spans: Sequence[Span], replace: Callable[[int], bytes]) -> bytes:
    """Return a text with each span replaced by the result of `replace` for its number.

    Spans must be in order and must not overlap.
    """
    pieces = []
    at = 0
    for number, span in enumerate(spans):
        pieces += [text[at : span.begin], replace(number)]
        at = span.end
    return b"".join([*pieces, text[at:]])


def remove_spans(text: bytes, spans: Sequence[Span]) -> bytes:
    """Return a text without these spans."""
    return replace_spans(text, spans, lambda _: b"")


@dataclass(frozen=True, slots=True)
class CodeBody:
    """The range between the braces of a function or a table, and the end of the item, as offsets.

    `header` is the start of a function's header, -1 if it is not a plain one.
    """

    begin: int
    end: int
    item_end: int
    is_table: bool = False
    header: int = -1

    @property
    def inner(self) -> Span:
        """The range between the braces."""
        return Span(self.begin, self.end)

    @property
    def outer(self) -> Span:
        """The range of a plain header."""
        return Span(self.header, self.begin)


def find_bodies(source: bytes) -> Iterator[CodeBody]:
    """Yield the bodies of functions and tables in the kernel's layout.

    A body begins after its `{` and ends before the line of its `}`.
    """
    at = 0
    places = [-1] * len(_OPENINGS)
    comments = _Comments(source)
    while True:
        # Searching for all three again each time would take as long as everything else.
        for number, opening in enumerate(_OPENINGS):
            if places[number] < at:
                places[number] = _find_at_line_end(source, opening, at)
        opened = min(places)
        begin = source.find(b"{", opened) + 1
        closed = source.find(b"\n}", begin)
        if opened == len(source) or closed < 0:
            return
        table_end = _END_OF_TABLE.match(source, closed + 2)
        at = table_end.end() if table_end else closed + 2
        is_table = opened < places[0]
        header = -1 if is_table else _find_plain_header(source, opened)
        if (
            is_table == bool(table_end)
            # Code after the brace belongs to the item (`} name;`), or is indented.
            and _END_OF_ITEM.match(source, at)
            and not comments.may_be_open(opened)
            and (is_table or header >= 0 or _is_function(source, opened))
        ):
            yield CodeBody(begin, closed, at, is_table, header)


class _Comments:
    """Finds the last comment before an offset; offsets must ascend.

    Searching back to the start of the source each time would take quadratic time.
    """

    def __init__(self, source: bytes):
        self._source = source
        self._seen = 0
        self._opened = self._closed = -1

    def may_be_open(self, at: int) -> bool:
        """Return whether a comment is open at an offset, going by `/*` and `*/` only."""
        # A `/*` or `*/` may lie across the previous offset.
        begin = max(0, self._seen - 1)
        self._opened = max(self._opened, self._source.rfind(b"/*", begin, at))
        self._closed = max(self._closed, self._source.rfind(b"*/", begin, at))
        self._seen = at
        return self._opened > self._closed


def _find_at_line_end(source: bytes, opening: bytes, at: int) -> int:
    """Return where this opening next occurs at a line's end; the source's length if it does not."""
    while (found := source.find(opening, at)) >= 0:
        if _END_OF_LINE.match(source, found + len(opening)):
            return found
        at = found + 1
    return len(source)


def _find_plain_header(source: bytes, brace: int) -> int:
    """Return where a function's header begins before a brace in the first column; -1 in doubt."""
    window = max(0, brace - 500)
    begin = max(
        source.rfind(b"\n\n", window, brace) + 2,
        source.rfind(b"*/\n", window, brace) + 3,
        source.rfind(b"}\n", window, brace) + 2,
    )
    return begin if begin > 3 and _PLAIN_HEADER.fullmatch(source, begin, brace) else -1


def _find_header_start(source: bytes, brace: int) -> int:
    """Return where the header of a function begins: after a `;`, `}`, comment or directive."""
    window = max(0, brace - 2000)
    comment = source.rfind(b"*/", window, brace)
    begin = max(
        window,
        source.rfind(b";", window, brace) + 1,
        source.rfind(b"}", window, brace) + 1,
        comment + 2 if comment >= 0 else 0,
    )
    # That may be inside of a directive with continuation lines, and more directives may follow.
    at = find_line_start(source, begin)
    while at < brace:
        directive = _WHOLE_DIRECTIVE.match(source, at, brace)
        if directive is not None:
            begin = max(begin, directive.end())
        at = source.find(b"\n", max(at, directive.end() if directive else at), brace) + 1
        if at == 0:
            break
    return begin


def _is_function(source: bytes, brace: int) -> bool:
    """Return whether a brace in the first column opens a function: no type, block or K&R list."""
    header = source[_find_header_start(source, brace) : brace]
    if b"{" in header:
        # A block that is open there: the brace is within a function, `void f(void) {`.
        return False
    before, parenthesis, _ = header.partition(b"(")
    words = _WORDS.findall(before)
    if not parenthesis or b"=" in before or not words or not _NO_FUNCTION.isdisjoint(words):
        return False
    # A type and a name, or a macro like SYSCALL_DEFINE1(). A block in a function has neither.
    if len(words) == 1 and not words[0].isupper():
        return False
    text = header.rstrip()
    # An attribute may follow the parameters.
    return text.endswith(b")") or _ATTRIBUTE_AT_END.search(text) is not None


def can_be_cut(body: bytes) -> bool:
    """Return whether the code after a body has the same meaning without it."""
    if b"\n" not in body or b"/*pg" in body or b"typedef" in body or b"extern" in body:
        return False
    before_braces = body.split(b"{")
    if body.count(b"}") != len(before_braces) - 1:
        return False
    # The closing brace may be inside of a comment or a string that begins in the body.
    if body.rfind(b"/*") > body.rfind(b"*/") or body.count(b'"') % 2:
        return False
    # `struct x {`; nearly all others end in _NO_TYPE.
    for text in before_braces[:-1]:
        if not text.endswith(_NO_TYPE) and _TYPE.search(text[-80:]):
            return False
    return b"#" not in body or _has_whole_conditions(body)


def _has_whole_conditions(body: bytes) -> bool:
    """Return whether each #if in a body ends in it, and the body has no other directives."""
    depth = 0
    for directive in _DIRECTIVE.finditer(body):
        if directive[1] == b"if":
            depth += 1
        elif directive[1] not in (b"else", b"elif", b"endif") or depth == 0:
            return False
        elif directive[1] == b"endif":
            depth -= 1
    return depth == 0
