# SPDX-License-Identifier: GPL-2.0-or-later
"""Split the purpose of a semantic patch, its `///` lines, into a summary and the text below it."""

from __future__ import annotations

import re
import textwrap
from itertools import groupby

_WIDTH = 72
# An empty or indented line, an item of a list, a quotation, a command, or a line of dashes.
_FIXED = re.compile(r"\s|\Z|[-*>$] |\d+[.)] |---")
# The end of a sentence, at the end of a line or before an upper-case letter or a function; a line
# that begins with a capitalised word of prose; an empty or indented line, or an item of a list.
_END = re.compile(
    r"(?P<stop>[.!?])(?=\s*\Z|[ ]*\n|\s+[^\sa-z]|\s+\w+\()"
    r"|\n(?=[A-Z][a-z]*[ ]+[a-z])|\n(?=\n|[ \t]|[-*] |\d+[.)] )"
)
_ABBREVIATION = re.compile(r"\b(?:cf|e\.g|etc|i\.e|resp|vs)\Z", re.IGNORECASE)
# Words that do not end a sentence, so that the capitalised word after them is a name.
_INCOMPLETE = re.compile(
    r"(?:,|\b(?:a|an|and|are|as|at|by|for|from|if|in|into|is|like|not|of|on|or|than|that|the|to|"
    r"when|which|with))\Z",
    re.IGNORECASE,
)


def split_purpose(purpose: str) -> tuple[str, str]:
    """Return the first sentence of a purpose on one line, and the text after it.

    The sentence has no full stop. It may be a whole paragraph, and too long for a subject. If the
    sentence was only the beginning of a paragraph, the rest of this paragraph is refilled.
    """
    text = purpose.strip()
    end = next((match.end() for match in _END.finditer(text) if _is_end(text, match)), len(text))
    subject = " ".join(text[:end].split()).removesuffix(".")
    rest = text[end:]
    if not text[:end].endswith("\n"):
        # Keep the indentation of a line below the sentence.
        rest = rest.lstrip(" \t").removeprefix("\n")
    if rest.startswith("\n"):
        return subject, rest.strip("\n")
    paragraph, gap, others = rest.partition("\n\n")
    return subject, f"{refill(paragraph)}{gap}{others}"


def find_summary_fault(sentence: str, room: int) -> str:
    """Return why the first sentence of a purpose cannot be a subject, "" if it can.

    `room` is the number of characters that a subject has for it.
    """
    if not sentence:
        return "it has no /// lines"
    if len(sentence) > room:
        return (
            f"the first sentence of its /// lines has {len(sentence)} characters, but a subject "
            f"has room for {room}"
        )
    return "its /// lines begin with the introduction of a list" if sentence.endswith(":") else ""


def refill(text: str) -> str:
    """Fill the lines of prose anew; indented lines and items of lists are not changed."""
    parts = []
    for is_fixed, lines in groupby(text.split("\n"), lambda line: bool(_FIXED.match(line))):
        block = "\n".join(lines)
        parts.append(block if is_fixed else _fill(block))
    return "\n".join(parts)


def _fill(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _is_end(text: str, match: re.Match[str]) -> bool:
    before = text[: match.start()]
    if match["stop"]:
        return not _ABBREVIATION.search(before)
    begins_paragraph = not text[match.end() : match.end() + 1].isupper()
    return begins_paragraph or not _INCOMPLETE.search(before)
