# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a function is early or late: the paths to it, and the obstacle on the path to a late one.

The reasons of all functions of a kernel are computed at once and cached, as the answer for one
function needs the whole call graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from patchgen.audit.flow import Flow
from patchgen.audit.nodes import Node
from patchgen.audit.obstacles import Approach, Obstacle, find_obstacles
from patchgen.audit.paths import Edge, Routes
from patchgen.audit.result import Audit, Hypercall, TreeLocation
from patchgen.audit.window import FollowedWindow
from patchgen.errors import RefusedError, find_misspelt

# The number of callers to store of a function that is early; the nearest ones are first.
_MOST_CALLERS = 12
_AT_FILE_SCOPE = -1


class Caller(NamedTuple):
    """A caller of a function, by its number; -1 for a registration at file scope."""

    number: int
    path: str
    line: int
    via: str
    obstacle: Obstacle


class FunctionReasons(NamedTuple):
    """A function, its nearest callers, and the number of its early callers if it is early."""

    name: str
    path: str
    line: int
    early: bool
    callers: tuple[Caller, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Reasons:
    """The functions of a kernel, and the function that ends the window.

    `unread` are names that early code calls and no file that was read defines.
    """

    end: str
    functions: tuple[FunctionReasons, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathStep:
    """A function on a path, and the place that leads to it: a call, or the definition if none does.

    `via` is the means if it is not a plain call.
    """

    function: str
    place: TreeLocation
    via: str
    early: bool
    obstacle: Obstacle


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """The answer for one function: the paths to it, the shortest first.

    If it is early, there is a path by each of its nearest callers, of which there are `callers` in
    total. If it is late, the path starts at an early function or a registration; it is empty if no
    code that was read leads to the function.
    """

    function: str
    place: TreeLocation
    early: bool
    callers: int
    paths: tuple[tuple[PathStep, ...], ...]


def build_reasons(window: FollowedWindow) -> Reasons:
    """Return the reasons of all functions of a kernel."""
    code, flow = window.code, window.flow
    approaches = find_obstacles(code, window.tables, flow)
    numbers = {node: number for number, node in enumerate(code.nodes)}
    incoming = _sort_edges(flow, window.routes)
    functions = [
        FunctionReasons(
            node.name,
            node.path,
            node.line,
            node in flow.edges,
            tuple(_list_callers(node, numbers, incoming, approaches)),
            len(incoming.get(node, ())),
        )
        for node in code.nodes
    ]
    return Reasons(window.boot_path.nodes[-1].name, tuple(functions), flow.list_unread())


def _sort_edges(flow: Flow, routes: Routes) -> Mapping[Node, list[Edge]]:
    """Return one edge from each caller of a function: that of its route, then the nearest."""
    last_edges = routes.list_last_edges()
    incoming: dict[Node, dict[Node, Edge]] = {
        node: {edge.source: edge} for node, edge in last_edges.items() if edge is not None
    }
    for node in last_edges:
        for edge in flow.edges[node]:
            # An entry has its own path.
            if edge.source is not edge.target and edge.target in incoming:
                incoming[edge.target].setdefault(edge.source, edge)
    return {node: list(edges.values()) for node, edges in incoming.items()}


def _list_callers(
    node: Node,
    numbers: Mapping[Node, int],
    incoming: Mapping[Node, Sequence[Edge]],
    approaches: Mapping[Node, Approach],
) -> Iterator[Caller]:
    for edge in incoming.get(node, ())[:_MOST_CALLERS]:
        yield Caller(numbers[edge.source], edge.source.path, edge.line, edge.via, Obstacle.NOTHING)
    if approach := approaches.get(node):
        number = _AT_FILE_SCOPE if approach.source is None else numbers[approach.source]
        path, line = approach.place.path, approach.place.line
        yield Caller(number, path, line, approach.via, approach.obstacle)


# --- answers --------------------------------------------------------------------------------------


def explain_function(reasons: Reasons, name: str) -> list[FunctionAnswer]:
    """Return an answer for each function of a name, those that are early first.

    Raises RefusedError if no function that was read has the name.
    """
    numbers = [number for number, function in enumerate(reasons.functions) if function.name == name]
    if not numbers:
        raise _refuse(reasons, name)
    answers = [_answer(reasons, number) for number in numbers]
    return sorted(answers, key=lambda answer: (not answer.early, answer.place))


def explain_late(reasons: Reasons, audit: Audit) -> list[tuple[Hypercall, FunctionAnswer | None]]:
    """Return the late hypercalls of an audit, each with the answer for its function.

    The answer is None for a site that is not in a function.
    """
    numbers: dict[tuple[str, str], list[int]] = {}
    for number, function in enumerate(reasons.functions):
        numbers.setdefault((function.name, function.path), []).append(number)
    late = []
    for site in audit.hypercalls:
        if not site.early:
            named = numbers.get((site.function, site.place.path), [])
            answers = [_answer(reasons, number) for number in named]
            # Of functions of one name, such as those of an #if and its #else, the last one above.
            above = [answer for answer in answers if answer.place <= site.place]
            late.append((site, max(above, key=lambda answer: answer.place, default=None)))
    return late


def _answer(reasons: Reasons, number: int) -> FunctionAnswer:
    function = reasons.functions[number]
    paths = [_trace(reasons, number, caller) for caller in function.callers]
    if function.early and not paths:
        paths = [(_build_step(function, None),)]
    place = TreeLocation(function.path, function.line)
    return FunctionAnswer(
        function.name, place, function.early, function.total, tuple(filter(None, paths))
    )


def _trace(reasons: Reasons, number: int, caller: Caller) -> tuple[PathStep, ...]:
    """Return the path by a caller: back to an entry, or for a late function to an early one.

    The path is empty if it leads through the function itself.
    """
    function = reasons.functions[number]
    early = function.early
    steps = [_build_step(function, caller)]
    following: Caller | None = caller
    while following is not None and following.number != _AT_FILE_SCOPE:
        if following.number == number:
            return ()
        function = reasons.functions[following.number]
        ends = not function.callers or (function.early and not early)
        following = None if ends else function.callers[0]
        steps.append(_build_step(function, following))
    return tuple(reversed(steps))


def _build_step(function: FunctionReasons, caller: Caller | None) -> PathStep:
    if caller is None:
        place = TreeLocation(function.path, function.line)
        return PathStep(function.name, place, "", function.early, Obstacle.NOTHING)
    place = TreeLocation(caller.path, caller.line)
    return PathStep(function.name, place, caller.via, function.early, caller.obstacle)


def _refuse(reasons: Reasons, name: str) -> RefusedError:
    if name in reasons.unread:
        return RefusedError(
            f"early code calls {name}(), but no file that the audit reads defines it",
            code="audit-code",
        )
    names = {function.name for function in reasons.functions}
    close = find_misspelt(name, names)
    return RefusedError(
        f"no file that the audit reads defines a function {name}()",
        code="audit-code",
        hint=f"did you mean {close}?" if close else "",
        parameters=("why",),
    )
