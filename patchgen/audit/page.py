# SPDX-License-Identifier: GPL-2.0-or-later
"""Render an audit, or the comparison of two, as one HTML page.

The drawing is laid out here; the script of the page only folds and searches it
(`templates/page.js`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgen.audit.diff import (
    AuditDiff,
    ChangeKind,
    Difference,
    describe_notifiers,
    explain_routing,
)
from patchgen.audit.difference_groups import (
    CHANGE_TITLES,
    FOLDED_GROUPS,
    GROUP_TITLES,
    DifferenceGroup,
    group_differences,
)
from patchgen.audit.overview import (
    describe_certainty,
    describe_form,
    describe_routing,
    sort_unresolved,
)
from patchgen.audit.pathtree import (
    Mark,
    Row,
    build_tree,
    describe_call,
    list_early_sites,
    mark_site,
    select_route,
)
from patchgen.audit.result import (
    Audit,
    Coverage,
    Hypercall,
    Platform,
    Route,
    SiteGroup,
    StatusChange,
)
from patchgen.counting import count
from patchgen.templating import render_html_page

_TEMPLATES = Path(__file__).with_name("templates")
# In pixels; page.js has the same numbers.
ROW_HEIGHT, INDENT, MARGIN, LETTER = 24, 18, 16, 7.6

_PAGE_TITLES = {**CHANGE_TITLES, ChangeKind.STAYS: "as before"}
_HYPERCALL = "hypercall"
_ROUTINGS = {"yes": "yes", "no": "no", "-": "not concerned"}
_LEGEND = {
    Mark.UNROUTED: "hypercall that bypasses the op",
    Mark.SILENT: "change without notification",
    Mark.ROUTED: "hypercall through the op",
    Mark.NOTIFIED: "change that notifies the hypervisor",
    Mark.OWN: "VMGEXIT, TDCALL",
    Mark.OTHER: "call to another hypervisor",
    Mark.END: "alternatives are patched",
}


@dataclass(frozen=True, slots=True)
class SiteRow:
    """An early site as shown on the page. `number` is its id, `row` the id of its row."""

    number: int
    row: int
    site: Hypercall | StatusChange
    call: str
    mark: str
    reason: str
    routing: str
    paths: str
    route: Route


@dataclass(frozen=True, slots=True)
class SiteSection:
    """Sites under a heading. A folded section has a summary of its sites."""

    key: str
    heading: str
    entries: tuple[SiteRow, ...]
    folded: bool
    summary: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference between two audits as shown on the page. `number` is that of the later site."""

    place: str
    was: str
    function: str
    call: str
    reason: str
    number: int | None


@dataclass(frozen=True, slots=True)
class DifferenceSection:
    """Differences of one kind; `more` counts those that are not listed, by reason."""

    key: str
    heading: str
    total: int
    rows: tuple[DifferenceRow, ...]
    more: tuple[tuple[str, int], ...]


def render_page(audit: Audit) -> str:
    """Return the page of an audit."""
    context = {**_build_context(audit), "headline": headline(audit), "before": None}
    return render_html_page(_TEMPLATES, context)


def render_diff_page(diff: AuditDiff) -> str:
    """Return the page of a comparison: what changed at each site, then the later audit."""
    context = _build_context(diff.after)
    numbers = {id(site): number for number, site in enumerate(list_early_sites(diff.after))}
    return render_html_page(
        _TEMPLATES,
        {
            **context,
            "headline": (_count_routed(diff), *headline(diff.after)),
            "differences": tuple(
                _build_difference_section(group, numbers) for group in group_differences(diff)
            ),
            "before": diff.before,
        },
    )


def headline(audit: Audit) -> tuple[str, ...]:
    """Return the two main results, a sentence each."""
    bypassing = [
        hypercall for hypercall in audit.early_hypercalls if hypercall.group is SiteGroup.UNROUTED
    ]
    silent = sum(change.silent for change in audit.early_changes)
    noun = _name_sites(audit)
    first = f"No early {noun} bypasses the op"
    if bypassing:
        calls = count(len(bypassing), f"early {noun} bypasses", f"early {noun}s bypass")
        first = f"{calls} the op"
        if noun == _HYPERCALL:
            reporting = sum(hypercall.reports_status for hypercall in bypassing) or "none"
            first += f", {reporting} to report page status"
    if not audit.early_changes:
        return (first,)
    if not silent:
        return first, "the hypervisor is notified of every early change of page status"
    total = len(audit.early_changes)
    changes = count(total, "early change")
    return first, f"the hypervisor is not notified of {silent} of {changes} of page status"


def _name_sites(audit: Audit) -> str:
    return _HYPERCALL if audit.site == f"a {_HYPERCALL}" else "site"


