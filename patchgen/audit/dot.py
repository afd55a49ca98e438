# SPDX-License-Identifier: GPL-2.0-or-later
"""The early paths as a graph for Graphviz: `patchgen audit --dot | dot -Tsvg`."""

from __future__ import annotations

from collections.abc import Iterator

from patchgen.audit.pathtree import Mark, list_early_sites, mark_site, select_route
from patchgen.audit.result import Audit, EdgeKind, Hypercall, Route, StatusChange
from patchgen.controls import escape_controls

_COLORS = {
    Mark.UNROUTED: "firebrick",
    Mark.SILENT: "firebrick",
    Mark.ROUTED: "forestgreen",
    Mark.NOTIFIED: "black",
    Mark.OWN: "steelblue",
    Mark.OTHER: "gray50",
}


def render_dot(audit: Audit) -> str:
    """Return a digraph: functions by name and file, and sites as boxes coloured by mark."""
    edges: dict[tuple[str, str], str] = {}
    boxes: dict[str, str] = {}
    for site in list_early_sites(audit):
        if route := select_route(site):
            last = _add_route(edges, route)
            box = f"{site.place} {_name_call(site)}"
            boxes[box] = f"color={_COLORS[mark_site(site)]}"
            edges.setdefault((last, box), "")
    return "\n".join(_write_lines(edges, boxes)) + "\n"


def _add_route(edges: dict[tuple[str, str], str], route: Route) -> str:
    """Add the edges of a route, and return the name of its last function."""
    names = [f"{step.function}\n{step.defined.path}" for step in route.steps]
    for before, name, step in zip(names, names[1:], route.steps[1:], strict=False):
        label = step.via if step.edge_kind is not EdgeKind.CALL else ""
        edges.setdefault((before, name), label)
    return names[-1]


def _name_call(site: Hypercall | StatusChange) -> str:
    if isinstance(site, Hypercall) and not site.call:
        return site.instruction.title
    return site.call


def _write_lines(edges: dict[tuple[str, str], str], boxes: dict[str, str]) -> Iterator[str]:
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
