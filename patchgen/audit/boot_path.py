# SPDX-License-Identifier: GPL-2.0-or-later
"""The path from the kernel's entry to the function that patches alternatives, by calls by name."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from patchgen.audit.code import LinkedCode, Node
from patchgen.audit.tables import Tables
from patchgen.errors import RefusedError


@dataclass(frozen=True, slots=True)
class BootPath:
    """The path to the function that patches alternatives; `limits` are where the window ends."""

    nodes: tuple[Node, ...]
    lines: tuple[int, ...]

    @property
    def limits(self) -> Mapping[Node, int]:
        """Return the line of each node's call to the next."""
        return dict(zip(self.nodes, self.lines, strict=False))


def find_spine(code: LinkedCode, tables: Tables) -> BootPath:
    """Return the path from the kernel's entry to the function that patches alternatives.

    Raises RefusedError if direct calls do not lead there.
    """
    for end in tables.end:
        for entry in tables.spine_from:
            for start in code.find_nodes(entry):
                found = _search(code, start, end)
                if found:
                    return found
    raise RefusedError(
        f"no calls lead from {' or '.join(tables.spine_from)} to {' or '.join(tables.end)}",
        hint="an audit needs a kernel that patches alternatives at boot; a .config has to build "
        "all files of arch/x86/kernel and init on that path",
        parameters=("config",),
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
            for target in code.resolve(node.path, call.name) if call.name else ():
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
        max(call.line for call in node.calls if following in code.resolve(node.path, call.name))
        for node, following in pairwise(nodes)
    ]
    return BootPath(tuple(nodes), tuple(lines))