def _count_routed(diff: AuditDiff) -> str:
    routed = sum(difference.change_kind is ChangeKind.ROUTED for difference in diff.differences)
    return f"{count(routed, 'early site') if routed else 'No early sites'} routed"


def _build_context(audit: Audit) -> dict[str, Any]:
    rows = build_tree(audit)
    entries = tuple(_build_rows(list_early_sites(audit), rows))
    late = [hypercall for hypercall in audit.hypercalls if not hypercall.early]
    return {
        "audit": audit,
        "noun": _name_sites(audit),
        "certainty": describe_certainty(audit),
        "unresolved": sort_unresolved(audit),
        "read": _describe_read(audit.coverage),
        "platforms": tuple(Platform),
        "sections": tuple(_build_sections(entries)),
        "changes": tuple(entry for entry in entries if isinstance(entry.site, StatusChange)),
        "late": tuple((hypercall, describe_call(hypercall)) for hypercall in late),
        "rows": rows,
        "legend": {mark.value: text for mark, text in _LEGEND.items() if _occurs(mark, rows)},
        "size": {"row": ROW_HEIGHT, "indent": INDENT, "margin": MARGIN, "letter": LETTER},
        "width": max((_measure_row(row) for row in rows), default=0),
    }


def _occurs(mark: Mark, rows: Iterable[Row]) -> bool:
    return any(mark in row.marks for row in rows)


def _measure_row(row: Row) -> int:
    """Return the width of a row in pixels; page.js computes the same from its characters."""
    via = f" by {row.via}" if row.via else ""
    letters = len(f"{row.name}(){via}  {row.place or ''}")
    return round(2 * MARGIN + row.depth * INDENT + letters * LETTER)


def _build_rows(
    sites: Sequence[Hypercall | StatusChange], rows: Iterable[Row]
) -> Iterator[SiteRow]:
    row_of = {row.site: row.number for row in rows if row.site is not None}
    for number, site in enumerate(sites):
        if route := select_route(site):
            yield SiteRow(
                number=number,
                row=row_of[number],
                site=site,
                call=describe_call(site),
                mark=mark_site(site).value,
                reason=explain_site(site),
                routing=_ROUTINGS[describe_routing(site)] if isinstance(site, Hypercall) else "",
                paths=_count_paths(route),
                route=route,
            )


def explain_site(site: Hypercall | StatusChange) -> str:
    """Return the reason for a site's group."""
    return explain_routing(site) if isinstance(site, Hypercall) else describe_notifiers(site)


def _count_paths(route: Route) -> str:
    more = " or more" if route.capped else ""
    noun = "path" if route.paths == 1 and not more else "paths"
    return f"{_group_digits(route.paths)}{more} {noun}"


def _describe_read(coverage: Coverage) -> str:
    files, functions = (
        f"{_group_digits(number)} {noun if number == 1 else noun + 's'}"
        for number, noun in ((coverage.files, "file"), (coverage.functions, "function"))
    )
    return f"{files} with {functions} {'was' if coverage.files == 1 else 'were'} read"


def _group_digits(number: int) -> str:
    """Return a number with a narrow space between groups of three digits."""
    return f"{number:,}".replace(",", "\u202f")


def _build_sections(entries: Sequence[SiteRow]) -> Iterator[SiteSection]:
    for group, heading in GROUP_TITLES.items():
        members = tuple(
            entry
            for entry in entries
            if isinstance(entry.site, Hypercall) and entry.site.group is group
        )
        if members:
            folded = group in FOLDED_GROUPS
            yield SiteSection(
                group.value, _begin_heading(heading), members, folded, _summarise(members)
            )


def _begin_heading(title: str) -> str:
    return title[:1].upper() + title[1:]


def _summarise(entries: Iterable[SiteRow]) -> str:
    """Return the number of hypercalls of each hypervisor and form."""
    kinds = Counter(
        describe_form(entry.site.instruction)
        for entry in entries
        if isinstance(entry.site, Hypercall)
    )
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _build_difference_section(
    group: DifferenceGroup, numbers: Mapping[int, int]
) -> DifferenceSection:
    return DifferenceSection(
        group.change_kind.value,
        _begin_heading(_PAGE_TITLES[group.change_kind]),
        group.total,
        tuple(_build_difference_row(difference, numbers) for difference in group.listed),
        tuple(group.more.items()),
    )


def _build_difference_row(difference: Difference, numbers: Mapping[int, int]) -> DifferenceRow:
    site = difference.site
    was = difference.before.place if difference.before is not None else None
    return DifferenceRow(
        place=str(site.place),
        was=str(was) if was not in (None, site.place) else "",
        function=site.function,
        call=describe_call(site),
        reason=difference.reason,
        number=numbers.get(id(site)),
    )
