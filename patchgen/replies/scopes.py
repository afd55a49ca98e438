# SPDX-License-Identifier: GPL-2.0-or-later
"""Scopes of tags: "For patches 1-3:", "# 2/4", "the first two patches", "For the mm parts:".

A tag in an answer to a cover letter may be for some patches only, and a tag for a patch may be for
part of it. People write that on the line of the tag, in the paragraph above, and in the one below.
As with conditions, a wrong guess costs little, since the tag is listed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patchgen.replies.conditions import MAX_LENGTH, read_paragraphs

_COUNT = r"one|two|three|four|five|six|seven|eight|nine|ten"
_PLACE = r"first|second|third|fourth|fifth|last|latter|former|other|remaining|previous|next"
_GAP = r"[ \t]*(?:-|\u2013|,|&|and|to)[ \t]*"
# "patches 1-3", "patch two", "the last two patches", "all but"
_NAMED = (
    r"\bpatch(?:es)?[ \t]*(?:#|no\.?|number)?[ \t]*\d[^a-z]*"
    r"(?:(?:and|to|through|or|till|until)[ \t]*#?\d[^a-z]*)*"
    rf"|\bpatch(?:es)?[ \t]+(?:{_COUNT})\b"
    rf"|\b(?:{_PLACE})\b[ \t]+(?:(?:\d+|{_COUNT}|few|couple[ \t]+of)[ \t]+)?"
    r"(?:patch(?:es)?|ones?)\b"
    r"|\ball[ \t]+but\b"
)
# "2/4", "1-2/4"; "for 1-2:" and "p1, p2:" at the end of a line
_PATCHES = re.compile(
    rf"{_NAMED}|(?<![\d/.-])(?!0+/)\d{{1,4}}(?:[ \t]?-[ \t]?\d{{1,4}})?/\d{{1,4}}(?![\d/.-])"
    rf"|\b(?:for|on|of)[ \t]+#?\d{{1,3}}(?:{_GAP}#?\d{{1,3}})*(?=[ \t]*(?:[:,]|$))"
    rf"|(?<![\w.])(?:p|\#)\d{{1,3}}(?:{_GAP}[p#]?\d{{1,3}})*(?=[ \t]*(?::|$))",
    re.IGNORECASE,
)
_IN_MAIL = re.compile(_NAMED, re.IGNORECASE)
# Part of the code: "for the mm parts", "the x86 bits are".
_PARTS = re.compile(
    r"\b(?:for|on)[ \t]+(?:the|my|our|all)[ \t]+(?:\S+[ \t]+){0,4}?"
    r"(?:parts?|bits?|pieces?|portions?|sides?|half|changes)\b"
    r"|\b(?:the|my|our)[ \t]+(?:\S+[ \t]+){1,3}?(?:parts?|bits|pieces|portions?)\b",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"(\d+)(?:[ \t]*/[ \t]*\d+|[ \t]*(?:-|\u2013|\.{2,3}|to|through)[ \t]*#?(\d+))?"
)
_ALL = re.compile(
    r"\b(?:the|whole|entire|complete|full)[ \t]+(?:patch[ \t]?)?(?:series|set)\b"
    r"|\ball[ \t]+(?:of[ \t]+)?(?:the[ \t]+|these[ \t]+)?(?:\d+[ \t]+)?patches\b",
    re.IGNORECASE,
)
# The beginning of a text below a tag that belongs to it.
_CONTINUATION = re.compile(r"\(?(?:for|on|only|patch(?:es)?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scope:
    """The text that restricts a tag, "" if none does.

    It `is_near` if it is next to the tag. Other text may be about anything: it only restricts a tag
    for the whole series.
    """

    text: str = ""
    is_near: bool = True

    def includes(self, number: int | None, named: Collection[int]) -> bool:
        """Return whether a tag with this scope is for a patch; None is the whole series.

        `named` are the branch's patches that the scope names by number.
        """
        if not self.text or (number is not None and not self.is_near):
            return True
        if number is None:
            return False
        return number in named if list_numbers(self.text) else not _PARTS.search(self.text)


def find_scope(text: str) -> str:
    """Return the patches that a text next to a tag names, "" if it names none."""
    match = _PATCHES.search(text[:MAX_LENGTH])
    return match[0].strip() if match else ""


def find_scopes(lines: Sequence[str], tags: Sequence[int]) -> dict[int, Scope]:
    """Return the scopes of tags from the text around them, by line number."""
    scopes: dict[int, Scope] = {}
    if named := _find_in_mail(lines, tags):
        scopes = dict.fromkeys(tags, Scope(named, is_near=False))
    by_block: dict[int, Scope] = {}
    for number, text, is_adjacent, block in read_paragraphs(lines, tags, upwards=False):
        if scope := _find_in_paragraph(text):
            by_block[block] = Scope(scope, is_near=is_adjacent or text.endswith(":"))
        elif _ALL.search(text):
            scopes.pop(number, None)
            by_block.pop(block, None)
        if block in by_block:
            scopes[number] = by_block[block]
    for number, text, is_adjacent, _ in read_paragraphs(lines, tags, upwards=True):
        # A text with a colon is about the next tag.
        if (
            _CONTINUATION.match(text)
            and not text.endswith(":")
            and (scope := _find_in_paragraph(text))
        ):
            scopes[number] = Scope(scope, is_near=is_adjacent)
    return scopes


@lru_cache(maxsize=8)
def list_numbers(scope: str) -> frozenset[int]:
    """Return the numbers of patches in a scope, none if it names the patches otherwise."""
    numbers: set[int] = set()
    # "The 64-bit parts" names no patch.
    for first, last in _NUMBERS.findall(scope) if find_scope(scope) else ():
        # A mail may claim any number.
        numbers.update(range(int(first), min(int(last or first), int(first) + 9999) + 1))
    return frozenset(numbers)


def _find_in_mail(lines: Sequence[str], tags: Sequence[int]) -> str:
    """Return the first patches that any text of a mail names, "" if it names none."""
    numbers = set(tags)
    texts = (line[:MAX_LENGTH] for number, line in enumerate(lines) if number not in numbers)
    matches = filter(None, map(_IN_MAIL.search, texts))
    return next((match[0].strip() for match in matches), "")


@lru_cache(maxsize=8)
def _find_in_paragraph(text: str) -> str:
    """Return the patches, or the part of the code, that a paragraph names; "" if none."""
    match = _PARTS.search(text[-MAX_LENGTH:])
    return find_scope(text) or (match[0] if match else "")
