"""The other half: who asks for pages to become shared or private, and whom that is told.

A function that computes a mapping's encryption and writes the mapping changes the status. A caller
that hands on an address of its own parameters is part of how it is done; the first one that names
pages itself asks for it. What such a request leads to is followed by the same rule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from patchgen.audit.code import Code, Node
from patchgen.audit.facts import Access, Call
from patchgen.audit.flow import Flow
from patchgen.audit.routes import Routes
from patchgen.audit.tables import Tables
from patchgen.model.audit import Place, Platform, StatusChange, Teller

_DEPTH = 8


def find_changes(code: Code, tables: Tables, flow: Flow, routes: Routes) -> list[StatusChange]:
    """Return all requests, early or not, in the order of their places."""
    return _Changes(code, tables, flow, routes).find()


class _Changes:
    """Finds how the status is changed, who asks for it, and who is told."""

    def __init__(self, code: Code, tables: Tables, flow: Flow, routes: Routes):
        self._code = code
        self._status = tables.status
        self._tables = tables
        self._flow = flow
        self._routes = routes
        self._told: dict[Node, tuple[Teller, ...]] = {}

    def find(self) -> list[StatusChange]:
        means = {node for node in self._code.nodes if self._rewrites(node)}
        means |= {
            node
            for node in self._code.nodes
            if self._status.requests.fullmatch(node.name) and node.kind == "function"
        }
        asked: dict[tuple[Node, int, str], tuple[Call, list[Node]]] = {}
        for caller, call, target in self._walk_up(means):
            key = (caller, call.line, call.name)
            asked.setdefault(key, (call, []))[1].append(target)
        changes = [
            self._change(caller, call, targets) for (caller, _, _), (call, targets) in asked.items()
        ]
        return sorted(changes, key=lambda each: (each.place, each.call))

    def _rewrites(self, node: Node) -> bool:
        """Tell whether a function computes a mapping's encryption and writes a mapping."""
        if node.kind != "function" or node.path.endswith(".h"):
            return False
        names = {*node.words, *(call.name for call in node.calls)}
        status = self._status
        return not status.elsewhere.fullmatch(node.name) and all(
            any(map(pattern.fullmatch, names))
            for pattern in (status.masks, status.writes, status.reads)
        )

    def _walk_up(self, means: set[Node]) -> Iterator[tuple[Node, Call, Node]]:
        """Yield the calls that name pages themselves; `means` grows by those that hand them on."""
        fresh = set(means)
        while fresh:
            names = {node.name for node in fresh}
            grown: set[Node] = set()
            for caller in self._code.nodes:
                for call in caller.calls:
                    if call.name not in names or caller.kind == "assembly":
                        continue
                    for target in self._code.resolve(caller.path, call.name):
                        if target not in fresh or target is caller:
                            continue
                        if not call.forwards:
                            yield caller, call, target
                        elif caller not in means:
                            grown.add(caller)
            means |= grown
            fresh = grown

    def _change(self, caller: Node, call: Call, targets: Sequence[Node]) -> StatusChange:
        early = self._flow.is_early(caller, call.line)
        tellers = [each for target in targets for each in self._tellers(target)]
        return StatusChange(
            function=caller.name,
            place=Place(caller.path, call.line),
            call=call.name,
            pages=call.arguments[0] if call.arguments else "",
            to=self._direction(call, targets),
            early=self._routes.find(caller) if early else None,
            tellers=tuple(dict.fromkeys(tellers)),
            config=self._code.describe_condition(caller.path, call.line),
        )

    def _direction(self, call: Call, targets: Sequence[Node]) -> str:
        # A macro has its own name; what it calls says what it does.
        inside = [word for node in targets if node.kind == "macro" for word in node.words]
        for names in ([call.name], inside):
            if any(map(self._status.shared.search, names)):
                return "shared"
            if any(map(self._status.private.search, names)):
                return "private"
        return ""

    # --- who is told ------------------------------------------------------------------------------

    def _tellers(self, start: Node) -> tuple[Teller, ...]:
        if start not in self._told:
            self._told[start] = tuple(dict.fromkeys(self._find_tellers(start)))
        return self._told[start]

    def _find_tellers(self, start: Node) -> Iterator[Teller]:
        for node in self._hand_on([start]):
            for line, access in self._pointer_calls(node):
                yield from self._pointer_teller(node, line, access)
            constants = sorted(filter(self._status.constants.fullmatch, node.words))
            if constants and node is not start:
                place = Place(node.path, node.line)
                yield Teller(
                    "hypercall", constants[0], place, (node.name,), self._platforms([node])
                )

    def _hand_on(self, start: Iterable[Node], *, all_calls: bool = False) -> Iterator[Node]:
        """Yield what is called with the pages, from these functions on."""
        queue = deque((node, 0) for node in start)
        seen = set(start)
        while queue:
            node, depth = queue.popleft()
            yield node
            for call in node.calls if depth < _DEPTH else ():
                if call.name and (all_calls or call.forwards or node.kind == "macro"):
                    for target in self._code.resolve(node.path, call.name):
                        if target not in seen:
                            seen.add(target)
                            queue.append((target, depth + 1))

    def _pointer_calls(self, node: Node) -> Iterator[tuple[int, Access]]:
        for call in node.calls:
            if call.access is not None:
                yield call.line, call.access
            else:
                yield from ((call.line, access) for access in self._flow.operands(node, call))

    def _pointer_teller(self, node: Node, line: int, access: Access) -> Iterator[Teller]:
        member = access.members[-1] if access.members else ""
        means = "op" if member == self._tables.member else "callback"
        if means == "callback" and not self._status.callbacks.fullmatch(member):
            return
        holders = self._flow.holders(member)
        real = [each for each in holders if not _does_nothing(each)]
        yield Teller(
            means,
            ".".join([access.base or access.type, *access.members]),
            Place(node.path, line),
            tuple(each.name for each in real),
            self._platforms(real),
        )

    def _platforms(self, nodes: Iterable[Node]) -> tuple[Platform, ...]:
        """Return the platforms that functions tell, by the constants in what they call."""
        found: set[Platform] = set()
        for node in self._hand_on(list(nodes), all_calls=True):
            for pattern, platforms in self._status.platforms:
                if any(map(pattern.fullmatch, node.words)):
                    found.update(platforms)
            for _, access in self._pointer_calls(node):
                if access.members and access.members[-1] == self._tables.member:
                    holders = [h for h in self._flow.holders(self._tables.member) if h is not node]
                    found.update(self._constants(holders))
        return tuple(each for each in Platform if each in found)

    def _constants(self, nodes: Iterable[Node]) -> Iterator[Platform]:
        for node in self._hand_on(list(nodes), all_calls=True):
            for pattern, platforms in self._status.platforms:
                if any(map(pattern.fullmatch, node.words)):
                    yield from platforms


def _does_nothing(node: Node) -> bool:
    """Tell whether a function is the stub that stands for no implementation."""
    return not node.calls and not node.asms and not node.stores
