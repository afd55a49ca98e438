# SPDX-License-Identifier: GPL-2.0-or-later
"""Account for every call in the window: resolved, listed as unresolved, or lost.

A call is resolved if the audit followed the code that it leads to, or if it cannot lead anywhere
(a macro without calls, a compiler builtin). The tests check that no call is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.audit.facts import Access, CallFact
from patchgen.audit.flow import Flow
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.result import TreeLocation


@dataclass(frozen=True, slots=True)
class CallAccount:
    """The numbers of calls in the window; `lost` are calls neither resolved nor listed."""

    seen: int
    resolved: int
    listed: int
    lost: tuple[TreeLocation, ...]


def account_calls(code: LinkedCode, flow: Flow) -> CallAccount:
    """Account for the calls of a flow that has run."""
    unresolved = {(call.node, call.line) for call in flow.unresolved}
    resolved = listed = 0
    lost: list[TreeLocation] = []
    for node in flow.edges:
        lines = {edge.line for edge in flow.edges[node]}
        for call in _early_calls(node, flow):
            if (node, call.line) in unresolved or _is_unread(code, flow, node, call):
                listed += 1
            elif _is_resolved(code, flow, node, call, lines):
                resolved += 1
            else:
                lost.append(TreeLocation(node.path, call.line))
    return CallAccount(resolved + listed + len(lost), resolved, listed, tuple(lost))


def _early_calls(node: Node, flow: Flow) -> Iterator[CallFact]:
    """Yield the calls in the window, without instruction operands that name data."""
    for call in node.calls:
        loads = node.kind == "assembly" and call.access is not None
        if flow.is_in_window(node, call.line) and not loads:
            yield call


def _is_unread(code: LinkedCode, flow: Flow, node: Node, call: CallFact) -> bool:
    defined = code.resolve(node.path, call.name) or code.find_data(node.path, call.name)
    return bool(call.name) and not defined and call.name in flow.unread


def _is_resolved(code: LinkedCode, flow: Flow, node: Node, call: CallFact, lines: set[int]) -> bool:
    if call.access is None:
        if not _is_defined(code, node, call.name):
            return False
        operands = flow.find_operands(node, call)
        return not operands or any(_is_followed(code, flow, node, e, call, lines) for e in operands)
    return _is_followed(code, flow, node, call.access, call, lines)


def _is_defined(code: LinkedCode, node: Node, name: str) -> bool:
    """Return whether a name is defined: by the code, by the compiler, or as an instruction."""
    found = code.resolve(node.path, name) or code.find_data(node.path, name)
    is_known = code.is_macro(name) or code.is_typedef(name) or name.startswith("__builtin_")
    return bool(found) or is_known or node.kind == "assembly"


def _is_followed(
    code: LinkedCode, flow: Flow, node: Node, access: Access, call: CallFact, lines: set[int]
) -> bool:
    if access.type == "(parameter)" or call.line in lines or flow.is_stored(node, access):
        return True
    key = code.find_key(node.path, access)
    return key is not None and code.is_plain(key)
