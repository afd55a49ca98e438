# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare two audits: pair their sites, and find what changed at each early site, and why.

`patchgen audit --diff --json` prints an AuditDiff, as document.py defines.

Lines, functions and files may differ. A site is recognised by its file, its function, its call and
the pages or the number that it passes. The remaining sites are paired if all but one of these
agree; sites in different functions are paired only if one of the two functions calls the other in
that file.

If a call of the op replaces a hypercall that reports page status, in its function or in one of the
same file that this function calls, the hypercall was routed, not removed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from patchgen.audit.result import (
    PROTECTED,
    Audit,
    Doubt,
    Form,
    Hypercall,
    OpCall,
    Platform,
    SiteGroup,
    StatusChange,
)

Site = TypeVar("Site", Hypercall, StatusChange)
_Key = Callable[[Hypercall | StatusChange], Hashable]


class ChangeKind(StrEnum):
    """What happened to a site between two revisions."""

    # It bypassed the op, or did not notify, and now goes through the op; `after` is None if a call
    # of the op replaces it.
    ROUTED = "routed"
    UNROUTED = "unrouted"  # the other way round
    NEW = "new"
    GONE = "gone"
    LATE = "late"  # still there, but no longer before alternatives
    MOVED = "moved"  # in another function or file, or by another call; otherwise the same
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Difference:
    """A site in one or both of two audits, the kind of change, and the reason."""

    change_kind: ChangeKind
    reason: str
    before: Hypercall | StatusChange | None
    after: Hypercall | StatusChange | None

    @property
    def site(self) -> Hypercall | StatusChange:
        """Return the site in the later audit, or in the earlier one if it is gone."""
        site = self.after or self.before
        assert site is not None
        return site


@dataclass(frozen=True, slots=True)
class AuditDiff:
    """Two audits, and a difference for each early site of either."""

    before: Audit
    after: Audit
    differences: tuple[Difference, ...]


_REASON_OWN = "alternatives do not patch VMGEXIT and TDCALL"
_REASON_OTHER = "it is a call to another hypervisor, which the op does not replace"
_REASON_COMMON = "it does not report page status, so the op does not replace it"


def compare_audits(before: Audit, after: Audit) -> AuditDiff:
    """Return what changed at each early site of either audit."""
    differences = [
        *_compare_hypercalls(before, after),
        *_compare_changes(before.changes, after.changes),
    ]
    return AuditDiff(before, after, tuple(differences))


def _compare(
    pairs: Iterable[Pair[Site]],
    *,
    describe_gone: Callable[[Site], Difference],
    describe_new: Callable[[Site], Difference],
    explain_turn: Callable[[Site], str],
    explain_unchanged: Callable[[Site], str],
) -> Iterator[Difference]:
    """Yield a difference for each early site; the callables describe its state and the reason."""
    for pair in pairs:
        old, new = pair.before, pair.after
        was_early, is_early = bool(old and old.early), bool(new and new.early)
        if not was_early and not is_early:
            continue
        moved = f"{pair.moved}; " if pair.moved else ""
        if new is None and old is not None:
            yield describe_gone(old)
        elif new is not None and not is_early:
            yield Difference(ChangeKind.LATE, f"{moved}no early path leads to it now", old, new)
        elif new is not None and old is None:
            yield describe_new(new)
        elif new is not None and not was_early:
            why = f"{moved}it existed before, but was not early; {explain_unchanged(new)}"
            yield Difference(ChangeKind.NEW, why, old, new)
        elif new is not None and old is not None and old.routed != new.routed:
            kind = ChangeKind.ROUTED if new.routed else ChangeKind.UNROUTED
            yield Difference(kind, moved + explain_turn(new), old, new)
        elif new is not None:
            kind = ChangeKind.MOVED if moved else ChangeKind.STAYS
            yield Difference(kind, moved + explain_unchanged(new), old, new)


