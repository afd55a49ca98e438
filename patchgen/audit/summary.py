# SPDX-License-Identifier: GPL-2.0-or-later
"""Summarise an audit in a paragraph for a cover letter."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from patchgen.audit.audit_tree import TreeAudit
from patchgen.audit.diff import AuditDiff, ChangeKind, compare_audits
from patchgen.audit.overview import count_unresolved_in_arch
from patchgen.audit.result import PROTECTED, Audit, Hypercall, Platform, SiteGroup, StatusChange
from patchgen.counting import count
from patchgen.model.base import Oid
from patchgen.odb import Git, resolve_object

_WIDTH = 72


def summarise_series(git: Git, base: Oid, tip: Oid) -> str:
    """Return what a series changes for early hypercalls, wrapped for a cover letter.

    `git` has the commits `base` and `tip`. Raises RefusedError if one is not an x86 kernel.
    """
    before, after = (
        TreeAudit(git, resolve_object(git, f"{commit}^{{tree}}")).find_audit()
        for commit in (base, tip)
    )
    return render_summary(compare_audits(before, after))


def render_summary(diff: AuditDiff) -> str:
    """Return a paragraph and the sites that it counts, one on each line."""
    after = diff.after
    silent = [change for change in after.early_changes if change.silent]
    open_sites = [
        hypercall for hypercall in after.early_hypercalls if hypercall.group is SiteGroup.UNROUTED
    ]
    reporting = [site for site in open_sites if site.reports_status]
    requests = _count(after.early_changes, "place asks", "places ask")
    sentences = (
        "A call graph shows the code that can run before alternatives are patched, in any "
        f"configuration: in it, {requests} for pages to become shared or private.",
        _describe_base(diff),
        _describe_series(diff),
        _describe_tip(after),
        _describe_bypassing(open_sites, reporting),
        _describe_limits(after),
    )
    text = " ".join(filter(None, sentences))
    lines = [*textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]
    partly = {
        f"Do not notify the hypervisor on {platform.value}:": [
            change for change in after.early_changes if _is_silent_on(change, platform)
        ]
        for platform in PROTECTED
    }
    titled: dict[str, Sequence[Hypercall | StatusChange]] = {
        "Do not notify the hypervisor:": silent,
        **partly,
        "Bypass the op:": open_sites,
    }
    for title, sites in titled.items():
        if sites:
            lines += ["", title, "", *(f"  {_line(site)}" for site in sites)]
    return "\n".join(lines)


def _describe_base(diff: AuditDiff) -> str:
    """Return how many requests of the base do not notify the hypervisor."""
    changes = diff.before.early_changes
    total = len(changes)
    if not total:
        return ""
    silent = sum(change.silent for change in changes)
    partly = sum(
        any(_is_silent_on(change, platform) for platform in PROTECTED) for change in changes
    )
    if not silent and not partly:
        return f"On the base, {_describe_notifying(changes)}."
    parts = []
    if silent:
        parts.append(
            f"{silent} of {total} {'does' if silent == 1 else 'do'} not notify the hypervisor"
        )
    if partly:
        verbs = ("notifies", "it runs") if partly == 1 else ("notify", "they run")
        where = f"only on some of the platforms on which {verbs[1]}"
        parts.append(f"{partly} of {total} {verbs[0]} the hypervisor {where}")
    return f"On the base, {', and '.join(parts)}."


def _describe_notifying(changes: Sequence[StatusChange]) -> str:
    """Return a clause on changes that are not silent."""
    where = ""
    if not all(change.notifiers for change in changes):
        *first, last = (platform.value for platform in PROTECTED)
        where = f" that runs on {', '.join(first)} or {last}"
    limit = " as far as the call graph shows" if _find_doubtful(changes) else ""
    return f"each{where} notifies the hypervisor{limit}"


def _is_silent_on(change: StatusChange, platform: Platform) -> bool:
    """Return whether a change that notifies on some platforms does not on this one."""
    return bool(change.notifiers) and platform in change.silent_on


def _describe_series(diff: AuditDiff) -> str:
    """Return what the series routes: requests, and open-coded hypercalls."""
    routed = [
        difference for difference in diff.differences if difference.change_kind is ChangeKind.ROUTED
    ]
    sites = [difference.before or difference.after for difference in routed]
    changes = [site for site in sites if isinstance(site, StatusChange)]
    calls = [site for site in sites if isinstance(site, Hypercall)]
    parts = []
    if changes:
        parts.append(_count(changes, "of these places", "of these places"))
    if calls:
        parts.append(_count(calls, "open-coded hypercall", "open-coded hypercalls"))
    if not parts:
        return "The series does not change which of them go through the op."
    return f"The series routes {' and '.join(parts)} through the op."


def _describe_tip(audit: Audit) -> str:
    """Return what the series routes in total, and what still does not notify."""
    changes = audit.early_changes
    routed = sum(change.routed for change in changes)
    silent = sum(change.silent for change in changes)
    if not changes:
        return ""
    outcome = _describe_notifying(changes)
    if silent:
        outcome = f"{silent} {'does' if silent == 1 else 'do'} not notify the hypervisor"
    parts = [f"With the series, {routed} of {len(changes)} go through the op, and {outcome}."]
    for platform in PROTECTED:
        missing = sum(_is_silent_on(change, platform) for change in changes)
        if missing:
            verbs = ("runs", "does") if missing == 1 else ("run", "do")
            where = f"{verbs[0]} on {platform.value}, too"
            parts.append(
                f"{missing} of them {where}, but {verbs[1]} not notify the hypervisor there."
            )
    return " ".join(parts)


def _describe_bypassing(sites: Sequence[Hypercall], reporting: Sequence[Hypercall]) -> str:
    if not sites:
        return "No early KVM hypercall bypasses the op."
    verb = "reports" if len(reporting) == 1 else "report"
    about = f"{len(reporting)} of them {verb}" if reporting else "none of them reports"
    stay = _count(sites, "early KVM hypercall still bypasses", "early KVM hypercalls still bypass")
    return f"{stay} the op; {about} page status."


def _describe_limits(audit: Audit) -> str:
    """Return what the audit could not resolve."""
    total, inside = len(audit.unresolved), count_unresolved_in_arch(audit)
    unresolved = f"{count(total, 'call') if total else 'No calls'} could not be resolved"
    if total:
        unresolved += f", {inside} of them in arch/x86"
    doubtful = _find_doubtful(audit.early_changes)
    if not doubtful:
        return f"{unresolved}."
    places = _count(doubtful, "place depends", "places depend")
    return f"{unresolved}; {places} on conditions that the audit could not evaluate."


def _find_doubtful(changes: Sequence[StatusChange]) -> list[StatusChange]:
    """Return the changes for which an unknown condition decides where memory is encrypted."""
    return [
        change
        for change in changes
        if any(
            doubt.platform in PROTECTED
            for doubts in (change.doubts, *(notifier.doubts for notifier in change.notifiers))
            for doubt in doubts
        )
    ]


def _count(items: Sequence[object], singular: str, plural: str) -> str:
    return count(len(items), singular, plural) if items else f"no {plural}"


def _line(site: Hypercall | StatusChange) -> str:
    text = f"{site.place} {site.function}()"
    call = f"{site.call}({site.argument})"
    return f"{text}:\n    {call}" if len(text) + len(call) + 4 > _WIDTH else f"{text}: {call}"
