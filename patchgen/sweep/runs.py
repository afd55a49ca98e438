"""Runs of functions of which nothing is left to see: one comment in the place of several of them.

For each item spatch copies the types that it has met, draws a flow graph and tries every rule, so
that a function without its body still takes a third of the time. A header says the type of what a
call returns, which nothing asks for where the name is in no other text that stays. The first and
the last function of a run keep theirs, so that nothing moves beside what is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from patchgen.sweep.bodies import Body
from patchgen.sweep.spans import Span, without

_COMMENT = rb"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|//[^\n]*"
_EXPORT = rb"\bEXPORT_SYMBOL\w*\(\w+\);"
# What may stand between two functions of a run. A line of slashes is one comment, not many.
_GAP = re.compile(rb"(?>\s+|%s|%s)*+" % (_COMMENT, _EXPORT))
_SAYS_NOTHING = re.compile(rb"%s|%s" % (_COMMENT, _EXPORT))
_WORDS = re.compile(rb"[A-Za-z_]\w*")


def join_runs(source: bytes, cut: Sequence[Body]) -> list[Span]:
    """Return what is to be cut where these bodies are: whole functions where that may be."""
    adjoins = [_adjoin(source, *pair) for pair in pairwise(cut)]
    may_go = [False, *(before and behind for before, behind in pairwise(adjoins)), False]
    if not any(may_go):
        return [body.inner for body in cut]
    said = _SAYS_NOTHING.sub(b"", without(source, [body.inner for body in cut]))
    times = Counter(_WORDS.findall(said))
    goes = [may and times[_name(source, body)] == 1 for may, body in zip(may_go, cut, strict=True)]
    return list(_join(source, cut, goes))


def _adjoin(source: bytes, first: Body, second: Body) -> bool:
    """Tell whether two items are functions with plain headers, and neighbours."""
    are_plain = first.header >= 0 and second.header >= 0
    return are_plain and bool(_GAP.fullmatch(source, first.item_end, second.header))


def _name(source: bytes, body: Body) -> bytes:
    """Return the name of a function with a plain header."""
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
