"""Cut out of a C file what no rule can match, keep every line where it is, and put it back.

spatch parses whole files and its parser is the cost. The body of a function that lacks the words of
every rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; the same is done with the
initialisers of tables. Their headers stay: they say types, and what stands between two items must
not move. What spatch then writes has these comments as they were, and each is replaced by what
stood there.

Only what is in the kernel's layout is cut: the braces alone in the first column, or `= {` at a
line's end and `};`. What is not laid out so, or not sure, stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patchgen.coccinelle.formula import Formula, holds, words_of

# What opens a function, and what opens a table, at a line's end.
_SIGNS = (b"\n{", b"= {", b"={")
_END_OF_LINE = re.compile(rb"[ \t\r]*(?:\n|\Z)")
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
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
# A header as most are, behind an empty line, a comment or another item: told in one look.
_PLAIN_HEADER = re.compile(
    rb"(?:(?!(?:%s)\b)[A-Za-z_]\w*[ \t\n*]+)+(?!(?:%s)\b)[A-Za-z_]\w*\([^(){};=#\"'/\\]*\)"
    % (b"|".join(sorted(_NO_FUNCTION)), b"|".join(sorted(_NO_FUNCTION)))
)
_ATTRIBUTE_AT_END = re.compile(rb"\)\s*\w+\Z")
# A word that may be a type or a variable, by what stands around it: `(word)-1`, `(word)(x)`.
_DOUBTFUL = re.compile(rb"\(\s*([A-Za-z_]\w*)[\s*]*\)\s*[-+*&(~!]|\bsizeof\s*\(\s*([A-Za-z_]\w*)")
_OF_C = frozenset(
    b"char const double enum float int long short signed struct union unsigned".split()
)
# A word that can only be a type: it declares something.
_DECLARES = re.compile(rb"(?:\s+\**|\s*\*+\s*)[A-Za-z_]")
_WORD_SIGN = re.compile(rb"\w")
_CUT = re.compile(rb"/\*pg(\d+)(?: \w+)*\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are these, in their order.

    `matters` is False where no rule's words are left in any function or outside of them.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


@dataclass(frozen=True, slots=True)
class _Body:
    """What is between the braces of a function or a table: offsets, and of the item's end."""

    begin: int
    end: int
    item_end: int


