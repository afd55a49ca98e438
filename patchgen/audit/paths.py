# SPDX-License-Identifier: GPL-2.0-or-later
"""The graph of the window: its edges, the shortest paths through it, and their number.

The boot path leads from the kernel's entry to the function that patches alternatives, by calls by
name; the window ends where it does.
"""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Key, Node
from patchgen.audit.result import EdgeKind, Route, Step, TreeLocation
from patchgen.audit.tables import Tables
from patchgen.errors import RefusedError

_COMPLETE_CONFIG = "name a .config that builds all files of arch/x86/kernel and init on that path"
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


@dataclass(frozen=True, slots=True)
class Edge:
    """A transfer of control from a line of one function to another. `op` is set for the notify op.

    `under` are the guards of `source` that it is under; `member` is the member that holds the
    target, "" for a call by name.
    """

    source: Node
    target: Node
    line: int
    kind: EdgeKind
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
    """A call through a pointer that was reached; `via` is how it is shown.

    `key` names the member or variable that holds the pointer, if no reached code assigns a function
    to it; None if the member is unknown. `is_loaded` is set for assembly that loads the pointer,
    and may call it or not.
    """

    node: Node
    line: int
    via: str
    under: tuple[int, ...] = ()
    key: Key | None = None
    is_loaded: bool = False


@dataclass(frozen=True, slots=True)
class BootPath:
    """The path to the function that patches alternatives; `limits` are where the window ends."""

    nodes: tuple[Node, ...]
    lines: tuple[int, ...]

    @property
    def limits(self) -> Mapping[Node, int]:
        """Return the line of each node's call to the next."""
        return dict(zip(self.nodes, self.lines, strict=False))


def find_boot_path(code: LinkedCode, tables: Tables) -> BootPath:
    """Return the path from the kernel's entry to the function that patches alternatives.

    Raises RefusedError if direct calls do not lead there.
    """
    for end in tables.end:
        for entry in tables.boot_path_from:
            for start in code.find_nodes(entry):
                path = _search(code, start, end)
                if path:
                    return path
    raise RefusedError(
        f"no calls lead from {' or '.join(tables.boot_path_from)} to {' or '.join(tables.end)}",
        code="audit-code",
        hint="an audit needs a kernel that patches alternatives at boot",
        alternatives={"config": _COMPLETE_CONFIG} if code.settings is not None else None,
    )


def _search(code: LinkedCode, start: Node, end: str) -> BootPath | None:
    """Walk calls by name, breadth first."""
    before: dict[Node, Node] = {}
    queue = deque([start])
    seen = {start}
    while queue:
        node = queue.popleft()
        if node.name == end:
            return _trace(code, before, node)
        for call in node.calls:
            for target in code.resolve(node.path, call.name, call.line) if call.name else ():
                if target not in seen:
                    seen.add(target)
                    before[target] = node
                    queue.append(target)
    return None


def _trace(code: LinkedCode, before: Mapping[Node, Node], last: Node) -> BootPath:
    nodes = [last]
    while nodes[-1] in before:
        nodes.append(before[nodes[-1]])
    nodes.reverse()
    lines = [
        max(
            call.line
            for call in node.calls
            if following in code.resolve(node.path, call.name, call.line)
        )
        for node, following in pairwise(nodes)
    ]
    return BootPath(tuple(nodes), tuple(lines))


Graph = Mapping[Node, Sequence[Edge]]


class Routes:
    """Shortest paths from the entries, all at once (Dijkstra), and counts in the condensed graph.

    Of two paths of equal cost, the one with the earlier calls is chosen, so that the result is
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

    def list_last_edges(self) -> dict[Node, Edge | None]:
        """Return the last edge of the path to each function, None for an entry, nearest first."""
        return {node: before[1] if before else None for node, before in self._before.items()}

    def find(self, node: Node) -> Route | None:
        """Return the route to a function, or None."""
        if node not in self._before:
            return None
        if self._counts is None:
            self._counts = _count_paths(self._graph, self._entries, self._usable)
        count = self._counts.get(node, 1)
        return Route(self._trace_steps(node), min(count, _CAP), count >= _CAP)

    def _trace_steps(self, node: Node) -> tuple[Step, ...]:
        steps = []
        at: Node = node
        while (before := self._before[at]) is not None:
            caller, edge = before
            called = TreeLocation(caller.path, edge.line)
            steps.append(Step(at.name, TreeLocation(at.path, at.line), called, edge.kind, edge.via))
            at = caller
        steps.append(Step(at.name, TreeLocation(at.path, at.line), None, EdgeKind.ENTRY))
        return tuple(reversed(steps))


def _price(edge: Edge) -> int:
    if edge.via.startswith(("an argument of ", "a variable of ")):
        return _COST_PASSED
    return _COST.get(edge.kind, 4)


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
    on_stack: set[Node] = set()
    components: list[list[Node]] = []
    for entry in entries:
        work = [(entry, iter(following.get(entry, ())))] if entry not in index else []
        if work:
            index[entry] = low[entry] = len(index)
            stack.append(entry)
            on_stack.add(entry)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(following.get(target, ()))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    components.append(_pop_component(node, stack, on_stack))
    return components


def _pop_component(node: Node, stack: list[Node], on_stack: set[Node]) -> list[Node]:
    component = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        component.append(member)
        if member is node:
            return component
