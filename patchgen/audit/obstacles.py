# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the obstacles on the paths from the window to the functions that it does not reach.

The search continues where the window ends: after the call that ends it, through functions that run
later, and through pointers that no early code calls. So each late function has the shortest path
from an early function or a registration, and each step on the path has its obstacle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from patchgen.audit.facts import CallFact
from patchgen.audit.flow import Flow
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node, StaticVariable
from patchgen.audit.result import TreeLocation
from patchgen.audit.tables import Tables
from patchgen.audit.window_roots import list_registered


class Obstacle(StrEnum):
    """Why a step is not early. NOTHING: the caller is late itself."""

    NOTHING = ""
    AFTER = "after the window"
    DEFERRED = "deferred"
    LISTED = "listed as late"
    UNUSED = "no early use"
    REGISTERED = "registered"


# What each obstacle means, in a sentence.
MEANINGS = {
    Obstacle.AFTER: "the call is after the end of the window",
    Obstacle.DEFERRED: "it is passed on to be called later, when processes run",
    Obstacle.LISTED: "it is listed under `never` in tables.toml or audit.toml",
    Obstacle.UNUSED: "no early code calls the pointer that it is stored in",
    Obstacle.REGISTERED: "it is registered in a table that the kernel walks after the window",
}


@dataclass(frozen=True, slots=True)
class Approach:
    """The last step to a function: from `source`, None for a registration at `place`."""

    source: Node | None
    place: TreeLocation
    via: str
    obstacle: Obstacle


def find_obstacles(code: LinkedCode, tables: Tables, flow: Flow) -> dict[Node, Approach]:
    """Return the nearest approach to each late function; those without one are left out."""
    return _Search(code, tables, flow).find()


class _Search:
    """Walks breadth first, from all early functions and registrations at once."""

    def __init__(self, code: LinkedCode, tables: Tables, flow: Flow):
        self._code = code
        self._tables = tables
        self._flow = flow
        self._approaches: dict[Node, Approach] = {}
        self._queue: deque[Node] = deque()
        self._seen: set[StaticVariable] = set()

    def find(self) -> dict[Node, Approach]:
        for node in self._flow.edges:
            self._visit(node)
        self._add_registered()
        self._run()
        # A variable that no visited code names, such as an operations struct of a driver.
        for datum in self._code.list_data():
            self._visit_variable(None, datum)
        self._run()
        return self._approaches

    def _run(self) -> None:
        while self._queue:
            self._visit(self._queue.popleft())

    def _add(self, target: Node, approach: Approach) -> None:
        if target not in self._flow.edges and target not in self._approaches:
            if target.name in self._tables.never:
                approach = replace(approach, obstacle=Obstacle.LISTED)
            self._approaches[target] = approach
            self._queue.append(target)

    def _add_registered(self) -> None:
        for found in list_registered(self._code, self._tables):
            approach = Approach(None, found.place, found.text, Obstacle.REGISTERED)
            self._add(found.function, approach)

    def _visit(self, node: Node) -> None:
        early = node in self._flow.edges
        for call in node.calls:
            after = early and not self._flow.is_in_window(node, call.line)
            self._visit_call(node, call, Obstacle.AFTER if after else Obstacle.NOTHING)
        for store in node.stores:
            obstacle = Obstacle.UNUSED if early else Obstacle.NOTHING
            if early and not self._flow.is_early(node, store.line):
                obstacle = Obstacle.AFTER
            place = TreeLocation(node.path, store.line)
            approach = Approach(node, place, store.target.text, obstacle)
            self._add_functions(node.path, store.names, approach)
        for identifier in node.identifiers:
            for datum in self._code.find_data(node.path, identifier):
                self._visit_variable(node, datum)

    def _visit_call(self, node: Node, call: CallFact, obstacle: Obstacle) -> None:
        place = TreeLocation(node.path, call.line)
        for target in self._code.resolve(node.path, call.name, call.line) if call.name else ():
            self._add(target, Approach(node, place, "", obstacle))
        if call.passed:
            via = f"an argument of {call.name or 'a pointer'}()"
            passed = self._judge_argument(node, call, obstacle)
            self._add_functions(node.path, call.passed, Approach(node, place, via, passed))

    def _judge_argument(self, node: Node, call: CallFact, obstacle: Obstacle) -> Obstacle:
        if obstacle:
            return obstacle
        if self._tables.deferred.fullmatch(call.name):
            return Obstacle.DEFERRED
        # Flow follows the arguments that an early call calls; the others are registered.
        return Obstacle.UNUSED if node in self._flow.edges else Obstacle.NOTHING

    def _visit_variable(self, node: Node | None, datum: StaticVariable) -> None:
        """Visit the functions that a variable's initialiser stores; `node` refers to it."""
        if datum in self._seen:
            return
        self._seen.add(datum)
        early = node is None or node in self._flow.edges
        obstacle = Obstacle.UNUSED if early else Obstacle.NOTHING
        for store in datum.variable.stores:
            place = TreeLocation(datum.path, store.line)
            approach = Approach(node, place, store.target.text, obstacle)
            self._add_functions(datum.path, store.names, approach)

    def _add_functions(self, path: str, names: Iterable[str], approach: Approach) -> None:
        for name in names:
            for target in self._code.find_functions(path, name):
                self._add(target, approach)
