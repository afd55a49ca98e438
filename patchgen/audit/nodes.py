# SPDX-License-Identifier: GPL-2.0-or-later
"""The nodes of the call graph: functions, macros and symbols of assembly, and variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.audit.facts import Asm, CallFact, Guard, StoreFact, VariableFact

Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Node:
    """A function, a macro, or a symbol of a .S file. Compared by identity.

    The fields are those of a Function; `body` is the text of a macro.
    """

    name: str
    path: str
    line: int
    kind: str  # "function", "macro", "assembly"
    static: bool
    calls: Sequence[CallFact]
    identifiers: Sequence[str] = ()
    asms: Sequence[Asm] = ()
    stores: Sequence[StoreFact] = ()
    result: str = ""
    parameters: Sequence[str] = ()
    guards: Sequence[Guard] = ()
    returns: str = ""
    body: str = ""

    @property
    def header(self) -> bool:
        """Return whether it is compiled into its callers."""
        return self.path.endswith(".h") or self.kind == "macro"


@dataclass(slots=True, eq=False)
class StaticVariable:
    """A variable with static storage, and its file."""

    path: str
    variable: VariableFact

    @property
    def line(self) -> int:
        """Return the line of the definition."""
        return self.variable.line
