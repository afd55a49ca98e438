# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipients of a series, grouped by the mails that they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.mail.recipients import address_of
from patchgen.model.series import Recipients


@dataclass(frozen=True, slots=True)
class RecipientGroup:
    """People who get the same mails, whose numbers these are, in the same header: "To" or "Cc"."""

    numbers: tuple[int, ...]
    header: str
    people: tuple[str, ...]


def group_recipients(mails: Sequence[tuple[int, Recipients]]) -> list[RecipientGroup]:
    """Return the groups of numbered mails; the group that gets the most mails comes first."""
    addressed: dict[tuple[str, str], tuple[str, list[int]]] = {}
    for number, recipients in mails:
        for header, people in (("To", recipients.to), ("Cc", recipients.cc)):
            for person in people:
                _, numbers = addressed.setdefault((header, address_of(person)), (person, []))
                if number not in numbers:
                    numbers.append(number)
    groups: dict[tuple[tuple[int, ...], str], list[str]] = {}
    for (header, _), (person, numbers) in addressed.items():
        groups.setdefault((tuple(numbers), header), []).append(person)
    ordered = sorted(groups, key=lambda group: (-len(group[0]), group[0], group[1] != "To"))
    return [RecipientGroup(*group, tuple(groups[group])) for group in ordered]


def name_mails(numbers: Sequence[int], total: int) -> str:
    """Return "all mails", "mail 0" or "mails 0, 2-4"."""
    if len(numbers) == total:
        return "all mails"
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    listed = ", ".join("-".join(map(str, bounds)) for bounds in ranges)
    return f"mail{'' if len(numbers) == 1 else 's'} {listed}"
