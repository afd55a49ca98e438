# SPDX-License-Identifier: GPL-2.0-or-later
"""Parse lines of makefiles: continued lines, arguments and assignments.

GNU make manual, sections 3.1.1 (splitting long lines), 6.5 (setting) and 6.8 (define).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

CLOSES = {"(": ")", "{": "}"}


def logical_lines(text: str) -> Iterator[str]:
    """Yield lines; lines continued by a backslash are joined."""
    return iter(re.sub(r"(?<![ \t])(?:[ \t]*+\\\n)+[ \t]*+", " ", text).split("\n"))


def take_define(lines: Iterator[str]) -> Iterator[str]:
    depth = 1
    for line in lines:
        word = line.strip().partition(" ")[0]
        depth += (word == "define") - (word == "endef")
        if depth == 0:
            return
        yield line


def without_comment(line: str) -> str:
    return re.sub(r"(?<!\\)#.*", "", line).replace("\\#", "#") if "#" in line else line


def closing(text: str, at: int) -> int:
    """Return the offset at which the bracket at an offset is closed, the end if it is not."""
    opened, closed = text[at], CLOSES[text[at]]
    depth = 0
    for found in range(at, len(text)):
        depth += (text[found] == opened) - (text[found] == closed)
        if depth == 0:
            return found
    return len(text)


def split_arguments(text: str) -> list[str]:
    """Split at commas that are not in brackets."""
    parts = []
    depth = begin = 0
    for found in re.finditer(r"[({,)}]", text):
        character = found[0]
        depth += (character in "({") - (character in ")}")
        if character == "," and depth <= 0:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return [*parts, text[begin:]]


def read_assignment(line: str) -> tuple[str, str, str] | None:
    """Return name, operator and text of an assignment, None for a rule or any other line.

    `target: NAME = text` is a rule: it sets a target-specific variable.
    """
    at = 0
    while at < len(line):
        if line[at] == "$" and line[at + 1 : at + 2] in CLOSES:
            at = closing(line, at + 1) + 1
            continue
        operator = re.compile(r"::?=|[?+!]?=").match(line, at)
        if operator is not None:
            name = line[:at].strip()
            return (name, operator[0], line[operator.end() :].strip()) if name else None
        if line[at] == ":":
            return None
        at += 1
    return None
