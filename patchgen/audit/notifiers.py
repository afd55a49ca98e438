# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what notifies the hypervisor of a change of page status, and on which platforms.

Calls that pass the pages on are followed for each platform separately, under the conditions in the
code: a callback that only converts pages to private does not notify when they become shared, and
one that is installed on SEV does not notify on TDX.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.audit.facts import Access, CallFact
from patchgen.audit.flow import Flow
from patchgen.audit.function_platforms import Doubts, Reach
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.platforms import Env, PlatformTests, find_surest
from patchgen.audit.result import Notifier, Platform, TreeLocation
from patchgen.audit.tables import Tables

_MAX_DEPTH = 8
_Key = tuple[str, str, TreeLocation]


@dataclass(frozen=True, slots=True)
class Visit:
    """A function on the path, the known values of its parameters, and unknown conditions."""

    node: Node
    env: Env
    doubts: Doubts


@dataclass(slots=True)
class _FoundNotifier:
    """A notifier, collected over the platforms."""

    functions: list[str] = field(default_factory=list)
    platforms: dict[Platform, Doubts] = field(default_factory=dict)
    notifies_somewhere: bool = False


class NotifierSearch:
    """Follows the code from a request on."""

    def __init__(
        self, code: LinkedCode, tables: Tables, flow: Flow, reach: Reach, tests: PlatformTests
    ):
        self._code = code
        self._status = tables.status
        self._member = tables.member
        self._flow = flow
        self._reach = reach
        self._tests = tests
        self._notifications: dict[tuple[Node, Env, Platform], Doubts | None] = {}

    def find(self, start: Node, env: Env, platforms: Iterable[Platform]) -> list[Notifier]:
        """Return the notifiers of a request, each with the platforms on which it notifies."""
        notifiers: dict[_Key, _FoundNotifier] = {}
        for platform in platforms:
            for visit in self.walk(start, env, platform):
                for call, access in self._list_pointer_calls(visit.node):
                    self._add_pointer(notifiers, visit, call, access, platform)
                if visit.node is not start:
                    self._add_hypercall(notifiers, visit, platform)
        return [
            _build_notifier(key, notifier)
            for key, notifier in notifiers.items()
            if notifier.platforms or not notifier.notifies_somewhere
        ]

    def walk(
        self, start: Node, env: Env, platform: Platform, *, all_calls: bool = False
    ) -> Iterator[Visit]:
        """Yield the functions called with the pages on a platform, paths without doubts first.

        `all_calls` includes functions called without the pages.
        """
        sure = deque([(Visit(start, env, ()), 0)])
        doubtful: deque[tuple[Visit, int]] = deque()
        seen: set[tuple[Node, Env]] = set()
        while sure or doubtful:
            visit, depth = sure.popleft() if sure else doubtful.popleft()
            if (visit.node, visit.env) in seen:
                continue
            seen.add((visit.node, visit.env))
            yield visit
            for call in self._code.read_calls(visit.node) if depth < _MAX_DEPTH else ():
                passes_pages = call.forwards or visit.node.kind == "macro"
                if call.name and (all_calls or passes_pages):
                    for following in self._follow(visit, call, platform):
                        queue = doubtful if following.doubts else sure
                        queue.append((following, depth + 1))

    def _follow(self, visit: Visit, call: CallFact, platform: Platform) -> Iterator[Visit]:
        targets = self._code.resolve(visit.node.path, call.name, call.line)
        doubts = self._find_doubts(visit, call, platform) if targets else None
        if doubts is not None:
            for target in targets:
                env = self._tests.bind(call.arguments, visit.env, target)
                yield Visit(target, env, doubts)

    def _find_doubts(self, visit: Visit, call: CallFact, platform: Platform) -> Doubts | None:
        inside = self._tests.find_doubts(visit.node, call.under, visit.env, platform)
        return None if inside is None else (*visit.doubts, *inside)

    def _list_pointer_calls(self, node: Node) -> Iterator[tuple[CallFact, Access]]:
        for call in self._code.read_calls(node):
            if call.access is not None:
                yield call, call.access
            else:
                yield from ((call, access) for access in self._flow.find_operands(node, call))

    # --- notifiers of the hypervisor --------------------------------------------------------------

    def _add_hypercall(
        self, notifiers: dict[_Key, _FoundNotifier], visit: Visit, platform: Platform
    ) -> None:
        node = visit.node
        constants = sorted(filter(self._status.constants.fullmatch, node.identifiers))
        if not constants:
            return
        key = ("hypercall", constants[0], TreeLocation(node.path, node.line))
        notifier = notifiers.setdefault(key, _FoundNotifier([node.name], notifies_somewhere=True))
        for doubts in self._find_constants(visit, platform):
            _add_doubts(notifier.platforms, platform, doubts)

    def _add_pointer(
        self,
        notifiers: dict[_Key, _FoundNotifier],
        visit: Visit,
        call: CallFact,
        access: Access,
        platform: Platform,
    ) -> None:
        member = access.members[-1] if access.members else ""
        means = "op" if member == self._member else "callback"
        if means == "callback" and not self._status.callbacks.fullmatch(member):
            return
        doubts = self._find_doubts(visit, call, platform)
        if doubts is None:
            return
        key = (means, access.text, TreeLocation(visit.node.path, call.line))
        notifier = notifiers.setdefault(key, _FoundNotifier())
        for holder, env in self._list_holders(visit, call, member):
            if holder.name not in notifier.functions:
                notifier.functions.append(holder.name)
            notifier.notifies_somewhere = notifier.notifies_somewhere or self._notifies_anywhere(
                holder
            )
            notifying = self._find_installed(holder, env, member, platform)
            if notifying is not None:
                _add_doubts(notifier.platforms, platform, (*doubts, *notifying))

    def _list_holders(
        self, visit: Visit, call: CallFact, member: str
    ) -> Iterator[tuple[Node, Env]]:
        """Yield the functions that a member may hold, with the known values of their parameters."""
        for holder in self._flow.pointers.find_holders(member):
            if not _does_nothing(holder):
                arguments = _list_arguments(call, member)
                yield holder, self._tests.bind(arguments, visit.env, holder)

    def _find_installed(
        self, holder: Node, env: Env, member: str, platform: Platform
    ) -> Doubts | None:
        """Return the doubts about whether a callback is installed and notifies, None if not."""
        installed = self._reach.find_installed(member, holder, platform)
        notifying = (
            self._find_notification(holder, env, platform) if installed is not None else None
        )
        return None if installed is None or notifying is None else (*installed, *notifying)

    def _find_notification(self, holder: Node, env: Env, platform: Platform) -> Doubts | None:
        key = (holder, env, platform)
        if key not in self._notifications:
            self._notifications[key] = None  # a recursive call adds nothing
            self._notifications[key] = find_surest(
                self._find_notifying_paths(holder, env, platform)
            )
        return self._notifications[key]

    def _find_notifying_paths(self, holder: Node, env: Env, platform: Platform) -> Iterator[Doubts]:
        for visit in self.walk(holder, env, platform, all_calls=True):
            yield from self._find_constants(visit, platform)
            for call, access in self._list_pointer_calls(visit.node):
                if not access.members or access.members[-1] != self._member:
                    continue
                before = self._find_doubts(visit, call, platform)
                for inner, inner_env in self._list_holders(visit, call, self._member):
                    notifying = self._find_installed(inner, inner_env, self._member, platform)
                    if before is not None and notifying is not None:
                        yield (*before, *notifying)

    def _notifies_anywhere(self, holder: Node) -> bool:
        """Return whether a function notifies for any request on any platform."""
        return any(
            self._find_notification(holder, (), platform) is not None for platform in Platform
        )

    def _find_constants(self, visit: Visit, platform: Platform) -> Iterator[Doubts]:
        """Yield the doubts of each place where a function names a constant for a platform."""
        for pattern, platforms in self._status.platforms:
            for constant in filter(pattern.fullmatch, visit.node.identifiers):
                if platform not in platforms:
                    continue
                calls = [
                    c for c in self._code.read_calls(visit.node) if _names_constant(c, constant)
                ]
                if not calls:
                    yield visit.doubts
                for call in calls:
                    doubts = self._find_doubts(visit, call, platform)
                    if doubts is not None:
                        yield doubts


