"""What became of each early site between two audits, and why it counts as that.

patchgen.audit.pairs says which site is which. A hypercall that reports page status and is replaced
by a call of the op, in its function or in one that this calls in its file, is routed, not gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from patchgen.audit.pairs import Pair, Site, find_op_calls, pair_sites
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
    OpCall,
    Outcome,
    Platform,
    StatusChange,
)

_OWN = "VMGEXIT and TDCALL are what they are before and after alternatives"
_OTHER = "it is another hypervisor's own call, which the op has no part in"
_COMMON = "it reports no page status, so the op has no part in it"


def compare_audits(before: Audit, after: Audit) -> AuditDiff:
    """Return what became of the early sites of either."""
    differences = [
        *_compare_hypercalls(before, after),
        *_compare_changes(before.changes, after.changes),
    ]
    return AuditDiff(before, after, tuple(differences))


def _compare(
    pairs: Iterable[Pair[Site]],
    *,
    goes: Callable[[Site], Difference],
    comes: Callable[[Site], Difference],
    turns: Callable[[Site], str],
    stays: Callable[[Site], str],
) -> Iterator[Difference]:
    """Yield what became of each early site; the callables say what there is to a new state."""
    for pair in pairs:
        old, new = pair.before, pair.after
        was, now = bool(old and old.early), bool(new and new.early)
        if not was and not now:
            continue
        moved = f"{pair.moved}; " if pair.moved else ""
        if new is None and old is not None:
            yield goes(old)
        elif new is not None and not now:
            yield Difference(Fate.LATE, f"{moved}no early path leads to it any more", old, new)
        elif new is not None and old is None:
            yield comes(new)
        elif new is not None and not was:
            why = f"{moved}it was there, but not early; {stays(new)}"
            yield Difference(Fate.NEW, why, old, new)
        elif new is not None and old is not None and old.routed != new.routed:
            fate = Fate.ROUTED if new.routed else Fate.UNROUTED
            yield Difference(fate, moved + turns(new), old, new)
        elif new is not None:
            fate = Fate.MOVED if moved else Fate.STAYS
            yield Difference(fate, moved + stays(new), old, new)


def _compare_hypercalls(before: Audit, after: Audit) -> Iterator[Difference]:
    was, now = (audit.notify.calls if audit.notify else () for audit in (before, after))

    def goes(site: Hypercall) -> Difference:
        calls = _replaced(site, was, now)
        if calls:
            reason = f"the op is called in its place now: {_name_calls(calls)}"
            return Difference(Fate.ROUTED, reason, site, None)
        return Difference(Fate.GONE, _explain_gone(site, was, now), site, None)

    def comes(site: Hypercall) -> Difference:
        if calls := _replaced(site, now, was):
            reason = f"the op was called in its place: {_name_calls(calls)}"
            return Difference(Fate.UNROUTED, reason, None, site)
        through = "; all its paths go through the op" if site.routed else ""
        return Difference(Fate.NEW, "it was not there" + through, None, site)

    def turns(site: Hypercall) -> str:
        how = "all its early paths" if site.routed else "not all its early paths"
        return f"{how} go through the op now"

    pairs = pair_sites(before.hypercalls, after.hypercalls)
    return _compare(pairs, goes=goes, comes=comes, turns=turns, stays=explain_stay)


def _replaced(site: Hypercall, here: Sequence[OpCall], there: Sequence[OpCall]) -> Sequence[OpCall]:
    """Return the calls of the op that stand for a site that is open-coded on one side only.

    `here` are the calls of the op on the side that has the site, `there` those on the other.
    """
    if site.routed or not site.reports_status:
        return ()
    calls = find_op_calls(there, site)
    return calls if len(calls) > len(find_op_calls(here, site)) else ()


def _explain_gone(site: Hypercall, was: Sequence[OpCall], now: Sequence[OpCall]) -> str:
    reason = "it is not there any more"
    if not site.reports_status or site.routed:
        return reason
    known = {(each.place.path, each.function) for each in was}
    fresh = [e for e in now if e.early and (e.place.path, e.function) not in known]
    if not fresh:
        return reason
    return f"{reason}; audit does not know whether {_name_calls(fresh)} stands for it"


def _name_calls(calls: Iterable[OpCall]) -> str:
    return ", ".join(f"{each.place} {each.function}()" for each in calls)


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
    def goes(change: StatusChange) -> Difference:
        return Difference(Fate.GONE, "it is not there any more", change, None)

    def comes(change: StatusChange) -> Difference:
        reason = f"it was not there; {describe_tellers(change)}"
        return Difference(Fate.NEW, reason, None, change)

    pairs = pair_sites(before, after)
    return _compare(pairs, goes=goes, comes=comes, turns=describe_tellers, stays=describe_tellers)


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