def _compare_hypercalls(before: Audit, after: Audit) -> Iterator[Difference]:
    old_calls, new_calls = (audit.notify.calls if audit.notify else () for audit in (before, after))

    def describe_gone(site: Hypercall) -> Difference:
        calls = _find_replacing_calls(site, old_calls, new_calls)
        if calls:
            reason = f"the op is now called in its place: {_name_calls(calls)}"
            return Difference(ChangeKind.ROUTED, reason, site, None)
        return Difference(ChangeKind.GONE, _explain_gone(site, old_calls, new_calls), site, None)

    def describe_new(site: Hypercall) -> Difference:
        if calls := _find_replacing_calls(site, new_calls, old_calls):
            reason = f"the op was called in its place: {_name_calls(calls)}"
            return Difference(ChangeKind.UNROUTED, reason, None, site)
        through = "; all its paths go through the op" if site.routed else ""
        return Difference(ChangeKind.NEW, "it did not exist before" + through, None, site)

    def explain_turn(site: Hypercall) -> str:
        how = "all its early paths" if site.routed else "not all its early paths"
        return f"{how} go through the op now"

    pairs = pair_sites(before.hypercalls, after.hypercalls)
    return _compare(
        pairs,
        describe_gone=describe_gone,
        describe_new=describe_new,
        explain_turn=explain_turn,
        explain_unchanged=explain_routing,
    )


def _find_replacing_calls(
    site: Hypercall, here: Sequence[OpCall], there: Sequence[OpCall]
) -> Sequence[OpCall]:
    """Return the calls of the op that replace a site which is open-coded on one side only.

    `here` are the calls of the op on the side that has the site, `there` those on the other.
    """
    if site.routed or not site.reports_status:
        return ()
    calls = find_op_calls(there, site)
    return calls if len(calls) > len(find_op_calls(here, site)) else ()


def _explain_gone(site: Hypercall, old_calls: Sequence[OpCall], new_calls: Sequence[OpCall]) -> str:
    reason = "it no longer exists"
    if not site.reports_status or site.routed:
        return reason
    old_functions = {(call.place.path, call.function) for call in old_calls}
    added = [
        call
        for call in new_calls
        if call.early and (call.place.path, call.function) not in old_functions
    ]
    if not added:
        return reason
    return f"{reason}; it is unknown whether {_name_calls(added)} replaces it"


def _name_calls(calls: Iterable[OpCall]) -> str:
    return ", ".join(f"{call.place} {call.function}()" for call in calls)


def explain_routing(site: Hypercall) -> str:
    """Return why an early hypercall goes through the op or not."""
    if site.routed:
        return "it goes through the op"
    if site.instruction.form in (Form.VMGEXIT, Form.TDCALL):
        return _REASON_OWN
    if site.group is SiteGroup.OTHER:
        return _REASON_OTHER
    if site.instruction.form is Form.VARIANT:
        return "it bypasses the op"
    fatal = ", ".join(platform.value for platform in site.fatal_on)
    where = f"; it is fatal on {fatal}" if fatal else ""
    reports = site.reports_status
    return ("it reports page status, but bypasses the op" if reports else _REASON_COMMON) + where


def _compare_changes(
    before: Sequence[StatusChange], after: Sequence[StatusChange]
) -> Iterator[Difference]:
    def describe_gone(change: StatusChange) -> Difference:
        return Difference(ChangeKind.GONE, "it no longer exists", change, None)

    def describe_new(change: StatusChange) -> Difference:
        reason = f"it did not exist before; {describe_notifiers(change)}"
        return Difference(ChangeKind.NEW, reason, None, change)

    pairs = pair_sites(before, after)
    return _compare(
        pairs,
        describe_gone=describe_gone,
        describe_new=describe_new,
        explain_turn=describe_notifiers,
        explain_unchanged=describe_notifiers,
    )


def describe_notifiers(change: StatusChange) -> str:
    """Return a phrase on what notifies the hypervisor of a change, and on which platforms."""
    if not change.protected:
        return "changes no page on SEV, SEV-ES/SNP or TDX"
    where = _describe_platforms(change.platforms, change.doubts)
    if not change.notifiers:
        return f"does not notify the hypervisor; it runs on {where}"
    phrases = []
    for notifier in change.notifiers:
        on = _describe_platforms(notifier.platforms, notifier.doubts)
        phrases.append(f"{notifier.via} ({on})" if on else notifier.via)
    text = "notifies the hypervisor by " + ", ".join(dict.fromkeys(phrases))
    silent = ", ".join(platform.value for platform in change.silent_on)
    return f"{text}; does not notify it on {silent}" if silent else text


