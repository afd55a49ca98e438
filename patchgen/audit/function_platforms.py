# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the platforms on which the functions of the window run, by the conditions on their paths.

A function runs on a platform if a path leads to it on which no condition excludes the platform. A
path through a pointer also requires that the function is installed: by code that runs on the
platform, or by an initialiser. Paths without unknown conditions are preferred.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from patchgen.audit.flow import Flow
from patchgen.audit.nodes import Node
from patchgen.audit.paths import Edge, Install
from patchgen.audit.platforms import PlatformTests, find_surest
from patchgen.audit.result import Doubt, Platform

Doubts = tuple[Doubt, ...]


class Reach:
    """The platforms of all functions of the window."""

    def __init__(self, flow: Flow, entries: Iterable[Node], tests: PlatformTests):
        self._flow = flow
        self._tests = tests
        starts = list(entries)
        self._doubts = {platform: self._walk(starts, platform) for platform in Platform}

    def find(self, node: Node, platform: Platform) -> Doubts | None:
        """Return the unknown conditions on the path to a function, None if it does not run."""
        return self._doubts[platform].get(node)

    def find_statement(self, node: Node, under: Sequence[int], platform: Platform) -> Doubts | None:
        """Return the unknown conditions for a statement under some of a function's guards."""
        before = self.find(node, platform)
        inside = self._tests.find_doubts(node, under, (), platform)
        return None if before is None or inside is None else (*before, *inside)

    def find_installed(self, member: str, target: Node, platform: Platform) -> Doubts | None:
        """Return the unknown conditions for installing a function in a member of a name."""
        results = [
            () if install.by is None else self.find_statement(install.by, install.under, platform)
            for install in self._flow.pointers.find_installs(member, target)
        ]
        possible = [result for result in results if result is not None]
        return find_surest(possible) if results else ()

    def _walk(self, starts: Iterable[Node], platform: Platform) -> dict[Node, Doubts]:
        reached: dict[Node, Doubts] = {}
        waiting: dict[Node, list[tuple[Doubts, Edge]]] = {}
        serial = 0
        heap: list[tuple[int, int, Node, Doubts]] = []
        for serial, node in enumerate(starts):
            heapq.heappush(heap, (0, serial, node, ()))
        while heap:
            _, _, node, doubts = heapq.heappop(heap)
            if node in reached:
                continue
            reached[node] = doubts
            due = [(doubts, edge) for edge in self._flow.edges.get(node, ())]
            due += waiting.pop(node, ())
            for before, edge in due:
                if edge.target in reached:
                    continue
                doubts_after = self._follow(edge, before, platform, reached, waiting)
                if doubts_after is not None:
                    serial += 1
                    heapq.heappush(heap, (len(doubts_after), serial, edge.target, doubts_after))
        return reached

    def _follow(
        self,
        edge: Edge,
        before: Doubts,
        platform: Platform,
        reached: dict[Node, Doubts],
        waiting: dict[Node, list[tuple[Doubts, Edge]]],
    ) -> Doubts | None:
        """Return the doubts after an edge; an edge whose function is not installed yet waits."""
        inside = self._tests.find_doubts(edge.source, edge.under, (), platform)
        if inside is None:
            return None
        if not edge.member:
            return _join(before, inside)
        best: Doubts | None = None
        installs = self._flow.pointers.find_installs(edge.member, edge.target)
        for install in installs:
            installed = self._find_doubts_of_install(install, platform, reached)
            if installed is None and install.by is not None:
                waiting.setdefault(install.by, []).append((before, edge))
            elif installed is not None and (best is None or len(installed) < len(best)):
                best = installed
        if installs and best is None:
            return None
        return _join(before, inside, best or ())

    def _find_doubts_of_install(
        self, install: Install, platform: Platform, reached: dict[Node, Doubts]
    ) -> Doubts | None:
        if install.by is None:
            return ()
        if install.by not in reached:
            return None
        inside = self._tests.find_doubts(install.by, install.under, (), platform)
        return None if inside is None else (*reached[install.by], *inside)


def _join(*parts: Doubts) -> Doubts:
    if not any(parts):
        return ()
    return tuple(dict.fromkeys(doubt for part in parts for doubt in part))
