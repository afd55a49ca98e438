# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut parts of a C file that no rule can match, keeping all line numbers, and put them back.

spatch parses whole files, and parsing is the main cost. The body of a function that lacks the words
of every rule becomes a comment of as many lines, `{/*pg7` ... `*/` and `}`; so do the initialisers
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

from patchgen.coccinelle import Formula
from patchgen.sweep.bodies import CodeBody, Span, find_bodies, may_go, replace_spans, without
from patchgen.sweep.typedefs import find_ambiguous_types, find_type_declarers
from patchgen.sweep.words import WordIndex, has_word

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
    source: bytes, needs: tuple[Formula, ...], wanted: Collection[str] = frozenset()
) -> Slice:
    """Cut what satisfies none of the needs; each need is what one rule requires of a function.

    A need that always holds keeps everything. Those of the `wanted` words that the source has
    stay in the text, if only in a comment: spatch skips a file that lacks them.
    """
    hits = WordIndex(source, needs)
    if not hits.any_item_may():
        return Slice(b"", (), False)
    cut: list[CodeBody] = []
    keeps_any = False
    before = 0
    for body in find_bodies(source):
        # Text between two items may belong to either; it is at least the header of the second.
        if hits.satisfy(before, body.item_end):
            keeps_any = True
        elif may_go(source[body.begin : body.end]):
            cut.append(body)
        before = body.item_end
    if not keeps_any and not hits.wanted.are_met_by(hits.outside(cut)):
        return Slice(b"", (), False)
    return _cut(source, _choose_cuts(source, cut), wanted)


def _cut(source: bytes, cut: Sequence[Span], wanted: Collection[str]) -> Slice:
    parts = tuple(source[span.begin : span.end] for span in cut)
    lines = [part.count(b"\n") for part in parts]
    comments = [b"/*pg%d%s*/" % (number, b"\n" * count) for number, count in enumerate(lines)]
    text = replace_spans(source, cut, comments.__getitem__)
    lost = [word.encode() for word in sorted(wanted) if word.isidentifier()]
    lost = [word for word in lost if has_word(source, word) and not has_word(text, word)]
    if lost:
        text = text.replace(b"/*pg0", b"/*pg0 " + b" ".join(lost), 1)
    return Slice(text, parts, True)


def restore(text: bytes, parts: Sequence[bytes]) -> bytes | None:
    """Put the cut parts back into spatch's output; None if one is missing, doubled or moved."""
    found = [int(match[1]) for match in _CUT.finditer(text)]
    if found != list(range(len(parts))):
        return None
    return _CUT.sub(lambda match: parts[int(match[1])], text)


# --- whole functions ---


def _choose_cuts(source: bytes, idle: Sequence[CodeBody]) -> list[Span]:
    """Return what to cut of these bodies: most bodies alone, or whole functions."""
    goes, stays = _choose_whole(source, idle)
    headers = [body.outer for body, goes_whole in zip(idle, goes, strict=True) if goes_whole]
    bodies = [body.inner for body in idle]
    tellers = find_type_declarers(source, bodies, headers, find_ambiguous_types(stays))
    if not tellers.isdisjoint(bodies):
        idle = [body for body in idle if body.inner not in tellers]
        goes, _ = _choose_whole(source, idle)
    keeps = [body.outer in tellers for body in idle]
    goes = [whole and not kept for whole, kept in zip(goes, keeps, strict=True)]
    return list(_join(source, idle, goes))


def _choose_whole(source: bytes, cut: Sequence[CodeBody]) -> tuple[list[bool], bytes]:
    """Return for each function whether it may go as a whole: inside of a run, its name not used.

    Also return the text that stays in any case.
    """
    adjoins = [_adjoin(source, *pair) for pair in pairwise(cut)]
    spans = []
    for number, body in enumerate(cut):
        begin = body.begin if body.header < 0 else body.header
        if number and adjoins[number - 1]:
            begin = cut[number - 1].item_end
        spans.append(Span(begin, body.end))
    stays = without(source, spans)
    within = [False, *(before and after for before, after in pairwise(adjoins)), False]
    if not any(within):
        return [False] * len(cut), stays
    names = [_name(source, body) for body in cut]
    once = {name for name, times in Counter(names).items() if times == 1}
    once.difference_update(_WORDS.findall(stays))
    return [inner and name in once for inner, name in zip(within, names, strict=False)], stays


def _adjoin(source: bytes, first: CodeBody, second: CodeBody) -> bool:
    """Return whether two items are adjacent functions with plain headers."""
    are_plain = first.header >= 0 and second.header >= 0
    return are_plain and bool(_GAP.fullmatch(source, first.item_end, second.header))


def _name(source: bytes, body: CodeBody) -> bytes:
    """Return the name of a function with a plain header, b"" for others."""
    if body.header < 0:
        return b""
    return source[body.header : source.index(b"(", body.header)].split()[-1].lstrip(b"*")


def _join(source: bytes, cut: Sequence[CodeBody], goes: Sequence[bool]) -> Iterator[Span]:
    begin = end = -1
    for body, goes_whole in zip(cut, goes, strict=True):
        if goes_whole:
            # From the line after the previous item, which stays.
            begin = begin if begin >= 0 else source.index(b"\n", end) + 1
        else:
            if begin >= 0:
                yield Span(begin, end)
                begin = -1
            yield body.inner
        end = body.item_end
