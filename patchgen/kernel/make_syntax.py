# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines and the text functions of makefiles, as far as they need no variables.

GNU make manual, sections 3.1.1 (splitting long lines), 6.5 (setting), 6.8 (define), and chapter 8
(functions).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

CLOSES = {"(": ")", "{": "}"}


def join_lines(text: str) -> Iterator[str]:
    """Yield lines; lines continued by a backslash are joined."""
    return iter(re.sub(r"(?<![ \t])(?:[ \t]*+\\\n)+[ \t]*+", " ", text).split("\n"))


def read_define(lines: Iterator[str]) -> Iterator[str]:
    depth = 1
    for line in lines:
        keyword = line.strip().partition(" ")[0]
        depth += (keyword == "define") - (keyword == "endef")
        if depth == 0:
            return
        yield line


def strip_comment(line: str) -> str:
    return re.sub(r"(?<!\\)#.*", "", line).replace("\\#", "#") if "#" in line else line


def find_closing(text: str, at: int) -> int:
    """Return the offset at which the bracket at an offset is closed, the end if it is not."""
    opened, closed = text[at], CLOSES[text[at]]
    depth = 0
    for offset in range(at, len(text)):
        depth += (text[offset] == opened) - (text[offset] == closed)
        if depth == 0:
            return offset
    return len(text)


def split_arguments(text: str) -> list[str]:
    """Split at commas that are not in brackets."""
    parts = []
    depth = begin = 0
    for match in re.finditer(r"[({,)}]", text):
        character = match[0]
        depth += (character in "({") - (character in ")}")
        if character == "," and depth <= 0:
            parts.append(text[begin : match.start()])
            begin = match.end()
    return [*parts, text[begin:]]


def read_assignment(line: str) -> tuple[str, str, str] | None:
    """Return name, operator and text of an assignment, None for a rule or any other line.

    `target: NAME = text` is a rule: it sets a target-specific variable.
    """
    at = 0
    while at < len(line):
        if line[at] == "$" and line[at + 1 : at + 2] in CLOSES:
            at = find_closing(line, at + 1) + 1
            continue
        operator = re.compile(r"::?=|[?+!]?=").match(line, at)
        if operator is not None:
            name = line[:at].strip()
            return (name, operator[0], line[operator.end() :].strip()) if name else None
        if line[at] == ":":
            return None
        at += 1
    return None


def _patsubst(pattern: str, new: str, word: str) -> str:
    stem = _match_stem(pattern, word)
    return word if stem is None else new.replace("%", stem, 1)


def _match_stem(pattern: str, word: str) -> str | None:
    """Return the part of a word that matches `%`, "" if the pattern has none, None if no match."""
    if "%" not in pattern:
        return "" if pattern == word else None
    head, tail = pattern.split("%", 1)
    if len(word) >= len(head) + len(tail) and word.startswith(head) and word.endswith(tail):
        return word[len(head) : len(word) - len(tail)]
    return None


def _filter(patterns: str, words: str, *, matching: bool) -> str:
    listed = set(patterns.split())
    wild = [pattern for pattern in listed if "%" in pattern]

    def matches(word: str) -> bool:
        return word in listed or any(_match_stem(pattern, word) is not None for pattern in wild)

    return " ".join(word for word in words.split() if matches(word) == matching)


def _pick_word(number: str, words: str) -> str:
    at = int(number) if number.strip().isdigit() else 0
    return next(iter(words.split()[max(at - 1, 0) : at]), "")


def _join(left: str, right: str) -> str:
    first, second = left.split(), right.split()
    count = max(len(first), len(second))
    return " ".join("".join((*first[i : i + 1], *second[i : i + 1])) for i in range(count))


def _dirname(word: str) -> str:
    return posixpath.dirname(word) + "/" if "/" in word else "./"


def _map_words(change: Callable[[str], str | None]) -> tuple[int, Callable[..., str]]:
    """Return the table entry of a function that changes each word, or drops it."""

    def function(text: str) -> str:
        return " ".join(new for word in text.split() if (new := change(word)) is not None)

    return 1, function


def substitute_suffix(text: str, old: str, new: str) -> str:
    """Return the expansion of `$(name:old=new)`, with `text` as the value of `name`."""
    if "%" not in old:
        old, new = "%" + old, "%" + new
    return " ".join(_patsubst(old, new, word) for word in text.split())


def _patsubst_all(pattern: str, new: str, words: str) -> str:
    return " ".join(_patsubst(pattern.strip(), new.strip(), word) for word in words.split())


def estimate_work(name: str, texts: Sequence[str]) -> tuple[int, int]:
    """Return the cost of a function, in expansions of makefiles, and the approximate result length.

    Only functions whose time or result can far exceed the length of their arguments have a cost.
    """
    if name in ("addprefix", "addsuffix"):
        return 0, len(texts[0]) * len(texts[1].split())
    if name == "patsubst":
        return 0, len(texts[1]) * len(texts[2].split())
    if name == "subst" and texts[0]:
        return 0, len(texts[1]) * texts[2].count(texts[0])
    if name in ("filter", "filter-out"):
        return texts[0].count("%") * len(texts[1].split()) // 1000, 0
    return 0, 0


def _expand_to_nothing(_text: str) -> str:
    return ""


# The functions by name, each with its number of arguments, of which the last takes all remaining
# commas. Functions that query the machine or print messages expand to nothing.
FUNCTIONS: dict[str, tuple[int, Callable[..., str]]] = {
    "abspath": _map_words(posixpath.normpath),
    "addprefix": (2, lambda a, b: " ".join(a + word for word in b.split())),
    "addsuffix": (2, lambda a, b: " ".join(word + a for word in b.split())),
    "basename": _map_words(lambda word: posixpath.splitext(word)[0]),
    "dir": _map_words(_dirname),
    "error": (1, _expand_to_nothing),
    "filter": (2, partial(_filter, matching=True)),
    "filter-out": (2, partial(_filter, matching=False)),
    "findstring": (2, lambda a, b: a if a in b else ""),
    "firstword": (1, lambda a: next(iter(a.split()), "")),
    "info": (1, _expand_to_nothing),
    "join": (2, _join),
    "lastword": (1, lambda a: next(reversed(a.split()), "")),
    "notdir": _map_words(lambda word: word.rpartition("/")[2] or None),
    "patsubst": (3, _patsubst_all),
    "realpath": _map_words(posixpath.normpath),
    "shell": (1, _expand_to_nothing),
    "sort": (1, lambda a: " ".join(sorted(set(a.split())))),
    "strip": (1, lambda a: " ".join(a.split())),
    "subst": (3, lambda a, b, c: c.replace(a, b) if a else c + b),
    "suffix": _map_words(lambda word: posixpath.splitext(word)[1] or None),
    "warning": (1, _expand_to_nothing),
    "word": (2, _pick_word),
    "words": (1, lambda a: str(len(a.split()))),
}
