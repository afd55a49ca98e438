# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of a file that conditions of the preprocessor exclude."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from patchgen.audit.conditions import Conditions
from patchgen.audit.facts import Asm, CallFact, Region, StoreFact

_Lined = TypeVar("_Lined", CallFact, StoreFact, Asm)


class DeadCode:
    """The lines of a file that are not compiled."""

    def __init__(self, regions: Sequence[Region], conditions: Conditions):
        self._regions = regions
        self._dead = [r for r in regions if conditions.holds(r.condition) is False]

    def covers(self, line: int) -> bool:
        """Return whether a line is not compiled."""
        return any(each.first < line < each.last for each in self._dead)

    def keep(self, items: Iterable[_Lined]) -> Sequence[_Lined]:
        """Return the items that are compiled."""
        if not self._dead:
            return items if isinstance(items, tuple) else tuple(items)
        return tuple(each for each in items if not self.covers(each.line))

    def describe(self, line: int) -> str:
        """Return the conditions on options of Kconfig that a line is under."""
        found = [
            r.condition
            for r in self._regions
            if r.first < line < r.last and "CONFIG_" in r.condition
        ]
        return " && ".join(found)
