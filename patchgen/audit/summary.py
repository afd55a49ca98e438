"""What an audit found, as a paragraph for a cover letter."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from patchgen.audit.diff import compare_audits
from patchgen.audit.job import audit_tree
from patchgen.model.audit import (
    PROTECTED,
    Audit,
    AuditDiff,
    Fate,
    Group,
    Hypercall,
    StatusChange,
)
from patchgen.model.base import Oid
from patchgen.odb import Git

_WIDTH = 72


def summarise_series(git: Git, base: Oid, tip: Oid) -> str:
    """Return what a series does about early hypercalls, wrapped for a cover letter.

    `git` has the commits `base` and `tip`. Raises BaseError where one is no x86 kernel.
    """
    before, after = (audit_tree(git, _tree(git, commit)) for commit in (base, tip))
    return render_summary(compare_audits(before, after))


def _tree(git: Git, commit: Oid) -> Oid:
    return Oid(git.run("rev-parse", "--verify", f"{commit}^{{tree}}").stdout.decode().strip())


def render_summary(diff: AuditDiff) -> str:
    """Return a paragraph and the sites that it counts, one a line."""
    after = diff.after
    silent = [each for each in after.early_changes if each.silent]
    open_sites = [each for each in after.early_hypercalls if each.group is Group.UNROUTED]
    reporting = [each for each in open_sites if each.reports_status]
    asking = _count(after.early_changes, "place asks", "places ask")
    sentences = (
        "What can run before alternatives are patched, in any configuration, was looked up in the "
        f"call graph: {asking} for pages to become shared or private then.",
        _before(diff),
        _series(diff),
        _after(after),
        _stays(open_sites, reporting),
        _limits(after),
    )
    text = " ".join(filter(None, sentences))
    lines = [*textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]
    partly = {
        f"Nobody is told on {platform.value}:": [
            each for each in after.early_changes if each.tellers and platform in each.silent_on
        ]
        for platform in PROTECTED
    }
    titled: dict[str, Sequence[Hypercall | StatusChange]] = {
        "Told nobody:": silent,
        **partly,
        "Not through the op:": open_sites,
    }
    for title, found in titled.items():
        if found:
            lines += ["", title, "", *(f"  {_line(each)}" for each in found)]
    return "\n".join(lines)


def _before(diff: AuditDiff) -> str:
    """Return what is missing on the base."""
    silent = sum(each.silent for each in diff.before.early_changes)
    total = len(diff.before.early_changes)
    if not total:
        return ""
    if not silent:
        return f"On the base, {'it tells' if total == 1 else 'each tells'} the hypervisor."
    return f"On the base, {silent} of {total} {'tells' if silent == 1 else 'tell'} nobody."


def _series(diff: AuditDiff) -> str:
    """Return what the series routes: requests, and hypercalls that were made directly."""
    routed = [each for each in diff.differences if each.fate is Fate.ROUTED]
    sites = [each.before or each.after for each in routed]
    changes = [each for each in sites if isinstance(each, StatusChange)]
    calls = [each for each in sites if isinstance(each, Hypercall)]
    parts = []
    if changes:
        parts.append(_count(changes, "of these places", "of these places"))
    if calls:
        parts.append(_count(calls, "hypercall made directly", "hypercalls made directly"))
    if not parts:
        return "The series does not change which of them go through the op."
    return f"The series routes {' and '.join(parts)} through the op."


def _after(audit: Audit) -> str:
    """Return what is reached with the series, and where not."""
    changes = audit.early_changes
    routed = sum(each.routed for each in changes)
    silent = sum(each.silent for each in changes)
    if not changes:
        return ""
    rest = "each tells the hypervisor"
    if _find_doubtful(changes):
        rest += " as far as the audit can decide"
    if silent:
        rest = f"{silent} {'tells' if silent == 1 else 'tell'} nobody"
    parts = [f"With it, {routed} of {len(changes)} go through the op, and {rest}."]
    for platform in PROTECTED:
        missing = sum(bool(each.tellers) and platform in each.silent_on for each in changes)
        if missing:
            verb = "runs" if missing == 1 else "run"
            where = f"{verb} on {platform.value}, too"
            parts.append(f"{missing} of them {where}, and nobody is told there.")
    return " ".join(parts)


def _stays(found: Sequence[Hypercall], reporting: Sequence[Hypercall]) -> str:
    if not found:
        return "No early KVM hypercall is left outside of the op."
    about = f"{len(reporting)} of them report" if reporting else "none of them reports"
    stay = _count(found, "early KVM hypercall stays", "early KVM hypercalls stay")
    return f"{stay} outside of the op; {about} page status."


def _limits(audit: Audit) -> str:
    """Return what the audit does not know."""
    unresolved = (
        f"{len(audit.unresolved)} calls through pointers in the window could not be resolved"
    )
    doubtful = _find_doubtful(audit.early_changes)
    if not doubtful:
        return f"{unresolved}."
    places = _count(doubtful, "place depends", "places depend")
    return f"{unresolved}; {places} on conditions that the audit does not know."


def _find_doubtful(changes: Sequence[StatusChange]) -> list[StatusChange]:
    """Return the changes for which an unknown condition decides where memory is encrypted."""
    return [
        each
        for each in changes
        if any(
            doubt.platform in PROTECTED
            for doubts in (each.doubts, *(teller.doubts for teller in each.tellers))
            for doubt in doubts
        )
    ]


def _count(found: Sequence[object], one: str, many: str) -> str:
    return f"{len(found) or 'no'} {one if len(found) == 1 else many}"


def _line(site: Hypercall | StatusChange) -> str:
    argument = site.purpose if isinstance(site, Hypercall) else site.pages
    text = f"{site.place} {site.function}()"
    call = f"{site.call}({argument})"
    return f"{text}:\n    {call}" if len(text) + len(call) + 4 > _WIDTH else f"{text}: {call}"
