"""Cut out of a C file what no rule can match, keep every line where it is, and put it back.

spatch parses whole files and its parser is the cost. The body of a function that lacks the words of
every rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; the same is done with the
initialisers of tables. Their headers stay: they say types, and what stands between two items must
not move. What spatch then writes has these comments as they were, and each is replaced by what
stood there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from patchgen.coccinelle.formula import Formula
from patchgen.sweep.bodies import Body, find_bodies, may_go
from patchgen.sweep.words import Hits, find_word, has_word

# A word that may be a type or a variable, by what stands around it: `(word)-1`, `(word)(x)`.
_DOUBTFUL = re.compile(rb"\(\s*([A-Za-z_]\w*)[\s*]*\)\s*[-+*&(~!]|\bsizeof\s*\(\s*([A-Za-z_]\w*)")
_OF_C = frozenset(
    b"char const double enum float int long short signed struct union unsigned".split()
)
# A word that can only be a type: it declares something.
_DECLARES = re.compile(rb"(?:\s+\**|\s*\*+\s*)[A-Za-z_]")
_CUT = re.compile(rb"/\*pg(\d+)(?: \w+)*\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are these, in their order.

    `matters` is False where no rule's words are left in any function or outside of them.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


def slice_source(
    source: bytes, needs: tuple[Formula, ...], wanted: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs, each being what one rule needs of a function.

    A need that always holds keeps everything. Of the `wanted` words, those that the source has stay
    in the text, if only in a comment: spatch skips a file that lacks them.
    """
    hits = Hits(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    cut: list[Body] = []
    kept: list[bytes] = []
    before = 0
    for body in find_bodies(source):
        # What stands between two items may belong to either; it is the header at least.
        if hits.satisfy(before, body.item_end):
            kept.append(source[before : body.item_end])
        elif may_go(source[body.begin : body.end]):
            cut.append(body)
        before = body.item_end
    if not kept and not hits.wanted.are_met_by(hits.outside(cut)):
        return Slice(b"", (), False)
    return _cut(source, _keep_types(source, cut, kept), wanted)


def _keep_types(source: bytes, cut: list[Body], kept: Iterable[bytes]) -> list[Body]:
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


def _join(source: bytes, cut: Sequence[Body], replace: Callable[[int], bytes]) -> bytes:
    """Return the source with something else in each place of what is cut, by its number."""
    pieces = []
    at = 0
    for number, body in enumerate(cut):
        pieces += [source[at : body.begin], replace(number)]
        at = body.end
    return b"".join([*pieces, source[at:]])


def _cut(source: bytes, cut: Sequence[Body], wanted: Collection[str]) -> Slice:
    parts = tuple(source[body.begin : body.end] for body in cut)
    lines = [part.count(b"\n") for part in parts]
    text = _join(source, cut, lambda number: b"/*pg%d%s*/" % (number, b"\n" * lines[number]))
    lost = [word.encode() for word in sorted(wanted) if word.isidentifier()]
    lost = [word for word in lost if has_word(source, word) and not has_word(text, word)]
    if lost:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(lost), 1)
    return Slice(text, parts, True)


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the parts back into what spatch wrote; None where one is gone, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)
