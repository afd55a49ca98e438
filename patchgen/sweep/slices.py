"""Cut out of a C file what no rule can match, keep every line where it is, and put it back.

spatch parses whole files and its parser is the cost. A function that lacks the words of every rule
becomes a comment of as many lines, `/*pg7` ... `*/`; where what is kept mentions its name, its
header stays for the type, and only its body goes. The same is done with the initialisers of tables.
What spatch then writes has these comments as they were, and each is replaced by what stood there.
Only what is in the kernel's layout is cut: the braces alone in the first column, or `= {` at a
line's end and `};`. What is not laid out so, or not sure, stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patchgen.coccinelle.formula import Formula, holds, words_of

_FUNCTION = (b"\n{",)
_TABLE = (b"= {", b"={")
_END_OF_LINE = re.compile(rb"[ \t]*\n")
_END_OF_TABLE = re.compile(rb"[ \t]*;")
_WORDS = re.compile(rb"[A-Za-z_]\w*")
# A body with one of these says something about the code behind it: macros that it defines, types
# and declarations that hold for the whole file.
_TYPE = re.compile(rb"\b(?:struct|union|enum)(?:\s+\w+)?\s*\Z")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(define|undef|include|pragma|if|else|elif|endif)", re.M)
_WHOLE_DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\\\n]|\\[^\n]|\\\n)*", re.M)
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
_ATTRIBUTE_AT_END = re.compile(rb"\)\s*\w+\Z")
_DECLARED = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_DECLARATOR = re.compile(rb"[(=\[]")
_WORD_SIGN = re.compile(rb"\w")
_CUT = re.compile(rb"/\*pg(\d+)\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are these, in their order.

    `matters` is False where no rule's words are left in any function or outside of them.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


@dataclass(frozen=True, slots=True)
class _Item:
    """A function or a table: offsets of its header, its body, and behind it."""

    header: int
    body: int
    body_end: int
    end: int


def slice_source(source: bytes, needs: tuple[Formula, ...]) -> Slice:
    """Cut what satisfies none of the needs, each being what one rule needs of a function.

    A need that always holds keeps everything.
    """
    hits = _Hits(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    kept: list[_Item] = []
    cut: list[_Item] = []
    seen = []
    for item in _find_items(source):
        if hits.satisfy(item.header, item.end):
            kept.append(item)
            seen.append(source[item.header : item.end])
        elif not _may_go(source[item.body : item.body_end]):
            kept.append(item)
        else:
            cut.append(item)
    outside = hits.outside(cut)
    if hits.wanted.are_met_by(frozenset(word for _, word in outside)):
        seen += [_paragraph(source, at) for at, _ in outside]
    if not seen:
        return Slice(b"", (), False)
    # What cannot match needs no types: what it mentions is of no interest.
    return _cut(source, cut, frozenset(word for text in seen for word in _WORDS.findall(text)))


def _paragraph(source: bytes, at: int) -> bytes:
    """Return what stands between empty lines around an offset."""
    return source[source.rfind(b"\n\n", 0, at) + 1 : source.find(b"\n\n", at) % (len(source) + 1)]


def _cut(source: bytes, items: Sequence[_Item], mentioned: frozenset[bytes]) -> Slice:
    pieces: list[bytes] = []
    parts: list[bytes] = []
    at = 0
    for item in items:
        name = _name(source[item.header : item.body])
        begin, end = item.header, item.end
        if name is None or name in mentioned:
            begin, end = item.body, item.body_end
        part = source[begin:end]
        pieces += [source[at:begin], b"/*pg%d" % len(parts), b"\n" * part.count(b"\n"), b"*/"]
        parts.append(part)
        at = end
    pieces.append(source[at:])
    return Slice(b"".join(pieces), tuple(parts), True)


def _name(header: bytes) -> bytes | None:
    """Return what a header declares: the word before the first parenthesis, `[` or `=`."""
    sign = _DECLARATOR.search(header)
    before = header[: sign.start()] if sign else header
    found = _DECLARED.search(before[-100:])
    return found[1] if found else None


def find_word(text: bytes, word: bytes) -> Iterator[int]:
    """Yield where a word of C stands, not as a part of a longer one."""
    at = text.find(word)
    while at >= 0:
        before, behind = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (_WORD_SIGN.match(before) or _WORD_SIGN.match(behind)):
            yield at
        at = text.find(word, at + len(word))


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the parts back into what spatch wrote; None where one is gone, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)


def _find_items(source: bytes) -> list[_Item]:
    """Return the functions and tables in the kernel's layout.

    A body goes from behind its `{` to before the line of its `}`.
    """
    found: list[_Item] = []
    at = 0
    function = table = -1
    while True:
        if function < at:
            function = _find_open(source, _FUNCTION, at)
        if table < at:
            table = _find_open(source, _TABLE, at)
        opened = min(function, table)
        body = source.find(b"{", opened) + 1
        closed = source.find(b"\n}", body)
        if opened == len(source) or closed < 0:
            return found
        header = _header_start(source, opened)
        ends = _END_OF_TABLE.match(source, closed + 2)
        at = ends.end() if ends else closed + 2
        is_table = table < function
        if is_table == bool(ends) and (is_table or _is_function(source[header:opened])):
            # The header begins behind the line that ends what is before it.
            while source[header : header + 1] in (b"\n", b" ", b"\t"):
                header += 1
            found.append(_Item(header, body, closed, at))


def _find_open(source: bytes, signs: Iterable[bytes], at: int) -> int:
    """Return where the next of the signs stands at a line's end; the source's length for none."""
    return min(_find_at_line_end(source, sign, at) for sign in signs)


def _find_at_line_end(source: bytes, sign: bytes, at: int) -> int:
    while (found := source.find(sign, at)) >= 0:
        if _END_OF_LINE.match(source, found + len(sign)):
            return found
        at = found + 1
    return len(source)


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
    if source.find(b"#", begin, brace) >= 0:
        for directive in _WHOLE_DIRECTIVE.finditer(source, begin, brace):
            begin = directive.end()
    return begin


def _is_function(header: bytes) -> bool:
    """Tell whether a brace in the first column opens a function, not a type or a K&R list."""
    before, parenthesis, _ = header.partition(b"(")
    if not parenthesis or b"=" in before:
        return False
    text = header.rstrip()
    # An attribute may stand behind the parameters.
    return text.endswith(b")") or _ATTRIBUTE_AT_END.search(text) is not None


def _may_go(body: bytes) -> bool:
    if b"\n" not in body or b"/*pg" in body or b"typedef" in body or b"extern" in body:
        return False
    before_braces = body.split(b"{")
    if body.count(b"}") != len(before_braces) - 1:
        return False
    # `struct x {`, unlike `) {`, `else {`, `= {`.
    if any(_TYPE.search(text[-80:]) for text in before_braces[:-1] if not text.endswith(b") ")):
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


class _Wanted:
    """Sets of words that satisfy one of the needs, or none; each set is looked at once."""

    def __init__(self, needs: tuple[Formula, ...]):
        self._needs = needs
        self._known: dict[frozenset[str], bool] = {}
        words: frozenset[str] = frozenset().union(*map(words_of, needs))
        self.words = tuple(sorted(word.encode("latin-1", "replace") for word in words))

    def are_met_by(self, words: frozenset[str]) -> bool:
        """Tell whether a text with these words satisfies any of the needs."""
        known = self._known.get(words)
        if known is None:
            known = self._known[words] = any(holds(need, words) for need in self._needs)
        return known


_wanted = lru_cache(maxsize=64)(_Wanted)


class _Hits:
    """Where the words of the needs stand in a source, macros of the file that have them too."""

    def __init__(self, source: bytes, needs: tuple[Formula, ...]):
        self.wanted = _wanted(needs)
        self._source = source
        places = [
            (at, word.decode("latin-1"))
            for word in self.wanted.words
            for at in find_word(source, word)
        ]
        self._places = sorted(places + self._macro_places(places))
        self._starts = [start for start, _ in self._places]

    def words(self, begin: int, end: int) -> frozenset[str]:
        """Return the words between two offsets."""
        first, last = bisect_left(self._starts, begin), bisect_left(self._starts, end)
        return frozenset(word for _, word in self._places[first:last])

    def outside(self, items: Iterable[_Item]) -> list[tuple[int, str]]:
        """Return the words that are in none of the items (these in order), nor in comments."""
        found = []
        begin = 0
        for item in [*items, _Item(len(self._source), 0, 0, 0)]:
            first = bisect_left(self._starts, begin)
            found += self._places[first : bisect_left(self._starts, item.header)]
            begin = item.end
        return [place for place in found if not self._is_comment(place[0])]

    def _is_comment(self, at: int) -> bool:
        source = self._source
        line = source[source.rfind(b"\n", 0, at) + 1 : at].lstrip()
        if line.startswith(b"//"):
            return True
        opened = source.rfind(b"/*", 0, at)
        return line.startswith((b"*", b"/*")) and opened > source.rfind(b"*/", 0, at)

    def satisfy(self, begin: int, end: int) -> bool:
        """Tell whether what is between two offsets satisfies any of the needs."""
        return self.wanted.are_met_by(self.words(begin, end))

    def any_item_may(self) -> bool:
        """Tell whether any stretch from one item's end to the next one's satisfies a need.

        Such a stretch has no part of an item, so that this is never wrongly false; it is quick,
        and most files end here.
        """
        if self.wanted.are_met_by(frozenset()):
            return True
        if not self.wanted.are_met_by(frozenset(word for _, word in self._places)):
            return False
        return any(map(self.wanted.are_met_by, self._stretches()))

    def _stretches(self) -> Iterator[frozenset[str]]:
        """Yield the words of each stretch that has any.

        An item ends with a line that has a `}` in the first column, if all braces are closed there.
        Where braces of strings or of #if branches are in the way, too few ends are found, not too
        many.
        """
        source = self._source
        words: set[str] = set()
        # Braces are counted up to `counted`, and `depth` of them are open there.
        depth = counted = last = 0
        for at, word in self._places:
            # The line that the last word stands in may be one that ends an item.
            closed = source.find(b"\n}", max(0, source.rfind(b"\n", 0, last)), at)
            while closed >= 0 and (end := source.find(b"\n", closed + 1, at + 1)) >= 0:
                depth += source.count(b"{", counted, end) - source.count(b"}", counted, end)
                counted = end
                if depth == 0:
                    yield frozenset(words)
                    words = set()
                    break
                closed = source.find(b"\n}", end, at)
            words.add(word)
            last = at
        yield frozenset(words)

    def _macro_places(self, places: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """Return uses of macros whose text has words: spatch may put that text in their place."""
        found: list[tuple[int, str]] = []
        waiting = list(places)
        seen: set[tuple[bytes, str]] = set()
        while waiting:
            at, word = waiting.pop()
            name = self._macro_at(at)
            if name is not None and (name, word) not in seen:
                seen.add((name, word))
                uses = [(use, word) for use in find_word(self._source, name)]
                found += uses
                waiting += uses
        return found

    def _macro_at(self, at: int) -> bytes | None:
        """Return the macro whose definition an offset is in."""
        begin = self._source.rfind(b"\n", 0, at) + 1
        while begin >= 2 and self._source[begin - 2 : begin - 1] == b"\\":
            begin = self._source.rfind(b"\n", 0, begin - 1) + 1
        defined = _DEFINE.match(self._source, begin)
        return defined[1] if defined and defined.start(1) != at else None
