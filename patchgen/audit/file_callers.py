# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the functions of a file that call another one of it, directly or through others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from patchgen.audit.nodes import Node


class FileCallers:
    """The callers in each file, which is read on the first request for one of its functions."""

    def __init__(self, nodes: Iterable[Node]):
        self._functions: dict[str, list[Node]] = defaultdict(list)
        for node in nodes:
            if node.kind == "function":
                self._functions[node.path].append(node)
        self._callers: dict[str, Mapping[str, set[str]]] = {}

    def find(self, node: Node) -> tuple[str, ...]:
        """Return the functions of a node's file that call it, directly or through others."""
        callers_by_name = self._read(node.path)
        callers: dict[str, None] = {}
        todo = [node.name]
        while todo:
            for name in sorted(callers_by_name.get(todo.pop(), ())):
                if name != node.name and name not in callers:
                    callers[name] = None
                    todo.append(name)
        return tuple(callers)

    def _read(self, path: str) -> Mapping[str, set[str]]:
        """Return the functions of a file by the names that they call."""
        if path not in self._callers:
            callers = defaultdict(set)
            for function in self._functions.get(path, ()):
                for call in function.calls:
                    callers[call.name].add(function.name)
            self._callers[path] = callers
        return self._callers[path]
