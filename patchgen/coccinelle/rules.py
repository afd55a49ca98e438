# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of a semantic patch, as far as the bridge must know them.

This reads headers, metavariable sections and bodies (Coccinelle manual, "The SmPL grammar"). It
does not validate them: spatch's error for a text that is not understood here is better than ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from patchgen.coccinelle.lexing import LineNumbers

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|(?<!\\)\"(?:\\.|[^\"\\\n])*+\"", re.DOTALL)
_HEADER = re.compile(r"^@(?P<head>[^@]*)@", re.MULTILINE)
_SCRIPT = re.compile(r"\s*(script|initialize|finalize)\s*:")
_NAME = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)")
# `?-` and `!-`: lines that may occur never or exactly once.
_CHANGE = re.compile(r"^[?!]*[-+*]", re.MULTILINE)
_POSITION = re.compile(r"\bposition\b(?P<names>[^;]*);")
# Words that may begin a header without a name: `@exists@`, `@depends on r@`, `@expression@`.
_KEYWORDS = frozenset(
    {"depends", "disable", "exists", "expression", "extends"}
    | {"forall", "identifier", "type", "using"}
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Lines count from 1 in the rendered text; `end` is the line after its last one.

    `name` is None for `@@`; spatch then names it by `name_line`, the line of the header's closing
    `@`. `positions` are the position metavariables that it declares itself and attaches to its
    match. `modifies` is set if it has `-` or `+` lines, or `*`.
    """

    name: str | None
    start: int
    name_line: int
    body: int
    end: int
    is_script: bool
    positions: tuple[str, ...]
    modifies: bool


@lru_cache(maxsize=256)
def read_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules of a semantic patch in order."""
    plain = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    rules: list[Rule] = []
    lines = LineNumbers(plain)
    at = 0
    while (header := _HEADER.search(plain, at)) is not None:
        is_script = bool(_SCRIPT.match(header["head"]))
        metavariables_end = plain.find("@@", header.end())
        if metavariables_end < 0:
            break
        following = re.compile(r"^@", re.MULTILINE).search(plain, metavariables_end + 2)
        end = following.start() if following else len(plain)
        body = plain[metavariables_end + 2 : end]
        declared = plain[header.end() : metavariables_end]
        rules.append(
            Rule(
                name=None if is_script else _rule_name(header["head"]),
                start=lines.find(header.start()),
                name_line=lines.find(header.end() - 1),
                body=lines.find(metavariables_end) + 1,
                end=lines.find(end) if following else plain.count("\n") + 2,
                is_script=is_script,
                positions=_attached_positions(declared, body),
                modifies=not is_script and bool(_CHANGE.search(body)),
            )
        )
        at = end
    return tuple(rules)


def rule_words(text: str, rule: Rule) -> frozenset[str]:
    """Return the identifiers in a rule's metavariables, context and minus lines."""
    lines = text.split("\n")[rule.start : rule.end - 1]
    matched = "\n".join(line for line in lines if not line.startswith("+"))
    return frozenset(re.findall(r"[A-Za-z_]\w*", _COMMENT.sub(" ", matched)))


def _rule_name(head: str) -> str | None:
    match = _NAME.match(head)
    return match["name"] if match and match["name"] not in _KEYWORDS else None


def _attached_positions(declared: str, body: str) -> tuple[str, ...]:
    """Return the rule's own position metavariables that are in context or minus lines."""
    matched = "\n".join(line for line in body.split("\n") if not line.startswith("+"))
    names: list[str] = []
    for declaration in _POSITION.finditer(declared):
        for part in declaration["names"].split(","):
            words = re.findall(r"[\w.]+", re.split(r"!=|=|:", part)[0])
            name = next((word for word in words if word != "any"), "")
            if name and "." not in name and re.search(rf"@{name}\b", matched):
                names.append(name)
    return tuple(names)
