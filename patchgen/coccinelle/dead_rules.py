# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the rules that cannot apply anywhere, whatever the code, and why.

A rule cannot apply if its dependency cannot hold, if it uses a virtual identifier without a value
(spatch then skips it, and says nothing), or if it inherits from a rule that cannot apply.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from patchgen.coccinelle.rules import Rule, read_rules

_VIRTUAL = re.compile(r"\bvirtual\s*\.\s*(\w+)")
# Scripts with one of these may define virtual rules and identifiers, for another pass.
_ITERATION = re.compile(r"\b[iI]teration\b")


@dataclass(frozen=True, slots=True)
class DeadRule:
    """A rule that cannot apply, and why. `lacks` are the virtual identifiers without a value."""

    rule: Rule
    why: str
    lacks: tuple[str, ...] = ()


def may_iterate(script: Rule) -> bool:
    """Return whether a script may ask for another pass, with other virtual rules."""
    return bool(_ITERATION.search(script.script))


def find_dead_rules(
    text: str, virtuals: Mapping[str, bool], unset: Collection[str]
) -> tuple[DeadRule, ...]:
    """Return the rules that cannot apply, but no scripts.

    `virtuals` maps virtual rules to whether they are defined. `unset` are the virtual identifiers
    without a value.
    """
    known = dict(virtuals)
    found = []
    for rule in read_rules(text):
        if rule.is_script:
            continue
        lacks = tuple(name for name in dict.fromkeys(_identifiers(rule)) if name in unset)
        from_dead = next((name for name in _inherits(rule) if known.get(name) is False), None)
        if lacks:
            why = f"{' and '.join(lacks)} {'has' if len(lacks) == 1 else 'have'} no value"
        elif not rule.may_run(known):
            condition = rule.dependency["condition"] if rule.dependency else ""
            why = f"it depends on {' '.join(condition.split())}"
        elif from_dead is not None:
            why = f"it inherits from {from_dead}, which cannot apply"
        else:
            continue
        found.append(DeadRule(rule, why, lacks))
        if rule.name:
            known[rule.name] = False
    return tuple(found)


def _identifiers(rule: Rule) -> list[str]:
    return [name for each in rule.declarations for name in _VIRTUAL.findall(each.code)]


def _inherits(rule: Rule) -> Iterator[str]:
    return (name for declaration in rule.declarations for name, _ in declaration.inherited)