def slice_source(
    source: bytes, needs: tuple[Formula, ...], wanted: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs, each being what one rule needs of a function.

    A need that always holds keeps everything. Of the `wanted` words, those that the source has stay
    in the text, if only in a comment: spatch skips a file that lacks them.
    """
    hits = _Hits(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    cut: list[_Body] = []
    kept: list[bytes] = []
    before = 0
    for body in _find_bodies(source):
        # What stands between two items may belong to either; it is the header at least.
        if hits.satisfy(before, body.item_end):
            kept.append(source[before : body.item_end])
        elif _may_go(source[body.begin : body.end]):
            cut.append(body)
        before = body.item_end
    if not kept and not hits.wanted.are_met_by(hits.outside(cut)):
        return Slice(b"", (), False)
    return _cut(source, _keep_types(source, cut, kept), wanted)


def _keep_types(source: bytes, cut: list[_Body], kept: Iterable[bytes]) -> list[_Body]:
    """Return what is to be cut, without what spatch learns a type from that is doubtful else.

    It knows no typedef that it has not seen declare something, and reads `(u64)(x)` as a call.
    """
    doubtful = {
        word for text in kept for found in _DOUBTFUL.findall(text) for word in found if word
    } - _OF_C
    if not doubtful or not cut:
        return cut
    rest = _join(source, cut, lambda _: b"")
    for word in sorted(doubtful):
        if not _has_declaration(rest, word):
            teacher = next(
                (b for b in cut if _has_declaration(source[b.begin : b.end], word)), None
            )
            cut = [body for body in cut if body is not teacher]
    return cut


def _has_declaration(text: bytes, word: bytes) -> bool:
    return any(_DECLARES.match(text, at + len(word)) for at in find_word(text, word))


def _join(source: bytes, cut: Sequence[_Body], replace: Callable[[int], bytes]) -> bytes:
    """Return the source with something else in each place of what is cut, by its number."""
    pieces = []
    at = 0
    for number, body in enumerate(cut):
        pieces += [source[at : body.begin], replace(number)]
        at = body.end
    return b"".join([*pieces, source[at:]])


def _cut(source: bytes, cut: Sequence[_Body], wanted: Collection[str]) -> Slice:
    parts = tuple(source[body.begin : body.end] for body in cut)
    lines = [part.count(b"\n") for part in parts]
    text = _join(source, cut, lambda number: b"/*pg%d%s*/" % (number, b"\n" * lines[number]))
    lost = [word.encode() for word in sorted(wanted) if word.isidentifier()]
    lost = [word for word in lost if has_word(source, word) and not has_word(text, word)]
    if lost:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(lost), 1)
    return Slice(text, parts, True)


def find_word(text: bytes, word: bytes) -> Iterator[int]:
    """Yield where a word of C stands, not as a part of a longer one."""
    at = text.find(word)
    while at >= 0:
        before, behind = text[at - 1 : at], text[at + len(word) : at + len(word) + 1]
        if not (_WORD_SIGN.match(before) or _WORD_SIGN.match(behind)):
            yield at
        at = text.find(word, at + len(word))


def has_word(text: bytes, word: bytes) -> bool:
    """Tell whether a word of C stands in a text."""
    return next(find_word(text, word), None) is not None


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the parts back into what spatch wrote; None where one is gone, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)


def _find_bodies(source: bytes) -> Iterator[_Body]:
    """Yield the bodies of functions and tables in the kernel's layout.

    A body goes from behind its `{` to before the line of its `}`.
    """
    at = 0
    places = [-1] * len(_SIGNS)
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
        if (
            is_table == bool(ends)
            # What stands behind the brace belongs to it: `} name;`, or has a column.
            and _END_OF_LINE.match(source, at)
            and source.rfind(b"/*", 0, opened) <= source.rfind(b"*/", 0, opened)
            and (is_table or _has_header(source, opened))
        ):
            yield _Body(begin, closed, at)


def _find_at_line_end(source: bytes, sign: bytes, at: int) -> int:
    """Return where the next such sign stands at a line's end; the source's length for none."""
    while (found := source.find(sign, at)) >= 0:
        if _END_OF_LINE.match(source, found + len(sign)):
            return found
        at = found + 1
    return len(source)


def _has_header(source: bytes, brace: int) -> bool:
    """Tell whether what stands before a brace in the first column is a function's header."""
    window = max(0, brace - 500)
    begin = max(
        source.rfind(b"\n\n", window, brace) + 2,
        source.rfind(b"*/\n", window, brace) + 3,
        source.rfind(b"}\n", window, brace) + 2,
    )
    if begin > window + 3 and _PLAIN_HEADER.fullmatch(source, begin, brace):
        return True
    return _is_function(source[_header_start(source, brace) : brace])


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
    at = _line_start(source, begin)
    while at < brace:
        directive = _WHOLE_DIRECTIVE.match(source, at, brace)
        if directive is not None:
            begin = max(begin, directive.end())
        at = source.find(b"\n", max(at, directive.end() if directive else at), brace) + 1
        if at == 0:
            break
    return begin


def _line_start(source: bytes, at: int) -> int:
    """Return where the line begins that an offset is in, with the lines that it continues."""
    begin = source.rfind(b"\n", 0, at) + 1
    while begin >= 2 and source[begin - 2 : begin - 1] == b"\\":
        begin = source.rfind(b"\n", 0, begin - 1) + 1
    return begin


def _is_function(header: bytes) -> bool:
    """Tell whether a brace in the first column opens a function, not a type, block or K&R list."""
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


def _may_go(body: bytes) -> bool:
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
        places = [place for place in places if not self._is_comment(place[0])]
        self._places = sorted(places + self._macro_places(places))
        self._starts = [start for start, _ in self._places]

    def words(self, begin: int, end: int) -> frozenset[str]:
        """Return the words between two offsets."""
        first, last = bisect_left(self._starts, begin), bisect_left(self._starts, end)
        return frozenset(word for _, word in self._places[first:last])

    def outside(self, bodies: Iterable[_Body]) -> frozenset[str]:
        """Return the words that are in none of the bodies, which are in order."""
        found: list[tuple[int, str]] = []
        begin = 0
        for body in [*bodies, _Body(len(self._source), 0, 0)]:
            first = bisect_left(self._starts, begin)
            found += self._places[first : bisect_left(self._starts, body.begin)]
            begin = body.end
        return frozenset(word for _, word in found)

    def _is_comment(self, at: int) -> bool:
        source = self._source
        line = source[source.rfind(b"\n", 0, at) + 1 : at].lstrip()
        if line.startswith(b"//"):
            return True
        opened = source.rfind(b"/*", 0, at)
        if not line.startswith((b"*", b"/*")) or opened <= source.rfind(b"*/", 0, at):
            return False
        # "drivers/*" opens none.
        before = source[source.rfind(b"\n", 0, opened) + 1 : opened]
        return b'"' not in before and b"//" not in before

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
        Where braces of strings or of #if branches are in the way, more may be closed than were
        opened; from then on it cannot be told, and the rest is one stretch.
        """
        source = self._source
        words: set[str] = set()
        # Braces are counted up to `counted`, and `depth` of them are open there.
        depth = counted = last = 0
        for at, word in self._places:
            # The line that the last word stands in may be one that ends an item.
            closed = source.find(b"\n}", max(0, source.rfind(b"\n", 0, last)), at)
            has_ended = False
            while depth >= 0 <= closed and (end := source.find(b"\n", closed + 1, at + 1)) >= 0:
                depth += source.count(b"{", counted, end) - source.count(b"}", counted, end)
                counted = end
                has_ended |= depth == 0
                closed = source.find(b"\n}", end, at)
            if has_ended:
                yield frozenset(words)
                words = set()
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
        begin = _line_start(self._source, at)
        defined = _DEFINE.match(self._source, begin)
        return defined[1] if defined and defined.start(1) != at else None
