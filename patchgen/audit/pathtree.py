# SPDX-License-Identifier: GPL-2.0-or-later
"""The early paths as one tree, for a drawing with one row for each function.

Every site has one path, the shortest that bypasses the op if there is one; paths with a common
start share their first rows. The rows below a function are its calls in source order, which mostly
is the order of execution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from patchgen.audit.result import (
    Audit,
    EdgeKind,
    Hypercall,
    Route,
    SiteGroup,
    StatusChange,
    Step,
    TreeLocation,
)


class Mark(StrEnum):
    """The end of a path, from the most interesting to those that may be folded away."""

    UNROUTED = "unrouted"
    SILENT = "silent"  # a change of page status without notification
    ROUTED = "routed"
    NOTIFIED = "notified"
    END = "end"  # alternatives are patched
    OWN = "own"
    OTHER = "other"


_FOLDED = (Mark.OWN, Mark.OTHER)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree: a function, or a site as a leaf below the function that contains it.

    `number` counts from 0, `last` is the number of the last row below it, or its own. `site` is the
    index in `early_sites`. `marks` are those of all sites below, or its own; `sites` is their
    number. `folded` is set if the rows below are hidden at first.
    """

    number: int
    parent: int | None
    depth: int
    last: int
    name: str
    via: str
    place: TreeLocation | None
    site: int | None
    marks: tuple[Mark, ...]
    sites: int
    folded: bool


@dataclass(slots=True)
class _TreeBranch:
    step: Step
    below: dict[tuple[str, str], _TreeBranch] = field(default_factory=dict)
    sites: list[int] = field(default_factory=list)
    marks: Counter[Mark] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Due:
    """A row that has yet to be written."""

    branch: _TreeBranch | None
    site: int | None
    parent: int | None
    depth: int
    hidden: bool  # below a folded row


def list_early_sites(audit: Audit) -> tuple[Hypercall | StatusChange, ...]:
    """Return all sites of the tree, hypercalls first."""
    return (*audit.early_hypercalls, *audit.early_changes)


def mark_site(site: Hypercall | StatusChange) -> Mark:
    """Return the mark of a site."""
    if isinstance(site, StatusChange):
        return Mark.SILENT if site.silent else Mark.NOTIFIED
    match site.group:
        case SiteGroup.UNROUTED:
            return Mark.UNROUTED
        case SiteGroup.ROUTED:
            return Mark.ROUTED
        case SiteGroup.OWN:
            return Mark.OWN
        case SiteGroup.OTHER:
            return Mark.OTHER


def select_route(site: Hypercall | StatusChange) -> Route | None:
    """Return the shortest path that bypasses the op, else the shortest path."""
    unrouted = site.unrouted if isinstance(site, Hypercall) else None
    return unrouted or site.early


def build_tree(audit: Audit) -> tuple[Row, ...]:
    """Return the rows from top to bottom: the window's own path, and one path for each site."""
    root = _TreeBranch(Step("", TreeLocation("", 0)))
    _add_branches(root, audit.window.boot_path, Mark.END)
    sites = list_early_sites(audit)
    for number, site in enumerate(sites):
        if route := select_route(site):
            _add_branches(root, route.steps, mark_site(site)).sites.append(number)
    rows: list[Row] = []
    due = [_Due(entry, None, None, 0, False) for entry in reversed(root.below.values())]
    while due:
        entry = due.pop()
        number = len(rows)
        if entry.branch is None:
            rows.append(_site_row(number, entry, sites))
            continue
        rows.append(_function_row(number, entry, entry.branch))
        hidden = entry.hidden or rows[-1].folded
        below = sorted(
            _list_children(entry.branch, sites), key=lambda member: member[0], reverse=True
        )
        due += [_Due(*member, number, entry.depth + 1, hidden) for _, member in below]
    return _close(rows)


def _add_branches(root: _TreeBranch, steps: Sequence[Step], mark: Mark) -> _TreeBranch:
    """Return the branch of the last step; create missing branches."""
    branch = root
    for step in steps:
        key = (step.function, step.defined.path)
        branch = branch.below.setdefault(key, _TreeBranch(step))
        branch.marks[mark] += 1
    return branch


def _list_children(
    branch: _TreeBranch, sites: Sequence[Hypercall | StatusChange]
) -> Iterator[tuple[tuple[str, int, str], tuple[_TreeBranch | None, int | None]]]:
    """Yield the branches and sites below a branch, each after its sort key."""
    for child in branch.below.values():
        at = child.step.called or child.step.defined
        yield (at.path, at.line, child.step.function), (child, None)
    for index in branch.sites:
        place = sites[index].place
        yield (place.path, place.line, f"{index:6}"), (None, index)


def _function_row(number: int, due: _Due, branch: _TreeBranch) -> Row:
    step = branch.step
    return Row(
        number=number,
        parent=due.parent,
        depth=due.depth,
        last=number,
        name=step.function,
        via=step.via if step.edge_kind is not EdgeKind.CALL else "",
        place=step.called or step.defined,
        site=None,
        marks=tuple(mark for mark in Mark if branch.marks[mark]),
        sites=branch.marks.total() - branch.marks[Mark.END],
        folded=not due.hidden and all(mark in _FOLDED for mark in branch.marks),
    )


def _site_row(number: int, due: _Due, sites: Sequence[Hypercall | StatusChange]) -> Row:
    assert due.site is not None
    site = sites[due.site]
    return Row(
        number=number,
        parent=due.parent,
        depth=due.depth,
        last=number,
        name=describe_call(site),
        via="",
        place=site.place,
        site=due.site,
        marks=(mark_site(site),),
        sites=1,
        folded=False,
    )


def _close(rows: list[Row]) -> tuple[Row, ...]:
    """Return the rows with `last` set to the last row below each."""
    last = [row.number for row in rows]
    for row in reversed(rows):
        if row.parent is not None:
            last[row.parent] = max(last[row.parent], last[row.number])
    return tuple(replace(row, last=end) for row, end in zip(rows, last, strict=True))


def describe_call(site: Hypercall | StatusChange) -> str:
    """Return the call at a site with its first argument, or the bare instruction."""
    if isinstance(site, Hypercall) and not site.call:
        return site.instruction.text
    return f"{site.call}({site.argument})"
