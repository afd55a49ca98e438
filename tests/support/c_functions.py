# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of C source by their text, to compile some of them as a part of a program."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# The kernel's style: a head in the first column, over a few lines, then a brace there. Or all of it
# is one line. The name stands before the first parenthesis that is not an attribute's.
_HEAD = re.compile(r"[A-Za-z_][^;{}#]*?\b(?P<name>\w+)\([^;{}#]*\)")
_WHOLE = re.compile(_HEAD.pattern + r"\s*\{.*\}")


def read_functions(source: str) -> dict[str, str]:
    """Return the text of each function, by name, in the order of the source."""
    found: dict[str, str] = {}
    lines = source.splitlines()
    start = 0
    for number, line in enumerate(lines):
        if not line or line.startswith(("#", "/", " *", "}")) or line.endswith(";"):
            start = number + 1
        if whole := _WHOLE.fullmatch(line):
            found[whole["name"]] = f"{line}\n"
            start = number + 1
        elif line == "{" and (head := _HEAD.fullmatch("\n".join(lines[start:number]))):
            end = lines.index("}", number)
            found[head["name"]] = "\n".join([*lines[start : end + 1], ""])
    return found


def with_callees(functions: Mapping[str, str], roots: Collection[str], without: str) -> str:
    """Return the text of functions and of all that they call, but for those that `without` has."""
    played = read_functions(without)
    found: set[str] = set()
    left = set(roots)
    while left:
        name = left.pop()
        found.add(name)
        code = re.sub(r"/\*.*?\*/", "", functions[name], flags=re.DOTALL)
        called = set(re.findall(r"\b(\w+)\(", code))
        left |= (called & functions.keys()) - found - played.keys()
    return "\n".join(text for name, text in functions.items() if name in found)
