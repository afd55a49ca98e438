# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut parts of a C file that no rule can match, keeping all line numbers, and put them back.

spatch parses whole files, and parsing is the main cost. The body of a function without the words
of any rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; so do the initialisers
of tables. spatch copies these comments unchanged to its output, where each is replaced by the
original text.

Neighbouring functions without the words become one comment with their headers: for each item,
spatch copies the types seen so far, builds a flow graph and tries every rule, so a function without
its body still takes a third of the time. A header declares the type that a call returns, which does
not matter if the name occurs in no other remaining text; and it may be the first to show that a
word is a type (patchgen.sweep.typedefs). The first and the last function of such a run keep their
headers, so that nothing next to the remaining code moves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from patchgen.coccinelle import Formula, has_word
from patchgen.sweep.bodies import (
    CodeBody,
    Span,
    can_be_cut,
    find_bodies,
    remove_spans,
    replace_spans,
)
from patchgen.sweep.typedefs import find_ambiguous_types, find_type_declarers
from patchgen.sweep.words import WordIndex

_COMMENT = rb"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*"
_EXPORT = rb"\bEXPORT_SYMBOL\w*\(\w+\);"
# Text between two functions of a run. A line of slashes is one comment, not many.
_GAP = re.compile(rb"(?>\s+|%s|%s)*+" % (_COMMENT, _EXPORT))
_WORDS = re.compile(rb"[A-Za-z_]\w*")
_CUT = re.compile(rb"/\*pg(\d+)(?: \w+)*\n*\*/")


@dataclass(frozen=True, slots=True)
class Slice:
    """A file's text with parts cut out. `parts` are the cut texts, in order.

    `matters` is False if neither any function nor the text outside has the words of a rule.
    """

    text: bytes
    parts: tuple[bytes, ...]
    matters: bool


def slice_source(
    source: bytes, needs: tuple[Formula, ...], file_words: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs; each need is what one rule requires of a function.

    With a need that always holds, nothing is cut. The `file_words` that the source has are also in
    the slice, if only in a comment: spatch skips a file without them.
    """
    index = WordIndex(source, needs)
    if not index.any_item_may():
        return Slice(b"", (), False)
    cut: list[CodeBody] = []
    has_match = False
    item_start = 0
    for body in find_bodies(source):
        # Text between two items may belong to either; it is at least the header of the second.
        if index.satisfy(item_start, body.item_end):
            has_match = True
        elif can_be_cut(source[body.begin : body.end]):
            cut.append(body)
        item_start = body.item_end
    if not has_match and not index.test.are_met_by(index.outside(cut)):
        return Slice(b"", (), False)
    return _cut(source, _choose_cuts(source, cut), file_words)


def _cut(source: bytes, cut: Sequence[Span], file_words: Collection[str]) -> Slice:
    parts = tuple(source[span.begin : span.end] for span in cut)
    lines = [part.count(b"\n") for part in parts]
    comments = [b"/*pg%d%s*/" % (number, b"\n" * count) for number, count in enumerate(lines)]
    text = replace_spans(source, cut, comments.__getitem__)
    missing = [word.encode() for word in sorted(file_words) if word.isidentifier()]
    missing = [word for word in missing if has_word(source, word) and not has_word(text, word)]
    if missing:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(missing), 1)
    return Slice(text, parts, True)


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the cut parts back into spatch's output; None if one is missing, doubled or moved."""
    numbers = [int(match[1]) for match in _CUT.finditer(text)]
    if numbers != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)


# --- whole functions ---


def _choose_cuts(source: bytes, cut: Sequence[CodeBody]) -> list[Span]:
    """Return what to cut of these bodies: most bodies alone, or whole functions."""
    are_whole, remaining = _choose_whole(source, cut)
    headers = [body.outer for body, is_whole in zip(cut, are_whole, strict=True) if is_whole]
    bodies = [body.inner for body in cut]
    declarers = find_type_declarers(source, bodies, headers, find_ambiguous_types(remaining))
    if not declarers.isdisjoint(bodies):
        cut = [body for body in cut if body.inner not in declarers]
        are_whole, _ = _choose_whole(source, cut)
    are_whole = [
        is_whole and body.outer not in declarers
        for body, is_whole in zip(cut, are_whole, strict=True)
    ]
    return list(_join(source, cut, are_whole))


def _choose_whole(source: bytes, cut: Sequence[CodeBody]) -> tuple[list[bool], bytes]:
    """Return for each function whether it can be cut whole: inside of a run, its name not used.

    Also return the text that is never cut.
    """
    adjoins = [_adjoin(source, *pair) for pair in pairwise(cut)]
    spans = []
    for number, body in enumerate(cut):
        begin = body.begin if body.header < 0 else body.header
        if number and adjoins[number - 1]:
            begin = cut[number - 1].item_end
        spans.append(Span(begin, body.end))
    remaining = remove_spans(source, spans)
    is_inside = [False, *(before and after for before, after in pairwise(adjoins)), False]
    if not any(is_inside):
        return [False] * len(cut), remaining
    names = [_read_name(source, body) for body in cut]
    unused = {name for name, times in Counter(names).items() if times == 1}
    unused.difference_update(_WORDS.findall(remaining))
    are_whole = [inside and name in unused for inside, name in zip(is_inside, names, strict=False)]
    return are_whole, remaining


def _adjoin(source: bytes, first: CodeBody, second: CodeBody) -> bool:
    """Return whether two items are adjacent functions with plain headers."""
    are_plain = first.header >= 0 and second.header >= 0
    return are_plain and bool(_GAP.fullmatch(source, first.item_end, second.header))


def _read_name(source: bytes, body: CodeBody) -> bytes:
    """Return the name of a function with a plain header, b"" for others."""
    if body.header < 0:
        return b""
    return source[body.header : source.index(b"(", body.header)].split()[-1].lstrip(b"*")


def _join(source: bytes, cut: Sequence[CodeBody], are_whole: Sequence[bool]) -> Iterator[Span]:
    begin = end = -1
    for body, is_whole in zip(cut, are_whole, strict=True):
        if is_whole:
            # From the line after the previous item, which is not cut whole.
            begin = begin if begin >= 0 else source.index(b"\n", end) + 1
        else:
            if begin >= 0:
                yield Span(begin, end)
                begin = -1
            yield body.inner
        end = body.item_end
