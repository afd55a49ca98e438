# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose which of the maintainers and lists get the mails of a long series.

A patch over a whole subsystem concerns hundreds of people, and a cover letter with all of them in
its header is refused by mailing lists. So the people and lists with the most files of a patch get
it, and the lists and the people who get more than one patch get the cover letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from patchgen.counting import count
from patchgen.kernel import join_recipients
from patchgen.mail.recipients import (
    MaintainerRecipients,
    SeriesRecipients,
    address_of,
    list_addresses,
    select_people,
)
from patchgen.model.series import RecipientPolicy, RecipientRoles, Recipients

_MAX_NAMES = 3


def apply_policy(maintainers: MaintainerRecipients, policy: RecipientPolicy) -> SeriesRecipients:
    """Return the recipients of each patch and of the cover letter that a policy allows.

    A patch without lists is sent to its maintainers.
    """
    if policy.roles is RecipientRoles.ALL:
        return maintainers.recipients
    lists_only = policy.roles is RecipientRoles.LISTS
    patches = []
    for patch in maintainers.recipients.patches:
        selected = select_people(patch, maintainers.lists) if lists_only else patch
        if not lists_only or not (selected.to or selected.cc):
            selected = select_people(patch, list_addresses(patch) - maintainers.reviewers)
        patches.append(selected)
    return SeriesRecipients(_choose_for_cover(patches, maintainers.lists), tuple(patches))


def limit_recipients(
    recipients: SeriesRecipients, maintainers: MaintainerRecipients, policy: RecipientPolicy
) -> tuple[SeriesRecipients, tuple[str, ...]]:
    """Return the recipients with at most as many for each mail as a policy allows, and warnings.

    People that the user added come first, then those with the most files. If a mail has two
    recipients with equally many, lists come first.
    """
    limit = policy.max_recipients
    if limit is None:
        return recipients, ()
    warnings = []
    from_tree = maintainers.lists.union(*maintainers.file_counts)

    def limit_mail(name: str, addressees: Recipients, counts: Mapping[str, int]) -> Recipients:
        ranked = _rank(addressees, counts, maintainers.lists, from_tree)
        if left_out := ranked[limit:]:
            warnings.append(_describe_limit(name, limit, left_out))
        return select_people(addressees, set(map(address_of, ranked[:limit])))

    patches = tuple(
        limit_mail(f"patch {number}", patch, counts)
        for number, (patch, counts) in enumerate(
            zip(recipients.patches, maintainers.file_counts, strict=True), 1
        )
    )
    cover = limit_mail("the cover letter", recipients.cover, _count_patches(patches))
    return SeriesRecipients(cover, patches), tuple(warnings)


def _choose_for_cover(patches: Sequence[Recipients], lists: frozenset[str]) -> Recipients:
    """Return all lists, and the people who get more than one of several patches."""
    everybody = join_recipients(patches)
    if len(patches) == 1:
        return everybody
    several = {address for address, count in _count_patches(patches).items() if count > 1}
    selected = select_people(everybody, lists | several)
    return selected if selected.to or selected.cc else everybody


def _rank(
    recipients: Recipients,
    counts: Mapping[str, int],
    lists: frozenset[str],
    from_tree: frozenset[str],
) -> list[str]:
    """Return the recipients of a mail, the most important first.

    Only those `from_tree` are from MAINTAINERS.
    """

    def key(person: str) -> tuple[bool, int, bool]:
        address = address_of(person)
        return address in from_tree, -counts.get(address, 0), address not in lists

    return sorted((*recipients.to, *recipients.cc), key=key)


def _count_patches(patches: Sequence[Recipients]) -> Counter[str]:
    """Return the number of patches that each address gets."""
    return Counter(address for patch in patches for address in list_addresses(patch))


def _describe_limit(mail: str, limit: int, left_out: Sequence[str]) -> str:
    names = ", ".join(left_out[:_MAX_NAMES])
    more = len(left_out) - _MAX_NAMES
    others = f" and {count(more, 'other')}" if more > 0 else ""
    people = count(limit, "person or list", "people and lists")
    return f"{mail} is limited to {people}, and omits {names}{others}"
