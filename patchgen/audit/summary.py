"""What an audit found, as a paragraph for a cover letter."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from patchgen.audit.diff import compare_audits
from patchgen.audit.job import audit_tree
from patchgen.model.audit import Audit, AuditDiff, Fate, Group, Hypercall, StatusChange
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
    silent = [each for each in after.early_changes if not each.tellers]
    open_sites = [each for each in after.early_hypercalls if each.group is Group.UNROUTED]
    reporting = [each for each in open_sites if each.reports_status]
    text = (
        f"What can run before alternatives are patched, in any configuration, was looked up in "
        f"the call graph: {_count(after.early_changes, 'place asks', 'places ask')} for pages to "
        f"become shared or private then. {_before(diff)} {_routed(after)} "
        f"{_stays(open_sites, reporting)} {_limits(after)}"
    )
    lines = [*textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]
    for title, found in (("Told nobody:", silent), ("Not through the op:", open_sites)):
        if found:
            lines += ["", title, "", *(f"  {_line(each)}" for each in found)]
    return "\n".join(lines)


def _before(diff: AuditDiff) -> str:
    told = sum(not each.tellers for each in diff.before.early_changes)
    routed = [
        each
        for each in diff.differences
        if each.fate is Fate.ROUTED and isinstance(each.after, StatusChange)
    ]
    return (
        f"On the base, {told or 'none'} of {len(diff.before.early_changes)} told nobody; "
        f"the series routes {len(routed) or 'none'} through the op."
    )


def _routed(audit: Audit) -> str:
    routed = sum(each.routed for each in audit.early_changes)
    silent = sum(not each.tellers for each in audit.early_changes)
    rest = "none tells nobody" if not silent else f"{silent} tell nobody"
    return f"With it, {routed} of {len(audit.early_changes)} go through the op, and {rest}."


def _stays(found: Sequence[Hypercall], reporting: Sequence[Hypercall]) -> str:
    if not found:
        return "No early KVM hypercall is left outside of the op."
    about = f"{len(reporting)} of them report" if reporting else "none of them reports"
    stay = _count(found, "early KVM hypercall stays", "early KVM hypercalls stay")
    return f"{stay} outside of the op; {about} page status."


def _limits(audit: Audit) -> str:
    return f"{len(audit.unresolved)} calls through pointers in the window could not be resolved."


def _count(found: Sequence[object], one: str, many: str) -> str:
    return f"{len(found) or 'no'} {one if len(found) == 1 else many}"


def _line(site: Hypercall | StatusChange) -> str:
    argument = site.purpose if isinstance(site, Hypercall) else site.pages
    text = f"{site.place} {site.function}()"
    call = f"{site.call}({argument})"
    return f"{text}:\n    {call}" if len(text) + len(call) + 4 > _WIDTH else f"{text}: {call}"
