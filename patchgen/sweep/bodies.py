"""Where the bodies of functions and the contents of tables are in a C file, told from its layout.

Only what is in the kernel's layout is found: the braces alone in the first column, or `= {` at a
line's end and `};`. What is not laid out so, or not sure, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.sweep.spans import Span

# What opens a function, and what opens a table, at a line's end.
_SIGNS = (b"\n{", b"= {", b"={")
_END_OF_LINE = re.compile(rb"[ \t\r]*(?:\n|\Z)")
# An item's end, behind which the next one begins in the first column: else the brace was not its.
_END_OF_ITEM = re.compile(rb"[ \t\r]*(?:\n(?:[ \t\r]*\n)*+(?![ \t])|\Z)")
_END_OF_TABLE = re.compile(rb"[ \t]*;")
_WORDS = re.compile(rb"[A-Za-z_]\w*")
# What opens a block in a function, should its brace be in the first column.
_NO_FUNCTION = frozenset({b"if", b"else", b"for", b"while", b"do", b"switch", b"return", b"sizeof"})
# A body with one of these says something about the code behind it: macros that it defines, types
# and declarations that hold for the whole file.
_TYPE = re.compile(rb"\b(?:struct|union|enum)(?:\s+\w+)?\s*\Z")
_NO_TYPE = (b") ", b"else ", b"do ", b"= ")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(define|undef|include|pragma|if|else|elif|endif)", re.M)
_WHOLE_DIRECTIVE = re.compile(rb"[ \t]*#(?:[^\\\n]|\\[^\n]|\\\n)*")
# A header as most are, behind an empty line, a comment or another item: told in one look.
_PLAIN_HEADER = re.compile(
    rb"(?:(?!(?:%s)\b)[A-Za-z_]\w*[ \t\n*]+)+(?!(?:%s)\b)[A-Za-z_]\w*\([^(){};=#\"'/\\]*\)"
    % (b"|".join(sorted(_NO_FUNCTION)), b"|".join(sorted(_NO_FUNCTION)))
)
_ATTRIBUTE_AT_END = re.compile(rb"\)\s*\w+\Z")


@dataclass(frozen=True, slots=True)
class Body:
    """What is between the braces of a function or a table: offsets, and of the item's end.

    `header` is where that of a function begins, -1 where it is not a plain one.
    """

    begin: int
    end: int
    item_end: int
    is_table: bool = False
    header: int = -1

    @property
    def inner(self) -> Span:
        """What is between the braces."""
        return Span(self.begin, self.end)

    @property
    def outer(self) -> Span:
        """A plain header."""
        return Span(self.header, self.begin)


def find_bodies(source: bytes) -> Iterator[Body]:
    """Yield the bodies of functions and tables in the kernel's layout.

    A body goes from behind its `{` to before the line of its `}`.
    """
    at = 0
    places = [-1] * len(_SIGNS)
    comments = _Comments(source)
    while True:
        # To look for each again, also for what is rare, would take as long as the rest.
        for number, sign in enumerate(_SIGNS):
            if places[number] < at:
                places[number] = _find_at_line_end(source, sign, at)
        opened = min(places)
        begin = source.find(b"{", opened) + 1
        closed = source.find(b"\n}", begin)
        if opened == len(source) or closed < 0:
            return
        ends = _END_OF_TABLE.match(source, closed + 2)
        at = ends.end() if ends else closed + 2
        is_table = opened < places[0]
        header = -1 if is_table else _find_plain_header(source, opened)
        if (
            is_table == bool(ends)
            # What stands behind the brace belongs to it: `} name;`, or has a column.
            and _END_OF_ITEM.match(source, at)
            and not comments.may_hold(opened)
            and (is_table or header >= 0 or _is_function(source, opened))
        ):
            yield Body(begin, closed, at, is_table, header)


class _Comments:
    """The last comment before an offset; offsets come in their order.

    Searched back to the source's beginning each time, it would be a square of its length.
    """

    def __init__(self, source: bytes):
        self._source = source
        self._seen = 0
        self._opened = self._closed = -1

    def may_hold(self, at: int) -> bool:
        """Tell whether a comment is open at an offset, as far as `/*` and `*/` say."""
        # A sign may lie across the offset that was seen last.
        begin = max(0, self._seen - 1)
        self._opened = max(self._opened, self._source.rfind(b"/*", begin, at))
        self._closed = max(self._closed, self._source.rfind(b"*/", begin, at))
        self._seen = at
        return self._opened > self._closed


def _find_at_line_end(source: bytes, sign: bytes, at: int) -> int:
    """Return where the next such sign stands at a line's end; the source's length for none."""
    while (found := source.find(sign, at)) >= 0:
        if _END_OF_LINE.match(source, found + len(sign)):
            return found
        at = found + 1
    return len(source)


def _find_plain_header(source: bytes, brace: int) -> int:
    """Return where a function's header begins before a brace in the first column; -1 if unsure."""
    window = max(0, brace - 500)
    begin = max(
        source.rfind(b"\n\n", window, brace) + 2,
        source.rfind(b"*/\n", window, brace) + 3,
        source.rfind(b"}\n", window, brace) + 2,
    )
    return begin if begin > 3 and _PLAIN_HEADER.fullmatch(source, begin, brace) else -1


