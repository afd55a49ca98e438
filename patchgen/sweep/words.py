# SPDX-License-Identifier: GPL-2.0-or-later
"""Find where the words of a semantic patch occur in a C file."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

from patchgen.coccinelle import (
    ANY,
    OPERATORS,
    Formula,
    find_macro,
    find_word,
    has_word,
    holds,
    words_of,
)
from patchgen.sweep.bodies import CodeBody

_STRING = re.compile(rb"(?<!\\)\"(?:\\.|[^\"\\])*+\"|'(?:\\.|[^'\\])'")
# `a /* by *// b` contains one.
_DIVISION = re.compile(rb"(?:(?<![*/])|(?<=\*/))/(?![*/])")
_OPERATORS = frozenset(operator.encode() for operator in OPERATORS)


def find_operator(text: bytes, operator: bytes) -> Iterator[int]:
    """Yield the offsets of an operator, including those in comments and strings.

    The slash of a comment mark is not an operator.
    """
    pattern = _DIVISION if operator == b"/" else re.compile(re.escape(operator))
    return (match.start() for match in pattern.finditer(text))


def is_prose(text: bytes, at: int) -> bool:
    """Return whether an offset is in a comment or a string, judging by its line and by `/*`."""
    line = _STRING.sub(b"", text[text.rfind(b"\n", 0, at) + 1 : at])
    return b'"' in line or b"//" in line or _is_in_comment(text, at)


def _begins_as_comment(text: bytes, at: int) -> bool:
    """Return whether an offset is in a line that consists of comment up to it."""
    line = text[text.rfind(b"\n", 0, at) + 1 : at].lstrip()
    return line.startswith(b"//") or (line.startswith((b"*", b"/*")) and _is_in_comment(text, at))


def _is_in_comment(text: bytes, at: int) -> bool:
    opened = text.rfind(b"/*", 0, at)
    if opened <= text.rfind(b"*/", 0, at):
        return False
    # "drivers/*" does not open a comment.
    before = text[text.rfind(b"\n", 0, opened) + 1 : opened]
    return b'"' not in before and b"//" not in before


def meet(words: frozenset[str], formula: Formula) -> bool:
    """Return whether a text with these tokens satisfies a formula."""
    found = {
        wanted
        for wanted in words_of(formula)
        if wanted in words
        or (ANY in wanted and any(has_word(word.encode(), wanted.encode()) for word in words))
    }
    return holds(formula, found)


class _NeedTest:
    """Whether sets of words satisfy one of the needs; each set is evaluated once."""

    def __init__(self, needs: tuple[Formula, ...]):
        self._needs = needs
        self._results: dict[frozenset[str], bool] = {}
        words: frozenset[str] = frozenset().union(*map(words_of, needs))
        self.words = tuple(sorted(word.encode("latin-1", "replace") for word in words))

    def are_met_by(self, words: frozenset[str]) -> bool:
        """Return whether a text with these words satisfies any of the needs."""
        result = self._results.get(words)
        if result is None:
            result = self._results[words] = any(holds(need, words) for need in self._needs)
        return result


_make_test = lru_cache(maxsize=64)(_NeedTest)


class WordIndex:
    """The offsets in a source of the words of the needs, and of macros that contain them."""

    def __init__(self, source: bytes, needs: tuple[Formula, ...]):
        self.test = _make_test(needs)
        self._source = source
        places = [
            (at, word.decode("latin-1"))
            for word in self.test.words
            for at in (find_operator if word in _OPERATORS else find_word)(source, word)
        ]
        places = [place for place in places if not _begins_as_comment(source, place[0])]
        self._places = sorted(places + self._macro_places(places))
        self._starts = [start for start, _ in self._places]

    def words(self, begin: int, end: int) -> frozenset[str]:
        """Return the words between two offsets."""
        first, last = bisect_left(self._starts, begin), bisect_left(self._starts, end)
        return frozenset(word for _, word in self._places[first:last])

    def outside(self, bodies: Iterable[CodeBody]) -> frozenset[str]:
        """Return the words outside of all these bodies, which are in order."""
        places: list[tuple[int, str]] = []
        begin = 0
        for body in [*bodies, CodeBody(len(self._source), 0, 0)]:
            first = bisect_left(self._starts, begin)
            places += self._places[first : bisect_left(self._starts, body.begin)]
            begin = body.end
        return frozenset(word for _, word in places)

    def satisfy(self, begin: int, end: int) -> bool:
        """Return whether the text between two offsets satisfies any of the needs."""
        return self.test.are_met_by(self.words(begin, end))

    def any_item_may(self) -> bool:
        """Return whether any stretch from one item's end to the next satisfies a need.

        A stretch never splits an item, so the answer is never wrongly False. The check is quick,
        and most files are dropped by it.
        """
        if self.test.are_met_by(frozenset()):
            return True
        if not self.test.are_met_by(frozenset(word for _, word in self._places)):
            return False
        return any(map(self.test.are_met_by, self._stretches()))

    def _stretches(self) -> Iterator[frozenset[str]]:
        """Yield the words of each stretch that has any.

        An item ends with a line that has a `}` in the first column, if all braces are closed there.
        Braces in strings or in #if branches may close more than were opened; from there on the ends
        of items are unknown, and the rest is one stretch.
        """
        source = self._source
        words: set[str] = set()
        # Braces are counted up to `counted`; `depth` of them are open there.
        depth = counted = last = 0
        for at, word in self._places:
            # The line of the last word may be one that ends an item.
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
        """Return the uses of macros whose definition has words: spatch may expand them."""
        uses: list[tuple[int, str]] = []
        waiting = list(places)
        seen: set[tuple[bytes, str]] = set()
        while waiting:
            at, word = waiting.pop()
            name = find_macro(self._source, at)
            if name is not None and (name, word) not in seen:
                seen.add((name, word))
                name_uses = [(use, word) for use in find_word(self._source, name)]
                uses += name_uses
                waiting += name_uses
        return uses
