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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchgen.coccinelle.rules import Rule, read_rules

TWIN = "pg_twin_"
WITNESS = "pg_witness_"
_NEVER = "pg_never_in_any_file"


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A semantic patch with added lines. `lines[i]` is the author's line of line i+1, or None."""

    text: str
    lines: tuple[int | None, ...]

    def insert(self, added: Mapping[int, Sequence[str]]) -> PreparedText:
        """Return it with lines added; each key is the number of lines before them."""
        before = self.text.split("\n")
        text: list[str] = []
        lines: list[int | None] = []
        for at in range(len(before) + 1):
            text += added.get(at, ())
            lines += [None] * len(added.get(at, ()))
            text += before[at : at + 1]
            lines += self.lines[at : at + 1]
        return PreparedText("\n".join(text), tuple(lines))


def prepare_text(text: str) -> PreparedText:
    """Return the semantic patch unchanged."""
    # Lines as spatch splits them. `splitlines` would end a comment at U+2028.
    return PreparedText(text, tuple(range(1, text.removesuffix("\n").count("\n") + 2)))


def add_witnesses(text: str) -> PreparedText:
    """Return the semantic patch with a witness for each named rule that has a position."""
    plain = prepare_text(text)
    added: dict[int, list[str]] = {}
    for rule in read_rules(text):
        if rule.name is None or not rule.positions or rule.is_script:
            continue
        if rule.modifies:
            twin = [*_twin(rule), *_witness(TWIN + rule.name, rule.positions[0])]
            added.setdefault(rule.start - 1, []).extend(twin)
        else:
            end = min(rule.end - 1, len(plain.lines))
            added.setdefault(end, []).extend(_witness(rule.name, rule.positions[0]))
    return plain.insert(added)


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
