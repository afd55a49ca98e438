# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths through the window: the shortest one to a function, and their number."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from patchgen.audit.code import Node
from patchgen.audit.edges import Edge
from patchgen.audit.result import EdgeKind, Route, Step, TreeLocation

# Counting paths stops here: a larger number is of no use.
_CAP = 1_000_000
# A path that a reader can follow is preferred: calls by name cost least, less certain ones more.
_COST = {
    EdgeKind.CALL: 2,
    EdgeKind.ASSEMBLY: 2,
    EdgeKind.POINTER: 4,
    EdgeKind.PARAM: 4,
    EdgeKind.INITCALL: 4,
}
_COST_PASSED = 6
# The extra cost of a function that a path should avoid.
_COST_ASIDE = 20
# The extra cost of each entry over the one before it.
_COST_ENTRY = 6

Graph = Mapping[Node, Sequence[Edge]]


class Routes:
    """Shortest paths from the entries, all at once (Dijkstra), and counts in the condensed graph.

    Of two paths of equal cost, the one whose calls come first is taken, so that the result is
    deterministic. Edges for which `usable` is false are not followed.
    """

    def __init__(
        self,
        graph: Graph,
        entries: Sequence[Node],
        usable: Callable[[Edge], bool] = lambda edge: True,
        aside: re.Pattern[str] | None = None,
    ):
        self._graph = graph
        self._entries = entries
        self._usable = usable
        self._aside = aside
        self._before: dict[Node, tuple[Node, Edge] | None] = {}
        self._walk()
        self._counts: dict[Node, int] | None = None

    def _walk(self) -> None:
        serial = 0
        heap: list[tuple[int, int, Node, tuple[Node, Edge] | None]] = []
        for serial, entry in enumerate(self._entries):
            heapq.heappush(heap, (serial * _COST_ENTRY, serial, entry, None))
        while heap:
            cost, _, node, before = heapq.heappop(heap)
            if node in self._before:
                continue
            self._before[node] = before
            for edge in self._graph.get(node, ()):
                if edge.target not in self._before and self._usable(edge):
                    serial += 1
                    heapq.heappush(
                        heap, (cost + self._price(edge), serial, edge.target, (node, edge))
                    )

    def _price(self, edge: Edge) -> int:
        aside = self._aside is not None and self._aside.fullmatch(edge.target.name)
        return _price(edge) + (_COST_ASIDE if aside else 0)

    def reaches(self, node: Node) -> bool:
        """Return whether there is a path to a function."""
        return node in self._before

    def find(self, node: Node) -> Route | None:
        """Return the route to a function, or None."""
        if node not in self._before:
            return None
        if self._counts is None:
            self._counts = _count_paths(self._graph, self._entries, self._usable)
        count = self._counts.get(node, 1)
        return Route(self._steps(node), min(count, _CAP), count >= _CAP)

    def _steps(self, node: Node) -> tuple[Step, ...]:
        steps = []
        at: Node = node
        while (before := self._before[at]) is not None:
            caller, edge = before
            called = TreeLocation(caller.path, edge.line)
            steps.append(Step(at.name, TreeLocation(at.path, at.line), called, edge.how, edge.via))
            at = caller
        steps.append(Step(at.name, TreeLocation(at.path, at.line), None, EdgeKind.ENTRY))
        return tuple(reversed(steps))


def _price(edge: Edge) -> int:
    if edge.via.startswith(("an argument of ", "a variable of ")):
        return _COST_PASSED
    return _COST.get(edge.how, 4)


def _count_paths(
    graph: Graph, entries: Iterable[Node], usable: Callable[[Edge], bool]
) -> dict[Node, int]:
    """Return the number of paths to each function; a cycle is counted as one function."""
    following = {
        node: list(dict.fromkeys(edge.target for edge in edges if usable(edge)))
        for node, edges in graph.items()
    }
    order = _condense(following, entries)
    part = {node: number for number, nodes in enumerate(order) for node in nodes}
    counts = [0] * len(order)
    for entry in entries:
        if entry in part:
            counts[part[entry]] += 1
    # Tarjan's algorithm yields a component before those that lead to it.
    for number in range(len(order) - 1, -1, -1):
        if not counts[number]:
            continue
        targets = {part[t] for node in order[number] for t in following.get(node, ())}
        for target in targets - {number}:
            counts[target] = min(_CAP, counts[target] + counts[number])
    return {node: counts[number] for node, number in part.items()}


def _condense(
    following: Mapping[Node, Sequence[Node]], entries: Iterable[Node]
) -> list[list[Node]]:
    """Return the strongly connected components (Tarjan 1972, without recursion)."""
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    held: set[Node] = set()
    found: list[list[Node]] = []
    for entry in entries:
        work = [(entry, iter(following.get(entry, ())))] if entry not in index else []
        if work:
            index[entry] = low[entry] = len(index)
            stack.append(entry)
            held.add(entry)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    held.add(target)
                    work.append((target, iter(following.get(target, ()))))
                    break
                if target in held:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_pop_component(node, stack, held))
    return found


def _pop_component(node: Node, stack: list[Node], held: set[Node]) -> list[Node]:
    component = []
    while True:
        each = stack.pop()
        held.discard(each)
        component.append(each)
        if each is node:
            return component
