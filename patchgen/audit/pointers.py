# SPDX-License-Identifier: GPL-2.0-or-later
"""Match calls through members and variables with the functions that are stored in them.

Calls and stores are added in any order; each pair that matches is linked once. A key names the
struct and the member (LinkedCode.find_key); a struct that is unknown is "?", an element of an array
has the member "*".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from patchgen.audit.nodes import Key, Node
from patchgen.audit.paths import Install, PointerCall
from patchgen.audit.result import EdgeKind

# A member's name alone is a match if at most this many structs have a member of that name.
_MAX_STRUCTS = 3
_WITHOUT_STRUCT = ("=", "table", "static_call", "chain")
# Receives a call, a function that it may call, the key that matches, and how it was stored.
Link = Callable[[PointerCall, Node, Key, EdgeKind, str], None]


class Pointers:
    """The calls and the stores of the window."""

    def __init__(self, link: Link):
        self._link = link
        self._stores: dict[Key, dict[Node, tuple[EdgeKind, str]]] = {}
        self._by_member: dict[str, set[Key]] = {}
        self._calls: dict[Key, list[PointerCall]] = {}
        self._called_by_member: dict[str, set[Key]] = {}
        self._forwards: dict[Key, set[Key]] = {}
        self._installs: dict[tuple[str, Node], list[Install]] = {}

    def store(
        self, key: Key, target: Node, kind: EdgeKind, via: str, by: Install | None = None
    ) -> None:
        """Add a function that a member or variable may hold; `by` is None for an initialiser."""
        self._installs.setdefault((key[1], target), []).append(by or Install(None))
        targets = self._stores.setdefault(key, {})
        if target in targets:
            return
        targets[target] = (kind, via)
        self._by_member.setdefault(key[1], set()).add(key)
        for call in self._find_calls(key):
            self._link(call, target, key, kind, via)

    def add_call(self, key: Key, call: PointerCall) -> None:
        """Add a call through a member or a variable."""
        self._calls.setdefault(key, []).append(call)
        self._called_by_member.setdefault(key[1], set()).add(key)
        for member in sorted(self._forwards.get(key, ())):
            self.add_call(member, call)
        for match in list(self._find_stored_keys(key)):
            for target, (kind, via) in list(self._stores.get(match, {}).items()):
                self._link(call, target, match, kind, via)

    def forward(self, key: Key, member: Key) -> None:
        """Link the calls of a static call with the functions that a member holds, too."""
        self._forwards.setdefault(key, set()).add(member)
        for call in list(self._calls.get(key, ())):
            self.add_call(member, call)

    def list_unassigned(self) -> Iterator[PointerCall]:
        """Yield the calls for which no store matches, with their keys."""
        for key, calls in self._calls.items():
            if not any(self._find_stored_keys(key)):
                yield from (replace(call, key=key) for call in calls)

    def find_installs(self, member: str, target: Node) -> Sequence[Install]:
        """Return the assignments of a function to members of a name."""
        return self._installs.get((member, target), ())

    def find_holders(self, member: str) -> list[Node]:
        """Return the known functions in a member of any struct, sorted by place."""
        functions = {n for key in self._by_member.get(member, ()) for n in self._stores[key]}
        return sorted(functions, key=lambda node: (node.path, node.line))

    def _find_calls(self, key: Key) -> list[PointerCall]:
        """Return the calls that a store provides a target for."""
        if key[1] == "*":
            return [
                c for call_key, calls in self._calls.items() if call_key[0] == key[0] for c in calls
            ]
        keys = [key]
        if key[0] == "?":
            keys = sorted(k for k in self._called_by_member.get(key[1], ()) if _has_struct(k))
        elif _has_struct(key) and self._is_rare(key[1]):
            keys.append(("?", key[1]))
        return [call for match in keys for call in self._calls.get(match, ())]

    def _is_rare(self, member: str) -> bool:
        structs = [key for key in self._by_member.get(member, ()) if key[0] != "?"]
        return len(structs) <= _MAX_STRUCTS

    def _find_stored_keys(self, key: Key) -> Iterable[Key]:
        """Return the keys of the stores that provide targets for a call."""
        if key[0] == "?":
            return sorted(self._by_member.get(key[1], ())) if self._is_rare(key[1]) else []
        return [
            stored_key
            for stored_key in (key, (key[0], "*"), ("?", key[1]))
            if stored_key in self._stores
        ]


def _has_struct(key: Key) -> bool:
    return key[0] not in _WITHOUT_STRUCT
