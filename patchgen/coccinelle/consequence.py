"""Which rules of a semantic patch must see the functions that they can match in.

Not all have to. One that only finds something for others is of no consequence where these cannot
match, as long as what they take from it lies in their own function: a position at which they match,
too, or one that they rule out. What such a rule takes from others in turn may be anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from patchgen.coccinelle.structure import Rule, read_rules


def find_consequential(text: str) -> frozenset[str]:
    """Return the rules, by the names that spatch gives them, whose functions must be seen.

    These are the rules that change or mark something or that a script reads, and those from which
    such a rule takes more than a place in its own function.
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
    """The rules that a rule takes something from: of any function, or of the place it is at."""

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
            # A position that is ruled out (`p != r.p`) is one in this function, or none at all.
            excluded |= {
                name
                for part in _EXCLUDED.findall(declaration)
                for name, _ in _INHERITED.findall(part)
            }
        for name, variable in _INHERITED.findall(_EXCLUDED.sub("", declaration)):
            is_tied = is_position and _is_attached(variable, body)
            (tied if is_tied else taken).add(name)
    return _Uses(frozenset(taken - tied - {"virtual"}), frozenset(tied | excluded))


# Disjunctions: within a line, those first that have none within; and by lines of their own.
_INLINE = re.compile(r"\\\((?P<branches>(?:(?!\\\().)*?)\\\)", re.DOTALL)
# Not to be attached says less: then the other rule may have matched anywhere.
_DEEPEST = 64
_BLOCK = re.compile(r"^\((?P<branches>.*?)^\)", re.DOTALL | re.MULTILINE)


def _is_attached(position: str, body: str) -> bool:
    """Tell whether what a rule matches has the position in any case, whichever branch it takes."""
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
    # Up to the last `)` each `(` is closed: none is looked through to the text's end.
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
    """Return a rule's header, its metavariables, and what it matches, without comments."""
    lines = _lines_of(text)
    body = [line for line in lines[rule.body - 1 : rule.end - 1] if not line.startswith("+")]
    _, header, declared = "\n".join(lines[rule.start - 1 : rule.body - 1]).split("@", 2)
    return header, declared, "\n".join(body)


# For each rule anew, the time would grow with the square of their number.
@lru_cache(maxsize=8)
def _lines_of(text: str) -> list[str]:
    return [line.split("//", 1)[0] for line in text.split("\n")]


def traced_name(rule: Rule) -> str:
    return rule.name or f"rule starting on line {rule.name_line}"
