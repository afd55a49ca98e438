"""Runs of functions of which nothing is left to see: one comment in the place of several of them.

For each item spatch copies the types that it has met, draws a flow graph and tries every rule, so
that a function without its body still takes a third of the time. A header says the type of what a
call returns, which nothing asks for where the name is in no other text that stays, and may be the
first to tell what is a type (patchgen.sweep.types). The first and the last function of a run keep
theirs, so that nothing moves beside what is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from patchgen.sweep.bodies import Body
from patchgen.sweep.spans import Span, without
from patchgen.sweep.types import find_doubtful, find_tellers

_COMMENT = rb"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*"
_EXPORT = rb"\bEXPORT_SYMBOL\w*\(\w+\);"
# What may stand between two functions of a run. A line of slashes is one comment, not many.
_GAP = re.compile(rb"(?>\s+|%s|%s)*+" % (_COMMENT, _EXPORT))
_WORDS = re.compile(rb"[A-Za-z_]\w*")


def choose_cuts(source: bytes, idle: Sequence[Body]) -> list[Span]:
    """Return what is to be cut where these bodies are: most of them, or whole functions."""
    goes, stays = _choose_whole(source, idle)
    headers = [body.outer for body, goes_whole in zip(idle, goes, strict=True) if goes_whole]
    bodies = [body.inner for body in idle]
    told = find_tellers(source, bodies, headers, find_doubtful(stays))
    if not told.isdisjoint(bodies):
        idle = [body for body in idle if body.inner not in told]
        goes, _ = _choose_whole(source, idle)
    keeps = [body.outer in told for body in idle]
    goes = [whole and not kept for whole, kept in zip(goes, keeps, strict=True)]
    return list(_join(source, idle, goes))


def _choose_whole(source: bytes, cut: Sequence[Body]) -> tuple[list[bool], bytes]:
    """Tell of each function whether it may go whole: within a run, and its name not used.

    Return also the text that stays in any case.
    """
    adjoins = [_adjoin(source, *pair) for pair in pairwise(cut)]
    spans = []
    for number, body in enumerate(cut):
        begin = body.begin if body.header < 0 else body.header
        if number and adjoins[number - 1]:
            begin = cut[number - 1].item_end
        spans.append(Span(begin, body.end))
    stays = without(source, spans)
    within = [False, *(before and behind for before, behind in pairwise(adjoins)), False]
    if not any(within):
        return [False] * len(cut), stays
    names = [_name(source, body) for body in cut]
    once = {name for name, times in Counter(names).items() if times == 1}
    once.difference_update(_WORDS.findall(stays))
    return [inner and name in once for inner, name in zip(within, names, strict=False)], stays


def _adjoin(source: bytes, first: Body, second: Body) -> bool:
    """Tell whether two items are functions with plain headers, and neighbours."""
    are_plain = first.header >= 0 and second.header >= 0
    return are_plain and bool(_GAP.fullmatch(source, first.item_end, second.header))


def _name(source: bytes, body: Body) -> bytes:
    """Return the name of a function with a plain header, b"" for others."""
    if body.header < 0:
        return b""
    return source[body.header : source.index(b"(", body.header)].split()[-1].lstrip(b"*")


def _join(source: bytes, cut: Sequence[Body], goes: Sequence[bool]) -> Iterator[Span]:
    begin = end = -1
    for body, goes_whole in zip(cut, goes, strict=True):
        if goes_whole:
            # From the line behind the item before, which stays.
            begin = begin if begin >= 0 else source.index(b"\n", end) + 1
        else:
            if begin >= 0:
                yield Span(begin, end)
                begin = -1
            yield body.inner
        end = body.item_end
