# SPDX-License-Identifier: GPL-2.0-or-later
"""The early paths as a graph for Graphviz: `patchgen audit --dot | dot -Tsvg`."""

from __future__ import annotations

from collections.abc import Iterator

from patchgen.audit.result import Audit, EdgeKind, Route, SiteGroup
from patchgen.controls import escape_controls

_COLORS = {
    SiteGroup.UNROUTED: "firebrick",
    SiteGroup.ROUTED: "forestgreen",
    SiteGroup.OWN: "steelblue",
    SiteGroup.OTHER: "gray50",
}


def render_dot(audit: Audit) -> str:
    """Return a digraph: functions by name and file, and sites as boxes coloured by group."""
    edges: dict[tuple[str, str], str] = {}
    boxes: dict[str, str] = {}
    for site in audit.early_hypercalls:
        route = site.unrouted or site.early
        if route is None:
            continue
        _add_route(edges, route)
        box = f"{site.place} {site.call or site.instruction.form.value}"
        boxes[box] = f"color={_COLORS[site.group]}"
        edges.setdefault((_last(route), box), "")
    for change in audit.early_changes:
        if change.early is not None:
            _add_route(edges, change.early)
            box = f"{change.place} {change.call}"
            boxes[box] = f"color={'firebrick' if change.silent else 'black'}"
            edges.setdefault((_last(change.early), box), "")
    return "\n".join(_lines(edges, boxes)) + "\n"


def _add_route(edges: dict[tuple[str, str], str], route: Route) -> None:
    names = [f"{step.function}\n{step.defined.path}" for step in route.steps]
    for before, name, step in zip(names, names[1:], route.steps[1:], strict=False):
        label = step.via if step.edge_kind is not EdgeKind.CALL else ""
        edges.setdefault((before, name), label)


def _last(route: Route) -> str:
    return f"{route.steps[-1].function}\n{route.steps[-1].defined.path}"


def _lines(edges: dict[tuple[str, str], str], boxes: dict[str, str]) -> Iterator[str]:
    yield "digraph audit {"
    yield "  rankdir=LR; node [shape=plaintext, fontname=monospace];"
    for name, style in sorted(boxes.items()):
        yield f"  {_quote(name)} [shape=box, {style}];"
    for (before, name), label in sorted(edges.items()):
        attributes = f" [label={_quote(label)}, style=dashed]" if label else ""
        yield f"  {_quote(before)} -> {_quote(name)}{attributes};"
    yield "}"


def _quote(text: str) -> str:
    """Return a quoted string of the DOT language, in which only `"` and `\\` are special."""
    printable = escape_controls(text, allow="\n")
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
