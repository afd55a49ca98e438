# SPDX-License-Identifier: GPL-2.0-or-later
"""An audit in short: early sites by danger, unresolved calls, and the callers on a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from patchgen.audit.result import (
    Audit,
    EffectOutcome,
    Form,
    Hypercall,
    Instruction,
    Platform,
    Route,
    SiteGroup,
    StatusChange,
    UnresolvedPointer,
)
from patchgen.audit.tables import load_tables
from patchgen.counting import count

_ARCH = "arch/x86/"
_MOST_KINDS = 4
_SHORT_NAMES = {Platform.SEV_ES: "ES/SNP"}


class Danger(StrEnum):
    """The heading under which an early hypercall is listed."""

    FATAL = "fatal"  # on one platform or more
    UNKNOWN = "unknown"  # on one platform or more, and fatal on none
    HARMLESS = "harmless"
    OTHER = "other"  # calls to other hypervisors


def group_by_danger(hypercalls: Iterable[Hypercall]) -> Mapping[Danger, list[Hypercall]]:
    """Return the hypercalls of each heading; those that bypass the op come first."""
    groups: dict[Danger, list[Hypercall]] = {danger: [] for danger in Danger}
    for hypercall in hypercalls:
        groups[_judge(hypercall)].append(hypercall)
    for members in groups.values():
        members.sort(key=lambda hypercall: hypercall.group is not SiteGroup.UNROUTED)
    return groups


def _judge(hypercall: Hypercall) -> Danger:
    if hypercall.group is SiteGroup.OTHER:
        return Danger.OTHER
    if hypercall.fatal_on:
        return Danger.FATAL
    outcomes = {effect.outcome for effect in hypercall.effects.values()}
    return Danger.UNKNOWN if EffectOutcome.UNKNOWN in outcomes else Danger.HARMLESS


def describe_fatal(hypercall: Hypercall) -> str:
    """Return the platforms on which a hypercall is fatal, in short, or "-"."""
    return " ".join(_SHORT_NAMES.get(p, p.value) for p in hypercall.fatal_on) or "-"


def describe_routing(hypercall: Hypercall) -> str:
    """Return whether a hypercall goes through the op, "-" if the op does not concern it."""
    if hypercall.group in (SiteGroup.OWN, SiteGroup.OTHER):
        return "-"
    return "yes" if hypercall.routed else "no"


def describe_means(change: StatusChange) -> str:
    """Return what notifies the hypervisor of a change: op, callback, hypercall, or none."""
    means = dict.fromkeys(notifier.means for notifier in change.notifiers)
    if not means:
        return "none" if change.silent else "-"
    return "+".join(sorted(means, key=("op", "callback", "hypercall").index))


def describe_form(instruction: Instruction) -> str:
    """Return the hypervisor that an instruction calls, and its form."""
    if instruction.form is Form.VARIANT:
        return instruction.title
    return f"{instruction.hypervisor or 'unknown'} by {instruction.title}"


def count_forms(hypercalls: Iterable[Hypercall]) -> str:
    """Return the number of hypercalls of the most common hypervisors and forms."""
    kinds = Counter(describe_form(hypercall.instruction) for hypercall in hypercalls).most_common()
    more = sum(count for _, count in kinds[_MOST_KINDS:])
    texts = [f"{count} {kind}" for kind, count in kinds[:_MOST_KINDS]]
    return ", ".join([*texts, f"{more} more"] if more else texts)


# --- unresolved calls -----------------------------------------------------------------------------


def sort_unresolved(audit: Audit) -> list[UnresolvedPointer]:
    """Return the unresolved calls, those in arch/x86 first."""
    return sorted(audit.unresolved, key=lambda call: not call.place.path.startswith(_ARCH))


def count_unresolved_in_arch(audit: Audit) -> int:
    """Return the number of unresolved calls in arch/x86."""
    return sum(call.place.path.startswith(_ARCH) for call in audit.unresolved)


def describe_certainty(audit: Audit) -> str:
    """Return how complete the list of sites is, as a clause."""
    total = len(audit.unresolved)
    if not total:
        return "all calls resolved"
    inside = count_unresolved_in_arch(audit)
    return f"{count(total, 'call')} unresolved, {inside} of them in arch/x86"


def describe_answer(audit: Audit) -> str:
    """Return the answer as sentences for a reader who does not know the tool."""
    total = len(audit.early_hypercalls)
    fatal = len(group_by_danger(audit.early_hypercalls)[Danger.FATAL])
    text = f"{count(total, 'early site')}; {describe_certainty(audit)}."
    does = " patches the kernel's code" if audit.window.end in load_tables().end else ""
    text += f" An early site is {audit.site} that can run before {audit.window.end}(){does}"
    if fatal:
        text += f"; {fatal} {'is' if fatal == 1 else 'are'} fatal on one platform or more"
    if silent := sum(change.silent for change in audit.early_changes):
        changes = count(silent, "early change")
        text += f". The hypervisor is not notified of {changes} of page status"
    return text + (". Unresolved calls may lead to more." if audit.unresolved else ".")


# --- paths ----------------------------------------------------------------------------------------


def list_callers(audit: Audit, route: Route) -> list[str]:
    """Return the functions of a route before its last.

    Of the start that it shares with the boot path, only the last function is included.
    """
    boot_path = [step.function for step in audit.window.boot_path]
    names = [step.function for step in route.steps]
    shared = 0
    while shared < min(len(names) - 1, len(boot_path)) and names[shared] == boot_path[shared]:
        shared += 1
    return names[max(shared - 1, 0) : -1]
