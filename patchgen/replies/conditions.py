# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions of tags: "With the comment fixed:", "if the tests pass", "Please rename it."

A conditional tag that is added unconditionally is a false statement in the reviewer's name. People
write conditions on the line of the tag, in the paragraph above and in the one below. A wrong guess
that text is a condition costs little: the tag is listed, and the user can add it by hand. So any
text that may be a condition is treated as one, and so is one that takes a tag back.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_CONJUNCTIONS = (
    r"if|once|when|whenever|unless|until|provided|providing|assuming|after|modulo|except|excepting"
    r"|excluding|barring|pending|minus|otherwise|conditional(?:ly)?|conditioned|contingent"
    r"|tentative(?:ly)?|subject\s+to|(?:as|so)\s+long\s+as|given\s+that|on\s+condition|in\s+case"
    r"|(?:apart|aside)\s+from|other\s+than"
)
_CHANGED = (
    r"fix(?:ed|es|ing)?|address(?:ed|ing)?|changed?|changes|correct(?:ed|ions?)?|resolved|updated?"
    r"|removed|dropped|renamed|moved|reworded|rewritten|clarified|replaced|adjusted|tweaked|tweaks?"
    r"|cleaned|split|squashed|folded|documented|mentioned|sorted|nits?|done|in\s+place|taken\s+care"
)
# "I take back my", "please do not add": the sender withdraws or withholds the tag.
_RETRACTIONS = (
    r"withdraw\w*|retract\w*|revok\w+|(?:take|took|taking)\s+(?:it\s+|that\s+)?back|not\s+yet"
    r"|(?:do\s+not|don['\u2019]t|cannot|can['\u2019]t|won['\u2019]t)\s+(?:add|take|give|use|apply|offer)"
    r"|no\s+longer\s+(?:stands?|valid|applies|holds?|give)|nack(?:ed)?"
)
_CONDITION = re.compile(
    rf"\b(?:{_CONJUNCTIONS}|{_RETRACTIONS}|with\s+(?:that|those|which))\b"
    r"|\bplease\b(?!\s+(?:feel|add|take|pick|queue|apply|include|find|see|consider|let)\b)",
    re.IGNORECASE,
)
# "With the comment fixed" is a condition; "I tested it with KVM." is not.
_DEMAND = re.compile(r"\b(?:with(?:out)?|needs?|must|(?:can|could|would)\s+you)\b", re.IGNORECASE)
_CHANGE = re.compile(rf"\b(?:{_CHANGED})\b", re.IGNORECASE)
# "Fix the comment, and you have my"
_ORDER = re.compile(
    r"(?:^|[,;:]\s*)(?:just\s+)?(?:fix|drop|rename|remove|move|split|correct|squash|fold|reword)\b",
    re.IGNORECASE,
)
# "Fine by me, with the comment:" introduces the tag.
_INTRODUCTION = re.compile(r"(?:^|[,;:]\s*)with(?:out)?\b", re.IGNORECASE)
# After an address, these are not part of a name.
_RESERVATION = re.compile(r"\b(?:with|without|but|however|though|not)\b", re.IGNORECASE)
# It refers to a diff above. "With that folded in" demands a change.
_REFERENCE = re.compile(
    r"\W*(?:and |so )?with (?:that|this|these|those|the above)(?: one)?\W*", re.IGNORECASE
)
# The beginning of a clause that belongs to the text before it.
_CONTINUATION = re.compile(rf"[\W_]*(?:{_CONJUNCTIONS}|with|but|though)\b")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ADDRESS = re.compile(r"\S+@\S+")
# In characters. People do not write longer lines, and regular expressions would take long.
MAX_LENGTH = 1000
# The number of lines of a paragraph that are read.
_MAX_LINES = 20


def find_reservation(text: str) -> str:
    """Return the text after a tag's address if it may be a condition, "" otherwise."""
    return text.strip() if _RESERVATION.search(text) or _is_condition(text) else ""


def find_conditions(
    lines: Sequence[str], tags: Sequence[int], *, follows_diff: bool
) -> dict[int, str]:
    """Return the problems of tags with a condition in the text around them, by line number.

    `tags` are the numbers of the lines with tags, in order. If the sender wrote a diff
    (`follows_diff`), "With that:" refers to it, and is not a condition: b4 adds such a tag, too.
    """
    problems: dict[int, str] = {}
    for upwards, where in ((True, "below"), (False, "above")):
        by_block: dict[int, str] = {}
        for number, text, is_adjacent, block in read_paragraphs(lines, tags, upwards=upwards):
            if follows_diff and not upwards and _REFERENCE.fullmatch(text):
                continue
            is_about_tag = not upwards or is_adjacent or _CONTINUATION.match(text)
            if is_about_tag and (condition := _find_condition(text)):
                by_block[block] = f'the text {where} it has a condition: "{condition}"'
            if block in by_block:
                problems[number] = by_block[block]
    return problems


class Paragraph(NamedTuple):
    """The paragraph next to a tag on line `number`, adjacent if only tags are between the two.

    Tags without an empty line between them are in one `block`: text above the first one is about
    all of them, even with other text between them ("Thanks!").
    """

    number: int
    text: str
    is_adjacent: bool
    block: int


def read_paragraphs(
    lines: Sequence[str], tags: Sequence[int], *, upwards: bool
) -> Iterator[Paragraph]:
    """Yield the paragraph above each tag's line, or, reading `upwards`, the one below."""
    tag_numbers = set(tags)
    paragraph: deque[str] = deque(maxlen=_MAX_LINES)
    text = ""
    block = 0
    is_open = is_adjacent = False
    numbers = range(len(lines))
    for number in reversed(numbers) if upwards else numbers:
        line = lines[number]
        if number not in tag_numbers and line.strip():
            if not is_open:
                paragraph.clear()
            paragraph.append(line[:MAX_LENGTH].strip())
            is_open = is_adjacent = True
            continue
        if is_open:
            text = " ".join(reversed(paragraph) if upwards else paragraph)
            is_open = False
        if number in tag_numbers:
            yield Paragraph(number, text, is_adjacent, block)
        else:
            is_adjacent = False
            block = number


@lru_cache(maxsize=8)
def _find_condition(text: str) -> str:
    """Return the first sentence that may be a condition, "" without one."""
    sentences = _SENTENCE_END.split(_ADDRESS.sub("", text))
    return next((sentence for sentence in sentences if _is_condition(sentence)), "")


def _is_condition(sentence: str) -> bool:
    """Return whether a sentence, or part of one, may be a condition."""
    if _CONDITION.search(sentence) or _ORDER.search(sentence) or _REFERENCE.fullmatch(sentence):
        return True
    if (match := _DEMAND.search(sentence)) and _CHANGE.search(sentence, match.end()):
        return True
    return not sentence.endswith((".", "!", "?")) and bool(_INTRODUCTION.search(sentence))
