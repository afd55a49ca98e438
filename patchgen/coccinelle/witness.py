# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules added to a semantic patch so that spatch's trace shows where its rules matched.

spatch drops a position metavariable that no later rule uses, and refuses to inherit one over a
modification. So each context rule with a position is followed by a *witness*, a rule that inherits
the position and can never match. Each modifying rule is preceded by its *twin*, the same rule with
`-` lines as context and without `+` lines, with a witness of its own. The twin sees exactly what
the rule is about to see. Neither changes any file, and no script is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patchgen.coccinelle.rules import Rule, read_rules

TWIN = "pg_twin_"
WITNESS = "pg_witness_"
_NEVER = "pg_never_in_any_file"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A semantic patch with witnesses. `lines[i]` is the original line of line i+1, or None."""

    text: str
    lines: tuple[int | None, ...]


def add_witnesses(text: str) -> Witnessed:
    """Return the semantic patch with a witness for each named rule that has a position."""
    source = _lines(text)
    out: list[str] = []
    origin: list[int | None] = []

    def insert(lines: list[str], number: int | None = None) -> None:
        out.extend(lines)
        origin.extend([number] * len(lines))

    def keep(first: int, end: int) -> None:
        for number in range(first, min(end, len(source) + 1)):
            insert([source[number - 1]], number)

    at = 1
    for rule in read_rules(text):
        keep(at, rule.start)
        wanted = rule.name is not None and rule.positions and not rule.is_script
        if wanted and rule.modifies:
            insert(_twin(rule))
            insert(_witness(TWIN + str(rule.name), rule.positions[0]))
        keep(rule.start, rule.end)
        if wanted and not rule.modifies:
            insert(_witness(str(rule.name), rule.positions[0]))
        at = rule.end
    keep(at, len(source) + 1)
    return Witnessed("\n".join(out) + "\n", tuple(origin))


def without_witnesses(text: str) -> Witnessed:
    """Return the semantic patch unchanged, for use if spatch does not accept a twin."""
    return Witnessed(text, tuple(range(1, len(_lines(text)) + 1)))


def _lines(text: str) -> list[str]:
    """Return the lines as spatch splits them. `splitlines` would end a comment at U+2028."""
    return text.removesuffix("\n").split("\n")


def _twin(rule: Rule) -> list[str]:
    """Return the rule under another name, with all its changes turned into context."""
    name = re.escape(str(rule.name))
    first, *head = rule.head_lines
    return [
        re.sub(rf"^(@\s*){name}\b", rf"\g<1>{TWIN}{rule.name}", first),
        *head,
        *(
            f" {line[1:]}" if line.startswith("-") else line
            for line in rule.body_lines
            if not line.startswith("+")
        ),
    ]


def _witness(rule: str, position: str) -> list[str]:
    return [
        f"@{WITNESS}{rule}@",
        f"position {rule}.{position};",
        f"symbol {_NEVER};",
        "@@",
        f" {_NEVER}@{position}",
        "",
    ]