def _names_constant(call: CallFact, constant: str) -> bool:
    return constant in call.passed or any(constant in argument for argument in call.arguments)


def _add_doubts(by_platform: dict[Platform, Doubts], platform: Platform, doubts: Doubts) -> None:
    if platform not in by_platform or len(doubts) < len(by_platform[platform]):
        by_platform[platform] = doubts


def _list_arguments(call: CallFact, member: str) -> Sequence[str]:
    """Return the arguments of a callback: for a macro, those after the member."""
    for number, argument in enumerate(call.arguments):
        if call.access is None and argument.rpartition(".")[2] == member:
            return call.arguments[number + 1 :]
    return call.arguments


def _build_notifier(key: _Key, notifier: _FoundNotifier) -> Notifier:
    means, via, place = key
    by_platform = _sort_platforms(notifier.platforms)
    doubts = [
        doubt for platform, platform_doubts in by_platform.items() for doubt in platform_doubts[:1]
    ]
    certain = tuple(
        platform for platform, platform_doubts in by_platform.items() if not platform_doubts
    )
    return Notifier(means, via, place, tuple(notifier.functions), certain, tuple(doubts))


def _sort_platforms(by_platform: Mapping[Platform, Doubts]) -> dict[Platform, Doubts]:
    return {platform: by_platform[platform] for platform in Platform if platform in by_platform}


def _does_nothing(node: Node) -> bool:
    """Return whether a function is a stub without an implementation."""
    return not node.calls and not node.asms and not node.stores