def _header_start(source: bytes, brace: int) -> int:
    """Return where the header of a function begins: behind a `;`, `}`, comment or directive."""
    window = max(0, brace - 2000)
    comment = source.rfind(b"*/", window, brace)
    begin = max(
        window,
        source.rfind(b";", window, brace) + 1,
        source.rfind(b"}", window, brace) + 1,
        comment + 2 if comment >= 0 else 0,
    )
    # It may be within a directive of several lines, and others may follow.
    at = line_start(source, begin)
    while at < brace:
        directive = _WHOLE_DIRECTIVE.match(source, at, brace)
        if directive is not None:
            begin = max(begin, directive.end())
        at = source.find(b"\n", max(at, directive.end() if directive else at), brace) + 1
        if at == 0:
            break
    return begin


def line_start(source: bytes, at: int) -> int:
    """Return where the line begins that an offset is in, with the lines that it continues."""
    begin = source.rfind(b"\n", 0, at) + 1
    while begin >= 2 and source[begin - 2 : begin - 1] == b"\\":
        begin = source.rfind(b"\n", 0, begin - 1) + 1
    return begin


def _is_function(source: bytes, brace: int) -> bool:
    """Tell whether a brace in the first column opens a function, not a type, block or K&R list."""
    header = source[_header_start(source, brace) : brace]
    before, parenthesis, _ = header.partition(b"(")
    words = _WORDS.findall(before)
    if not parenthesis or b"=" in before or not words or not _NO_FUNCTION.isdisjoint(words):
        return False
    # A type and a name; or a macro, as SYSCALL_DEFINE1(). A block of a loop's has neither.
    if len(words) == 1 and not words[0].isupper():
        return False
    text = header.rstrip()
    # An attribute may stand behind the parameters.
    return text.endswith(b")") or _ATTRIBUTE_AT_END.search(text) is not None


def may_go(body: bytes) -> bool:
    if b"\n" not in body or b"/*pg" in body or b"typedef" in body or b"extern" in body:
        return False
    before_braces = body.split(b"{")
    if body.count(b"}") != len(before_braces) - 1:
        return False
    # The brace that closes it may stand in a comment or a string that begins in it.
    if body.rfind(b"/*") > body.rfind(b"*/") or body.count(b'"') % 2:
        return False
    # `struct x {`, unlike nearly all.
    for text in before_braces[:-1]:
        if not text.endswith(_NO_TYPE) and _TYPE.search(text[-80:]):
            return False
    return b"#" not in body or _has_whole_conditions(body)


def _has_whole_conditions(body: bytes) -> bool:
    """Tell whether each #if in a body ends in it, and no other directive is there."""
    depth = 0
    for directive in _DIRECTIVE.finditer(body):
        if directive[1] == b"if":
            depth += 1
        elif directive[1] not in (b"else", b"elif", b"endif") or depth == 0:
            return False
        elif directive[1] == b"endif":
            depth -= 1
    return depth == 0
