# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the rules of a semantic patch that must see the functions that they can match in.

Not all rules must. A rule that only finds something for other rules has no effect in a function
where these cannot match, if what they use of it lies in the same function: a position at which they
match as well, or one that they exclude. What such a rule itself uses of others may be anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from patchgen.coccinelle.rules import Rule, read_rules


def find_consequential(text: str) -> frozenset[str]:
    """Return the rules whose functions must be seen, by the names that spatch gives them.

    These are the rules that change or mark code or that a script reads, and the rules from which
    such a rule uses more than a position in its own function.
    """
    rules = [rule for rule in read_rules(text) if not rule.is_script]
    named = {rule.name: rule for rule in rules if rule.name}
    uses = {traced_name(rule): _uses(text, rule) for rule in rules}
    wanted = {traced_name(rule) for rule in rules if rule.modifies}
    wanted |= {name for rule in read_rules(text) if rule.is_script for name in _read(text, rule)}
    waiting = list(wanted)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            used = uses.get(name, _Uses())
            wanted |= used.anywhere
            waiting += used.anywhere | used.here
    return frozenset(wanted & (named.keys() | uses.keys()))


@dataclass(frozen=True, slots=True)
class _Uses:
    """The rules that a rule uses: their results in any function, or at the place of its match."""

    anywhere: frozenset[str] = frozenset()
    here: frozenset[str] = frozenset()


_INHERITED = re.compile(r"\b(\w+)\s*\.\s*(\w+)")
_EXCLUDED = re.compile(r"!=\s*(?:\{[^{}]*\}|\w+\s*\.\s*\w+)")


def _uses(text: str, rule: Rule) -> _Uses:
    header, declared, body = rule_parts(text, rule)
    taken = set(_depends(header))
    tied: set[str] = set()
    excluded: set[str] = set()
    for declaration in declared.split(";"):
        is_position = declaration.split()[:1] == ["position"]
        if is_position:
            # An excluded position (`p != r.p`) lies in this function, or nowhere.
            excluded |= {
                name
                for part in _EXCLUDED.findall(declaration)
                for name, _ in _INHERITED.findall(part)
            }
        for name, variable in _INHERITED.findall(_EXCLUDED.sub("", declaration)):
            is_tied = is_position and _is_attached(variable, body)
            (tied if is_tied else taken).add(name)
    return _Uses(frozenset(taken - tied - {"virtual"}), frozenset(tied | excluded))


# Disjunctions: within a line, those first that contain none; and those that span lines.
_INLINE = re.compile(r"\\\((?P<branches>(?:(?!\\\().)*?)\\\)", re.DOTALL)
# Beyond that depth, a position is assumed not to be attached: its rule may have matched anywhere.
_DEEPEST = 64
_BLOCK = re.compile(r"^\((?P<branches>.*?)^\)", re.DOTALL | re.MULTILINE)


def _is_attached(position: str, body: str) -> bool:
    """Return whether every match of a rule has the position, whichever branches it takes."""
    mark = re.compile(rf"@{position}\b")

    def choose(separator: str) -> Callable[[re.Match[str]], str]:
        def reduce(found: re.Match[str]) -> str:
            branches = re.split(separator, found["branches"], flags=re.MULTILINE)
            return f" @{position} " if all(map(mark.search, branches)) else " "

        return reduce

    for _ in range(_DEEPEST):
        body, count = _INLINE.subn(choose(r"\\\|"), body)
        if not count:
            break
    else:
        return False
    # Every `(` before the last `)` is closed, so no search runs to the end of the text.
    closed = body.rfind("\n)") + 2
    body = _BLOCK.sub(choose(r"^\|"), body[:closed]) + body[closed:]
    return mark.search(body) is not None


def _read(text: str, rule: Rule) -> set[str]:
    header, declared, _ = rule_parts(text, rule)
    return set(re.findall(r"<<\s*(\w+)\s*\.", declared)) | set(_depends(header))


def _depends(header: str) -> list[str]:
    clause = re.search(r"\bdepends\s+on\b(.*)", header, re.DOTALL)
    return re.findall(r"\w+", clause[1]) if clause else []


def rule_parts(text: str, rule: Rule) -> tuple[str, str, str]:
    """Return a rule's header, its metavariables, and its pattern, without comments."""
    lines = _lines_of(text)
    body = [line for line in lines[rule.body - 1 : rule.end - 1] if not line.startswith("+")]
    _, header, declared = "\n".join(lines[rule.start - 1 : rule.body - 1]).split("@", 2)
    return header, declared, "\n".join(body)


# Cached: splitting the text for each rule would take quadratic time.
@lru_cache(maxsize=8)
def _lines_of(text: str) -> list[str]:
    return [line.split("//", 1)[0] for line in text.split("\n")]


def traced_name(rule: Rule) -> str:
    return rule.name or f"rule starting on line {rule.name_line}"
