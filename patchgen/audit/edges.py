# SPDX-License-Identifier: GPL-2.0-or-later
"""The transfers of control that the audit follows, and the calls that it cannot follow."""

from __future__ import annotations

from dataclasses import dataclass

from patchgen.audit.code import Key, Node
from patchgen.audit.result import EdgeKind


@dataclass(frozen=True, slots=True)
class Edge:
    """A transfer of control from a line of one function to another. `op` is set for the notify op.

    `under` are the guards of `source` that it is under; `member` is the member that holds the
    target, "" for a call by name.
    """

    source: Node
    target: Node
    line: int
    how: EdgeKind
    via: str
    op: bool = False
    under: tuple[int, ...] = ()
    member: str = ""


@dataclass(frozen=True, slots=True)
class Install:
    """An assignment of a function to a member: by a function, under its guards, or if `by` is None
    by an initialiser."""

    by: Node | None
    under: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PointerCall:
    """A call through a pointer that was reached; `via` is how it is shown."""

    node: Node
    line: int
    via: str
    under: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class UnresolvedCall:
    """A call in the window through a pointer to which no reached code assigns a function."""

    node: Node
    line: int
    via: str
    key: Key | None