def _describe_platforms(certain: Sequence[Platform], doubts: Sequence[Doubt]) -> str:
    """Return platforms as text, those with unknown conditions after the others."""
    parts = [", ".join(platform.value for platform in certain if platform in PROTECTED)]
    for place in dict.fromkeys(doubt.place for doubt in doubts):
        names = [d.platform.value for d in doubts if d.place == place and d.platform in PROTECTED]
        if names:
            parts.append(f"{', '.join(names)} under a condition that audit cannot decide: {place}")
    return "; ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Pair(Generic[Site]):
    """A site before and after, None if it does not exist; `moved` is the difference, or ""."""

    before: Site | None
    after: Site | None
    moved: str = ""


def pair_sites(before: Sequence[Site], after: Sequence[Site]) -> list[Pair[Site]]:
    """Return all sites of either side, sorted by name."""
    old, new = list(before), list(after)
    pairs = [Pair(a, b) for a, b in _take(old, new, _make_full_key, _always)]
    pairs += [
        Pair(a, b, f"it called {a.call}()" if a.call else "it was another instruction")
        for a, b in _take(old, new, _make_key_without_call, _always)
    ]
    pairs += [
        Pair(a, b, f"it was in {a.place.path}")
        for a, b in _take(old, new, _make_key_without_path, _always)
    ]
    pairs += [
        Pair(a, b, f"it was in {a.function}()")
        for a, b in _take(old, new, _make_key_without_function, _are_related)
    ]
    pairs += [Pair(site, None) for site in old]
    pairs += [Pair(None, site) for site in new]
    return sorted(pairs, key=_make_sort_key)


def find_op_calls(calls: Sequence[OpCall], site: Hypercall) -> list[OpCall]:
    """Return the early calls of the op by a site's function, directly or through its file."""
    return [
        call
        for call in calls
        if call.early
        and call.place.path == site.place.path
        and site.function in (call.function, *call.within)
    ]


def _take(
    old: list[Site], new: list[Site], key: _Key, fits: Callable[[Site, Site], bool]
) -> Iterator[tuple[Site, Site]]:
    """Remove the sites of equal key from both lists, and yield them as pairs."""
    waiting: dict[Hashable, list[Site]] = {}
    for site in new:
        waiting.setdefault(key(site), []).append(site)
    for site in list(old):
        name = key(site)
        match = next((o for o in waiting.get(name, ()) if name and fits(site, o)), None)
        if match is not None:
            waiting[name].remove(match)
            old.remove(site)
            new.remove(match)
            yield site, match


def _name_form(site: Hypercall | StatusChange) -> str:
    return site.instruction.title if isinstance(site, Hypercall) else ""


def _make_full_key(site: Hypercall | StatusChange) -> Hashable:
    call = site.call if isinstance(site, Hypercall) else ""
    return site.place.path, site.function, call, site.argument, _name_form(site)


def _make_key_without_call(site: Hypercall | StatusChange) -> Hashable:
    return (site.place.path, site.function, site.argument) if site.argument else None


def _make_key_without_path(site: Hypercall | StatusChange) -> Hashable:
    return site.function, site.call, site.argument, _name_form(site)


def _make_key_without_function(site: Hypercall | StatusChange) -> Hashable:
    return site.place.path, site.call, site.argument, _name_form(site)


def _always(before: object, after: object) -> bool:
    return True


def _are_related(before: Site, after: Site) -> bool:
    """Return whether one of the functions of two sites calls the other, in either audit."""
    return before.function in after.within or after.function in before.within


def _make_sort_key(pair: Pair[Site]) -> tuple[str, str, str, int]:
    site = pair.after or pair.before
    if site is None:
        return ("", "", "", 0)
    return (site.place.path, site.function, site.call + site.argument, site.place.line)
