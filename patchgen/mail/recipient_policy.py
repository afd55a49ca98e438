# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose which of the maintainers and lists get the mails of a long series.

A patch over a whole subsystem concerns hundreds of people, and a cover letter with all of them in
its header is refused by mailing lists. So the people and lists with the most files of a patch get
it, and the cover letter goes to the lists, and to people who get more than one patch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from patchgen.mail.recipients import FoundRecipients, SeriesRecipients, address_of
from patchgen.model.series import RecipientPolicy, Recipients, Who

_MAX_NAMES = 3


def apply_policy(found: FoundRecipients, policy: RecipientPolicy) -> SeriesRecipients:
    """Return the recipients of each patch and of the cover letter that a policy allows.

    A patch without lists goes to its maintainers.
    """
    if policy.who is Who.ALL:
        return found.recipients
    lists_only = policy.who is Who.LISTS
    patches = []
    for patch in found.recipients.patches:
        chosen = _select(patch, found.lists) if lists_only else patch
        if not lists_only or not (chosen.to or chosen.cc):
            chosen = _select(patch, _addresses(patch) - found.reviewers)
        patches.append(chosen)
    return SeriesRecipients(_choose_for_cover(patches, found.lists), tuple(patches))


def limit_recipients(
    recipients: SeriesRecipients, found: FoundRecipients, policy: RecipientPolicy
) -> tuple[SeriesRecipients, tuple[str, ...]]:
    """Return the recipients with at most as many for each mail as a policy allows, and warnings.

    People that the user added come first, then those with the most files. If a mail has two
    recipients with equally many, lists come first.
    """
    most = policy.most
    if most is None:
        return recipients, ()
    known = found.lists.union(*found.files)
    warnings = []
    patches = []
    for number, patch in enumerate(recipients.patches, 1):
        files = found.files[number - 1]
        limited, left_out = _limit(patch, most, files, known, found.lists)
        patches.append(limited)
        if left_out:
            warnings.append(_warn(f"patch {number}", most, left_out))
    counts = Counter(address for patch in patches for address in _addresses(patch))
    cover, left_out = _limit(recipients.cover, most, counts, known, found.lists)
    if left_out:
        warnings.append(_warn("the cover letter", most, left_out))
    return SeriesRecipients(cover, tuple(patches)), tuple(warnings)


def _choose_for_cover(patches: Sequence[Recipients], lists: frozenset[str]) -> Recipients:
    """Return all lists, and the people who get more than one of several patches."""
    counts = Counter(address for patch in patches for address in _addresses(patch))
    to = dict.fromkeys(person for patch in patches for person in patch.to)
    cc = dict.fromkeys(person for patch in patches for person in patch.cc if person not in to)
    everybody = Recipients(tuple(to), tuple(cc))
    if len(patches) == 1:
        return everybody
    several = {address for address, count in counts.items() if count > 1}
    chosen = _select(everybody, lists | several)
    return chosen if chosen.to or chosen.cc else everybody


def _limit(
    recipients: Recipients,
    most: int,
    counts: Mapping[str, int],
    known: frozenset[str],
    lists: frozenset[str],
) -> tuple[Recipients, list[str]]:
    everybody = (*recipients.to, *recipients.cc)
    ranked = sorted(
        everybody,
        key=lambda person: (
            (address := address_of(person)) in known,
            -counts.get(address, 0),
            address not in lists,
        ),
    )
    chosen = {address_of(person) for person in ranked[:most]}
    return _select(recipients, chosen), ranked[most:]


def _warn(mail: str, most: int, left_out: Sequence[str]) -> str:
    names = ", ".join(left_out[:_MAX_NAMES])
    more = len(left_out) - _MAX_NAMES
    others = f" and {more} others" if more > 0 else ""
    return f"{mail} goes to {most} people and lists only: without {names}{others}"


def _select(recipients: Recipients, addresses: frozenset[str] | set[str]) -> Recipients:
    return Recipients(
        tuple(person for person in recipients.to if address_of(person) in addresses),
        tuple(person for person in recipients.cc if address_of(person) in addresses),
    )


def _addresses(recipients: Recipients) -> set[str]:
    return {address_of(person) for person in recipients.to + recipients.cc}
