"""What became of each early site between two audits, and why it counts as that.

A site is known again by its file, its function, what it calls and the pages or the number that it
gives; lines may have moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from patchgen.model.audit import (
    PROTECTED,
    Audit,
    AuditDiff,
    Difference,
    Doubt,
    Fate,
    Form,
    Group,
    Hypercall,
    Outcome,
    Platform,
    StatusChange,
)

_Site = TypeVar("_Site", Hypercall, StatusChange)
_Name = tuple[str, ...]
_OWN = "VMGEXIT and TDCALL are what they are before and after alternatives"
_OTHER = "it is another hypervisor's own call, which the op has no part in"
_COMMON = "it reports no page status, so the op has no part in it"


def compare_audits(before: Audit, after: Audit) -> AuditDiff:
    """Return what became of the early sites of either."""
    differences = [
        *_compare_hypercalls(before.hypercalls, after.hypercalls),
        *_compare_changes(before.changes, after.changes),
    ]
    return AuditDiff(before, after, tuple(differences))


def _pair(
    before: Sequence[_Site], after: Sequence[_Site]
) -> Iterator[tuple[_Site | None, _Site | None]]:
    """Yield the sites that are the same, and those that have no counterpart."""
    old, new = _by_name(before), _by_name(after)
    for name in sorted(old.keys() | new.keys()):
        yield old.get(name), new.get(name)


def _by_name(sites: Sequence[_Site]) -> dict[_Name, _Site]:
    seen: dict[_Name, int] = {}
    named: dict[_Name, _Site] = {}
    for site in sites:
        called: _Name = _name(site)
        seen[called] = seen.get(called, 0) + 1
        named[(*called, str(seen[called]))] = site
    return named


def _name(site: Hypercall | StatusChange) -> _Name:
    if isinstance(site, Hypercall):
        form = site.instruction.form.value
        return (site.place.path, site.function, site.call, site.purpose, form)
    return (site.place.path, site.function, site.pages)


def _compare(
    before: Sequence[_Site],
    after: Sequence[_Site],
    *,
    appears: Callable[[_Site], str],
    turns: Callable[[_Site], str],
    stays: Callable[[_Site], str],
) -> Iterator[Difference]:
    """Yield what became of each early site; the callables say what there is to a new state."""
    for old, new in _pair(before, after):
        was, now = bool(old and old.early), bool(new and new.early)
        if not was and not now:
            continue
        if new is None:
            yield Difference(Fate.GONE, "it is not there any more", old, None)
        elif not now:
            yield Difference(Fate.LATE, "no early path leads to it any more", old, new)
        elif old is None or not was:
            there = "it was there, but not early" if old else "it was not there"
            yield Difference(Fate.NEW, there + appears(new), old, new)
        elif old.routed != new.routed:
            fate = Fate.ROUTED if new.routed else Fate.UNROUTED
            yield Difference(fate, turns(new), old, new)
        else:
            yield Difference(Fate.STAYS, stays(new), old, new)


def _compare_hypercalls(
    before: Sequence[Hypercall], after: Sequence[Hypercall]
) -> Iterator[Difference]:
    def appears(site: Hypercall) -> str:
        return "; all its paths go through the op" if site.routed else ""

    def turns(site: Hypercall) -> str:
        how = "all its early paths" if site.routed else "not all its early paths"
        return f"{how} go through the op now"

    return _compare(before, after, appears=appears, turns=turns, stays=explain_stay)


def explain_stay(site: Hypercall) -> str:
    """Return why an early hypercall is as it is."""
    if site.routed:
        return "it goes through the op"
    if site.instruction.form in (Form.VMGEXIT, Form.TDCALL):
        return _OWN
    if site.group is Group.OTHER:
        return _OTHER
    fatal = [str(p.value) for p, e in site.effects.items() if e.outcome is Outcome.FATAL]
    where = f"; it is fatal on {', '.join(fatal)}" if fatal else ""
    reports = site.reports_status
    return ("it reports page status, but not through the op" if reports else _COMMON) + where


def _compare_changes(
    before: Sequence[StatusChange], after: Sequence[StatusChange]
) -> Iterator[Difference]:
    return _compare(
        before,
        after,
        appears=lambda change: f"; {describe_tellers(change)}",
        turns=describe_tellers,
        stays=describe_tellers,
    )


def describe_tellers(change: StatusChange) -> str:
    """Return who tells the hypervisor of a change, on which platforms, in a phrase."""
    if not change.protected:
        return "changes no page on SEV, SEV-ES/SNP or TDX"
    where = _describe_platforms(change.platforms, change.doubts)
    if not change.tellers:
        return f"tells nobody; it runs on {where}"
    phrases = []
    for teller in change.tellers:
        on = _describe_platforms(teller.platforms, teller.doubts)
        phrases.append(f"{teller.via} ({on})" if on else teller.via)
    text = "tells by " + ", ".join(dict.fromkeys(phrases))
    silent = ", ".join(each.value for each in change.silent_on)
    return f"{text}; tells nobody on {silent}" if silent else text


def _describe_platforms(known: Sequence[Platform], doubts: Sequence[Doubt]) -> str:
    """Return platforms in words, those with conditions that are not known after the others."""
    parts = [", ".join(each.value for each in known if each in PROTECTED)]
    for place in dict.fromkeys(doubt.place for doubt in doubts):
        names = [d.platform.value for d in doubts if d.place == place and d.platform in PROTECTED]
        if names:
            parts.append(f"{', '.join(names)} under a condition that audit does not know: {place}")
    return "; ".join(filter(None, parts))
