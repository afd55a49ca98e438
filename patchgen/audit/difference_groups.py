# SPDX-License-Identifier: GPL-2.0-or-later
"""The headings of sites and differences, and the differences under each heading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from patchgen.audit.diff import AuditDiff, ChangeKind, Difference
from patchgen.audit.result import Hypercall, SiteGroup

GROUP_TITLES = {
    SiteGroup.UNROUTED: "not routed through the op",
    SiteGroup.ROUTED: "routed through the op",
    SiteGroup.OWN: "VMGEXIT and TDCALL, which alternatives do not patch",
    SiteGroup.OTHER: "of other hypervisors",
}
CHANGE_TITLES = {
    ChangeKind.ROUTED: "routed now",
    ChangeKind.UNROUTED: "no longer routed",
    ChangeKind.NEW: "new",
    ChangeKind.GONE: "gone",
    ChangeKind.MOVED: "moved",
    ChangeKind.LATE: "no longer early",
    ChangeKind.STAYS: "stays",
}
# Groups of which mostly the number matters.
FOLDED_GROUPS = (SiteGroup.OWN, SiteGroup.OTHER)


@dataclass(frozen=True, slots=True)
class DifferenceGroup:
    """The differences of one kind: those to list, and the number of the others by reason."""

    change_kind: ChangeKind
    listed: tuple[Difference, ...]
    more: Mapping[str, int]

    @property
    def total(self) -> int:
        """Return the number of differences of the kind."""
        return len(self.listed) + sum(self.more.values())


def group_differences(diff: AuditDiff) -> list[DifferenceGroup]:
    """Return the differences of each kind. Of FOLDED_GROUPS, unchanged sites are only counted."""
    groups = []
    for kind in CHANGE_TITLES:
        members = [difference for difference in diff.differences if difference.change_kind is kind]
        listed = tuple(difference for difference in members if not _is_folded(difference))
        more = Counter(difference.reason for difference in members if _is_folded(difference))
        groups.append(DifferenceGroup(kind, listed, more))
    return [group for group in groups if group.total]


def _is_folded(difference: Difference) -> bool:
    site = difference.site
    is_unchanged = difference.change_kind is ChangeKind.STAYS
    return is_unchanged and isinstance(site, Hypercall) and site.group in FOLDED_GROUPS
