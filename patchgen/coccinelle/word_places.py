# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the words of a semantic patch in a source, and why a rule did not match at one of them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from patchgen.coccinelle.choices import ANY
from patchgen.ctokens import find_prose
from patchgen.model.leftover import Leftover, LeftReason
from patchgen.model.outcome import UnparsedFunction

_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")
_WORD_CHARACTER = re.compile(rb"\w")
_ANY = ANY.encode()
_Span = tuple[int, int]


def find_line_start(source: bytes, at: int) -> int:
    """Return the start of the line at an offset, or of the first line that it continues."""
    begin = source.rfind(b"\n", 0, at) + 1
    while begin >= 2 and source[begin - 2 : begin - 1] == b"\\":
        begin = source.rfind(b"\n", 0, begin - 1) + 1
    return begin


def find_word(text: bytes, word: bytes) -> Iterator[int]:
    """Yield the offsets of a C word, except inside of longer words.

    It may also be a string, or a pattern of a word (patchgen.coccinelle.choices).
    """
    wanted = word.strip(_ANY)
    # A string may have a prefix: `L"..."`.
    is_word = word == wanted and not word.startswith(b'"')
    must_begin = is_word or not word.startswith((_ANY, b'"'))
    must_end = is_word or not word.endswith((_ANY, b'"'))
    at = text.find(wanted)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(wanted) : at + len(wanted) + 1]
        begins_inside = must_begin and _WORD_CHARACTER.match(before)
        ends_inside = must_end and _WORD_CHARACTER.match(after)
        if not (begins_inside or ends_inside):
            yield at
        at = text.find(wanted, at + len(wanted))


def count_word(text: bytes, word: bytes) -> int:
    """Return how often a text has a C word, except inside of longer words."""
    return sum(1 for _ in find_word(text, word))


def find_macro(source: bytes, at: int) -> bytes | None:
    """Return the macro in whose definition an offset is, None if it is its name."""
    defined = _DEFINE.match(source, find_line_start(source, at))
    return defined[1] if defined and defined.start(1) != at else None


def has_word(text: bytes, word: bytes) -> bool:
    """Return whether a text has a C word."""
    return next(find_word(text, word), None) is not None


class WordJudge:
    """Tells why rules leave the words in the text of a C file."""

    def __init__(self, text: bytes):
        self._text = text
        self._prose = find_prose(text)
        self._disabled = _find_disabled(text, self._prose)

    def judge(self, at: int, word: str) -> LeftReason:
        """Return why a word at an offset was left, as far as the text determines it."""
        text = self._text
        is_path = _is_included_path(text, at, self._prose)
        if is_path and word.isidentifier():
            return LeftReason.INCLUDE
        if not is_path and _is_within(self._prose, at):
            return LeftReason.PROSE
        if _is_within(self._disabled, at):
            return LeftReason.DISABLED
        return LeftReason.UNCHANGED if find_macro(text, at) is None else LeftReason.MACRO


def refine_reason(
    reason: LeftReason, line: int, unparsed: Iterable[UnparsedFunction]
) -> LeftReason:
    """Return the reason why a word was left, with the code of its file that spatch did not parse.

    A line is the one in the text that spatch read.
    """
    is_unparsed = reason is LeftReason.UNCHANGED and any(
        place.line <= line <= place.end for place in unparsed
    )
    return LeftReason.UNPARSED if is_unparsed else reason


def find_words_left(
    path: PurePosixPath, text: bytes, words: Collection[str], unparsed: Sequence[UnparsedFunction]
) -> list[Leftover]:
    """Return the places of words in a C file in which no rule matched."""
    found = sorted((at, word) for word in words for at in find_word(text, word.encode()))
    if not found:
        return []
    judge = WordJudge(text)
    places, line, counted = [], 1, 0
    for at, word in found:
        line += text.count(b"\n", counted, at)
        counted = at
        reason = refine_reason(judge.judge(at, word), line, unparsed)
        places.append(Leftover(path, line, word, reason))
    return places


def _is_within(spans: Sequence[_Span], at: int) -> bool:
    """Return whether an offset is in one of the spans, which are in order."""
    number = bisect_right(spans, (at, len(spans) and spans[-1][1])) - 1
    return number >= 0 and at < spans[number][1]


_INCLUDE = re.compile(rb"[ \t]*#[ \t]*include(?:_next)?[ \t]*(?P<path><[^>\n]*>|\"[^\"\n]*\")")


def _is_included_path(text: bytes, at: int, prose: Sequence[_Span]) -> bool:
    """Return whether an offset is in the path of an `#include` line, outside of comments."""
    begin = find_line_start(text, at)
    match = _INCLUDE.match(text, begin)
    return (
        match is not None
        and match.start("path") < at < match.end("path")
        and not _is_within(prose, begin)
    )


_CONDITION = re.compile(
    rb"^[ \t]*#[ \t]*(?P<kind>if|ifdef|ifndef|elif|else|endif)\b[ \t]*(?P<value>[01]\b)?", re.M
)


def _find_disabled(text: bytes, prose: Sequence[_Span]) -> list[_Span]:
    """Return begin and end of each stretch in `#if 0`, or in the #else of `#if 1`, in order.

    spatch skips these (parsing_hacks.ml), as the compiler does.
    """
    found: list[_Span] = []
    # For each open condition, where its disabled stretch begins, and whether the next is disabled.
    opened: list[tuple[int | None, bool]] = []
    for match in _CONDITION.finditer(text):
        if _is_within(prose, match.start()):
            continue
        if match["kind"].startswith(b"if"):
            value = match["value"] if match["kind"] == b"if" else None
            opened.append((match.end() if value == b"0" else None, value == b"1"))
        elif opened:
            begin, is_next_disabled = opened.pop()
            if begin is not None:
                # A stretch contains those within it.
                found = [span for span in found if span[0] < begin]
                found.append((begin, match.start()))
            if match["kind"] != b"endif":
                opened.append((match.end() if is_next_disabled else None, False))
    return found
