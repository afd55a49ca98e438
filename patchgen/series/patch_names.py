# SPDX-License-Identifier: GPL-2.0-or-later
"""The names of the patches of a branch, with their numbers, for options that select patches.

The names of a campaign come from MAINTAINERS, and neither subjects nor mails show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from patchgen.series.branch import MatchedCommit


def number_names(branch: Sequence[MatchedCommit], *, groups: bool = False) -> dict[str, list[int]]:
    """Return the names of a branch's patches, each with the numbers of its patches, in order.

    With `groups`, a name of files that were joined into a patch is a name of that patch, too.
    """
    names: dict[str, list[int]] = {}
    for number, matched in enumerate(branch, 1):
        group = matched.patch.group if matched.patch and groups else ()
        for name in filter(None, dict.fromkeys((matched.name, *group))):
            names.setdefault(name, []).append(number)
    return names


def list_names(
    names: Mapping[str, Sequence[int]], branch: Sequence[MatchedCommit], others: Iterable[str] = ()
) -> str:
    """Return a line for each name, with number and subject, in the order of the series.

    `others` are names of patches that the branch does not have.
    """
    lines = []
    for name in sorted(names, key=lambda name: list(names[name])):
        numbers = names[name]
        subject = f" {branch[numbers[0] - 1].commit.subject}" if len(numbers) == 1 else ""
        lines.append(f"{name} ({', '.join(map(str, numbers))}/{len(branch)}{subject})")
    lines += [name for name in others if name not in names]
    return "".join(f"\n  {line}" for line in lines)
