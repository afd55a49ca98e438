# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of neighbouring functions that need not be seen, each run replaced by one comment.

For each item, spatch copies the types seen so far, builds a flow graph and tries every rule, so a
function without its body still takes a third of the time. A header declares the type that a call
returns, which does not matter if the name occurs in no other remaining text; and it may be the
first to show that a word is a type (patchgen.sweep.typedefs). The first and the last function of a
run keep their headers, so that nothing next to the remaining code moves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from patchgen.sweep.bodies import CodeBody
from patchgen.sweep.spans import Span, without
from patchgen.sweep.typedefs import find_ambiguous_types, find_type_declarers

_COMMENT = rb"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*"
_EXPORT = rb"\bEXPORT_SYMBOL\w*\(\w+\);"
# Text between two functions of a run. A line of slashes is one comment, not many.
_GAP = re.compile(rb"(?>\s+|%s|%s)*+" % (_COMMENT, _EXPORT))
_WORDS = re.compile(rb"[A-Za-z_]\w*")


def choose_cuts(source: bytes, idle: Sequence[CodeBody]) -> list[Span]:
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
