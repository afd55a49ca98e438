# SPDX-License-Identifier: GPL-2.0-or-later
"""Follow the window: the boot path that limits it, the code that it reaches, the routes there."""

from __future__ import annotations

from dataclasses import dataclass

from patchgen.audit.flow import Flow
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.nodes import Node
from patchgen.audit.paths import BootPath, Routes, find_boot_path
from patchgen.audit.tables import Tables


@dataclass(frozen=True, slots=True)
class FollowedWindow:
    """A window that was followed to its end, from its `entries`."""

    code: LinkedCode
    tables: Tables
    boot_path: BootPath
    entries: tuple[Node, ...]
    flow: Flow
    routes: Routes


def follow_window(code: LinkedCode, tables: Tables) -> FollowedWindow:
    """Follow the code that runs before alternatives are patched.

    Raises RefusedError if no calls lead to the function that patches them.
    """
    boot_path = find_boot_path(code, tables)
    flow = Flow(code, tables, boot_path.limits)
    nodes = [node for name in tables.entries for node in code.find_nodes(name)]
    flow.run(nodes)
    entries = tuple(node for node in nodes if node in flow.edges)
    routes = Routes(flow.edges, entries, aside=tables.aside)
    return FollowedWindow(code, tables, boot_path, entries, flow, routes)
