# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the rules that cannot apply anywhere, whatever the code, and why.

A rule cannot apply if its dependency cannot hold, if it uses a virtual identifier without a value
(spatch skips it without a message), or if it inherits from a rule that cannot apply.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from patchgen.coccinelle.rules import Rule, read_rules

# Scripts with one of these may define virtual rules and identifiers, for another pass.
_ITERATION = re.compile(r"\b[iI]teration\b")


@dataclass(frozen=True, slots=True)
class DeadRule:
    """A rule that cannot apply, and why. `unset` are its virtual identifiers without a value."""

    rule: Rule
    why: str
    unset: tuple[str, ...] = ()


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
    may_apply = dict(virtuals)
    dead = []
    for rule in read_rules(text):
        if rule.is_script:
            continue
        own = tuple(name for name in rule.virtual_identifiers if name in unset)
        inherited = (name for declaration in rule.declarations for name, _ in declaration.inherited)
        dead_name = next((name for name in inherited if may_apply.get(name) is False), None)
        if own:
            why = f"{' and '.join(own)} {'has' if len(own) == 1 else 'have'} no value"
        elif not rule.may_run(may_apply):
            condition = rule.dependency["condition"] if rule.dependency else ""
            why = f"it depends on {' '.join(condition.split())}"
        elif dead_name is not None:
            why = f"it inherits from {dead_name}, which cannot apply"
        else:
            continue
        dead.append(DeadRule(rule, why, own))
        if rule.name:
            may_apply[rule.name] = False
    return tuple(dead)
