# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the definitions that a name means where #if branches define it differently.

A definition in the same file hides those of other files only where it is compiled:

    #ifndef CONFIG_X
    static void setup(void) { }         hides setup() of other files without CONFIG_X only
    #endif

A definition is left out if its #if cannot hold together with that of the use, and others are left
out if one of the local definitions exists wherever the use does. Conditions are compared for all
values of their terms; a condition with too many terms hides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from patchgen.audit.conditions import AssumedConditions, Conditions

_MAX_TERMS = 8
Branches = tuple[str, ...]
_Compared = tuple[tuple[bool, ...], bool]


class Visibility:
    """Compares the conditions of definitions with those of a use."""

    def __init__(self, conditions: Conditions):
        self._conditions = conditions
        self._results: dict[tuple[Branches, tuple[Branches, ...]], _Compared] = {}

    def compare(self, use: Branches, definitions: Sequence[Branches]) -> _Compared:
        """Return which definitions a use may mean, and whether it always means one of them.

        All are the #if conditions around a line (DeadCode.list_unknown).
        """
        if not all(definitions):
            return (True,) * len(definitions), True
        key = (use, tuple(definitions))
        if key not in self._results:
            self._results[key] = self._compare(use, definitions)
        return self._results[key]

    def _compare(self, use: Branches, definitions: Sequence[Branches]) -> _Compared:
        conditions = AssumedConditions(self._conditions)
        for branches in (use, *definitions):
            _join(conditions, branches)
        terms = list(conditions.assumed)
        if len(terms) > _MAX_TERMS:
            return (True,) * len(definitions), False
        possible = [False] * len(definitions)
        always = True
        for assumed in product((True, False), repeat=len(terms)):
            conditions.assumed = dict(zip(terms, assumed, strict=True))
            used, *values = (_join(conditions, branches) for branches in (use, *definitions))
            if used is False:
                continue
            always = always and True in values
            possible = [
                before or value is not False for before, value in zip(possible, values, strict=True)
            ]
        return tuple(possible), always


def _join(conditions: Conditions, branches: Branches) -> bool | None:
    """Return whether all conditions hold, None if unknown."""
    values = [conditions.holds(branch) for branch in branches]
    if False in values:
        return False
    return None if None in values else True
