# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut functions out of C source, to compile some of them as a part of a program."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# Kernel style: the head starts in the first column and may have several lines; then a brace in the
# first column. Or the whole function is one line. The name precedes the first parenthesis that does
# not belong to an attribute.
_HEAD = re.compile(r"[A-Za-z_][^;{}#]*?\b(?P<name>\w+)\([^;{}#]*\)")
_ONE_LINE = re.compile(_HEAD.pattern + r"\s*\{.*\}")


def read_functions(source: str) -> dict[str, str]:
    """Return the text of each function, by name, in the order of the source."""
    functions: dict[str, str] = {}
    lines = source.splitlines()
    start = 0
    for number, line in enumerate(lines):
        if not line or line.startswith(("#", "/", " *", "}")) or line.endswith(";"):
            start = number + 1
        if one_line := _ONE_LINE.fullmatch(line):
            functions[one_line["name"]] = f"{line}\n"
            start = number + 1
        elif line == "{" and (head := _HEAD.fullmatch("\n".join(lines[start:number]))):
            end = lines.index("}", number)
            functions[head["name"]] = "\n".join([*lines[start : end + 1], ""])
    return functions


def with_callees(functions: Mapping[str, str], roots: Collection[str], without: str) -> str:
    """Return the text of functions and of all that they call, except the functions in `without`."""
    replaced = read_functions(without)
    selected: set[str] = set()
    pending = set(roots)
    while pending:
        name = pending.pop()
        selected.add(name)
        code = re.sub(r"/\*.*?\*/", "", functions[name], flags=re.DOTALL)
        called = set(re.findall(r"\b(\w+)\(", code))
        pending |= (called & functions.keys()) - selected - replaced.keys()
    return "\n".join(text for name, text in functions.items() if name in selected)
