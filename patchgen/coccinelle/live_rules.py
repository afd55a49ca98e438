# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the rules of a semantic patch that must see the functions that they can match in.

Not all rules must. A rule that neither changes nor marks code has no effect in a function where the
rules that use it cannot match, if they use only its positions in the same function: positions at
which they match as well, or which they exclude. Its own inherited metavariables may be matched in
any function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from patchgen.coccinelle.rules import Rule, read_rules


def find_consequential(text: str) -> frozenset[str]:
    """Return the rules whose functions must be seen, by the names that spatch gives them.

    These are the rules that change or mark code or that a script reads, and the rules from which
    such a rule uses more than a position in its own function.
    """
    rules = read_rules(text)
    uses = {rule.traced_name: _uses(rule) for rule in rules if not rule.is_script}
    consequential = {rule.traced_name for rule in rules if rule.modifies}
    for rule in rules:
        if rule.is_script:
            consequential |= rule.depends | {name for _, name in rule.reads}
    pending = list(consequential)
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            used = uses.get(name, _Uses())
            consequential |= used.anywhere
            pending += used.anywhere | used.here
    return frozenset(consequential & uses.keys())


@dataclass(frozen=True, slots=True)
class _Uses:
    """The rules that a rule uses: their results in any function, or at the place of its match."""

    anywhere: frozenset[str] = frozenset()
    here: frozenset[str] = frozenset()


def _uses(rule: Rule) -> _Uses:
    anywhere = set(rule.depends)
    tied: set[str] = set()
    excluded: set[str] = set()
    for declaration in rule.declarations:
        is_position = declaration.kind == "position"
        if is_position:
            # An excluded position (`p != r.p`) can only lie in this function.
            excluded |= declaration.excluded
        for name, variable in declaration.inherited:
            is_tied = is_position and _is_attached(variable, rule.matched)
            (tied if is_tied else anywhere).add(name)
    return _Uses(frozenset(anywhere - tied), frozenset(tied | excluded))


# Disjunctions within a line, the innermost first; `_BLOCK` are those that span lines.
_INLINE = re.compile(r"\\\((?P<branches>(?:(?!\\\().)*?)\\\)", re.DOTALL)
# Below that depth, a position is assumed not to be attached: its rule may have matched anywhere.
_MAX_DEPTH = 64
_BLOCK = re.compile(r"^\((?P<branches>.*?)^\)", re.DOTALL | re.MULTILINE)


def _is_attached(position: str, body: str) -> bool:
    """Return whether every match of a rule has the position, whichever branches it takes."""
    mark = re.compile(rf"@{position}\b")

    def choose(separator: str) -> Callable[[re.Match[str]], str]:
        def reduce(disjunction: re.Match[str]) -> str:
            branches = re.split(separator, disjunction["branches"], flags=re.MULTILINE)
            return f" @{position} " if all(map(mark.search, branches)) else " "

        return reduce

    for _ in range(_MAX_DEPTH):
        body, count = _INLINE.subn(choose(r"\\\|"), body)
        if not count:
            break
    else:
        return False
    # Every `(` before the last `)` is closed, so no search runs to the end of the text.
    closed = body.rfind("\n)") + 2
    body = _BLOCK.sub(choose(r"^\|"), body[:closed]) + body[closed:]
    return mark.search(body) is not None
