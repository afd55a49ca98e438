# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the requests for pages to become shared or private, and the notifiers of the hypervisor.

A function that computes a mapping's encryption and writes the mapping changes the status. A caller
that passes on an address from its own parameters belongs to the implementation; the first caller
that names pages itself makes the request. Calls below a request are followed by the same rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from patchgen.audit.facts import CallFact
from patchgen.audit.flow import Flow
from patchgen.audit.function_platforms import Doubts, Reach
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.notifiers import NotifierSearch, Visit
from patchgen.audit.paths import Routes
from patchgen.audit.platforms import Env, PlatformTests, find_surest
from patchgen.audit.result import Notifier, Platform, StatusChange, TreeLocation
from patchgen.audit.tables import Tables

Platforms = tuple[Platform, ...]


def find_changes(
    code: LinkedCode, tables: Tables, flow: Flow, routes: Routes, reach: Reach, tests: PlatformTests
) -> list[StatusChange]:
    """Return all requests, early or not, sorted by place."""
    return _Changes(code, tables, flow, routes, reach, tests).find()


class _Changes:
    """Finds the code that changes the status, the requests, and the notifiers."""

    def __init__(
        self,
        code: LinkedCode,
        tables: Tables,
        flow: Flow,
        routes: Routes,
        reach: Reach,
        tests: PlatformTests,
    ):
        self._code = code
        self._status = tables.status
        self._flow = flow
        self._routes = routes
        self._reach = reach
        self._tests = tests
        self._search = NotifierSearch(code, tables, flow, reach, tests)
        self._notifiers: dict[tuple[Node, Env, Platforms], list[Notifier]] = {}
        self._changed: dict[tuple[Node, Env, Platform], Doubts | None] = {}

    def find(self) -> list[StatusChange]:
        implementation = {node for node in self._code.nodes if self._rewrites(node)}
        implementation |= {
            node
            for node in self._code.nodes
            if self._status.requests.fullmatch(node.name) and node.kind == "function"
        }
        requests: dict[tuple[Node, int, str], tuple[CallFact, list[Node]]] = {}
        for caller, call, target in self._walk_up(implementation):
            key = (caller, call.line, call.name)
            requests.setdefault(key, (call, []))[1].append(target)
        changes = [
            self._build_change(caller, call, targets)
            for (caller, _, _), (call, targets) in requests.items()
        ]
        return sorted(changes, key=lambda change: (change.place, change.call))

    def _rewrites(self, node: Node) -> bool:
        """Return whether a function computes a mapping's encryption and writes a mapping."""
        if node.kind != "function" or node.path.endswith(".h"):
            return False
        names = {*node.identifiers, *(call.name for call in node.calls)}
        status = self._status
        return not status.own_tables.fullmatch(node.name) and all(
            any(map(pattern.fullmatch, names))
            for pattern in (status.masks, status.writes, status.reads)
        )

    def _walk_up(self, implementation: set[Node]) -> Iterator[tuple[Node, CallFact, Node]]:
        """Yield the calls that name pages themselves.

        Callers that pass on the pages of their own callers are added to `implementation`.
        """
        frontier = set(implementation)
        while frontier:
            names = {node.name for node in frontier}
            callers: set[Node] = set()
            for caller in self._code.nodes:
                for call in caller.calls:
                    if call.name not in names or caller.kind == "assembly":
                        continue
                    for target in self._code.resolve(caller.path, call.name, call.line):
                        if target not in frontier or target is caller:
                            continue
                        if not call.forwards:
                            yield caller, call, target
                        elif caller not in implementation:
                            callers.add(caller)
            implementation |= callers
            frontier = callers

    def _build_change(self, caller: Node, call: CallFact, targets: Sequence[Node]) -> StatusChange:
        early = self._flow.is_early(caller, call.line)
        doubts_by_platform = self._find_platforms(caller, call, targets, early=early)
        notifiers = [
            notifier
            for target in targets
            for notifier in self._find_notifiers(
                target, self._bind(call, target), tuple(doubts_by_platform)
            )
        ]
        return StatusChange(
            function=caller.name,
            place=TreeLocation(caller.path, call.line),
            call=call.name,
            pages=call.arguments[0] if call.arguments else "",
            to=self._find_direction(call, targets),
            early=self._routes.find(caller) if early else None,
            notifiers=tuple(dict.fromkeys(notifiers)),
            config=self._code.describe_condition(caller.path, call.line),
            within=self._code.find_within(caller) if early else (),
            platforms=tuple(
                platform for platform, doubts in doubts_by_platform.items() if not doubts
            ),
            doubts=tuple(doubt for doubts in doubts_by_platform.values() for doubt in doubts[:1]),
        )

    def _find_direction(self, call: CallFact, targets: Sequence[Node]) -> str:
        # A macro whose own name does not show the direction: the names in its text do.
        text_names = [name for node in targets if node.kind == "macro" for name in node.identifiers]
        for names in ([call.name], text_names):
            if any(map(self._status.shared.search, names)):
                return "shared"
            if any(map(self._status.private.search, names)):
                return "private"
        return ""

    # --- where it runs ----------------------------------------------------------------------------

    def _find_platforms(
        self, caller: Node, call: CallFact, targets: Sequence[Node], *, early: bool
    ) -> Mapping[Platform, Doubts]:
        """Return the platforms on which pages change, with the conditions that are unknown."""
        doubts_by_platform: dict[Platform, Doubts] = {}
        for platform in Platform:
            before = self._reach.find_statement(caller, call.under, platform) if early else None
            if not early:
                before = self._tests.find_doubts(caller, call.under, (), platform)
            results = [self._find_changed(t, self._bind(call, t), platform) for t in targets]
            possible = [result for result in results if result is not None]
            if before is not None and possible:
                doubts_by_platform[platform] = (*before, *min(possible, key=len))
        return doubts_by_platform

    def _bind(self, call: CallFact, target: Node) -> Env:
        return self._tests.bind(call.arguments, (), target)

    def _find_changed(self, target: Node, env: Env, platform: Platform) -> Doubts | None:
        """Return the doubts about whether a request changes a mapping, None if it does not."""
        key = (target, env, platform)
        if key not in self._changed:
            paths: list[Doubts] = []
            for visit in self._search.walk(target, env, platform):
                if self._rewrites(visit.node):
                    paths += self._find_writes(visit, platform)
            if not paths and not self._is_rewritten_anywhere(target):
                paths.append(())
            self._changed[key] = find_surest(paths)
        return self._changed[key]

    def _is_rewritten_anywhere(self, target: Node) -> bool:
        """Return whether the code that changes the mapping was found for any platform."""
        return any(
            self._rewrites(visit.node)
            for platform in Platform
            for visit in self._search.walk(target, (), platform)
        )

    def _find_writes(self, visit: Visit, platform: Platform) -> Iterator[Doubts]:
        node = visit.node
        calls = [call for call in node.calls if self._status.writes.fullmatch(call.name)]
        if not calls:
            yield visit.doubts
        for call in calls:
            inside = self._tests.find_doubts(node, call.under, visit.env, platform)
            if inside is not None:
                yield (*visit.doubts, *inside)

    def _find_notifiers(self, target: Node, env: Env, platforms: Platforms) -> list[Notifier]:
        key = (target, env, platforms)
        if key not in self._notifiers:
            self._notifiers[key] = self._search.find(target, env, platforms)
        return self._notifiers[key]
