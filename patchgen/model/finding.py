# SPDX-License-Identifier: GPL-2.0-or-later
"""A finding of a check about a commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.counting import count
from patchgen.model.base import Oid

_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault or, if it is not a `failure`, a remark.

    `check` is the name of the check. `commit` is None if the finding is about the whole series.
    `where` is a file, with a line if known; `config` is the configuration that was built; `log` is
    the complete output of the program that found it. `hint` is what to do about it; `parameter` is
    the input of the request that the hint is about. `in_old_code` is set if the lines that the
    commit replaces have the same fault.
    """

    check: str
    text: str
    commit: Oid | None = None
    where: str = ""
    config: str = ""
    log: Path | None = None
    failure: bool = True
    hint: str = ""
    parameter: str = ""
    in_old_code: bool = False

    def __str__(self) -> str:
        """Return the finding as one line, without its commit."""
        config = f" [{self.config}]" if self.config else ""
        where = f"{self.where}: " if self.where else ""
        log = f" (full log: {self.log})" if self.log else ""
        return f"{self.check}{config}: {where}{self.text}{log}"


def count_old(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, those in old code as one note with their number for each check."""
    numbers: Counter[tuple[str, Oid | None]] = Counter()
    others = []
    for finding in findings:
        if finding.in_old_code:
            numbers[finding.check, finding.commit] += 1
        else:
            others.append(finding)
    for (check, commit), number in numbers.items():
        same = "them" if number > 1 else "it"
        text = f"{count(number, 'finding')} in old code: the removed lines have {same}, too"
        others.append(Finding(check, text, commit, failure=False))
    return others


def list_first(names: Sequence[str]) -> str:
    """Return the first of some names, with the number of the others: "a, b, c, d, e and 2 more"."""
    more = len(names) - _MAX_LISTED
    # "and 1 more" would take the place of the name.
    return f"{', '.join(names[:_MAX_LISTED])} and {more} more" if more > 1 else ", ".join(names)
