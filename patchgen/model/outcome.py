# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of one semantic patch on one file, and on all files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the file before the run: path, line from 1, enclosing function."""

    path: PurePosixPath
    line: int
    function: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class RuleHits:
    """How often a rule matched, and where. `sites` is empty for a rule without a position.

    With `counts_marks`, the hits are parts of the code that `*` marks: a match may have several.
    """

    rule: str
    hits: int
    sites: tuple[Site, ...] = ()
    counts_marks: bool = False


@dataclass(frozen=True, slots=True)
class UnparsedFunction:
    """A function (or, without a name, other code) that spatch could not parse and so skipped.

    `end` is its last line, `words` are its tokens. They are empty where only the place matters.
    """

    path: PurePosixPath
    line: int
    name: str | None = None
    end: int = 0
    words: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" + (f" {self.name}()" if self.name else "")


@dataclass(frozen=True, slots=True)
class ReportedPlace:
    """A place that a semantic patch reports. Lines and columns count from 1.

    `end_line` and `end_column` are those of the first character after it, None if unknown. `rule`
    is the rule that reported it, "" if unknown.
    """

    path: PurePosixPath
    line: int
    column: int | None
    text: str
    rule: str = ""
    end_line: int | None = None
    end_column: int | None = None

    def __str__(self) -> str:
        column = f":{self.column}" if self.column is not None else ""
        return f"{self.path}:{self.line}{column}: {self.text}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why spatch did not finish a file. `limit_s` is the time limit that it exceeded, if any."""

    reason: str
    limit_s: float | None = None

    def __str__(self) -> str:
        return self.reason

    @property
    def text(self) -> str:
        """The reason on one line; spatch escapes the line ends of its own."""
        return " ".join(re.sub(r"\\[nt]", " ", self.reason).split())


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of a semantic patch for one file.

    `after` is the whole new file, None if nothing changed; its lines `from_texts`, from 0, come
    from the semantic patch's texts. spatch skipped the `unparsed` functions. `printed` is the
    output of scripts for the file, and `marks` are the places that context mode marks. `seconds` is
    its share of spatch's wall time. `written` are the files that scripts wrote, by their relative
    names; they belong to a run, and so to the path ".". If spatch did not finish the file,
    `failure` is set, and the other fields are empty. `headers` are the new texts of headers that it
    includes.
    """

    path: PurePosixPath
    after: bytes | None = None
    rules: tuple[RuleHits, ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    printed: str = ""
    marks: tuple[ReportedPlace, ...] = ()
    from_texts: frozenset[int] = frozenset()
    failure: Failure | None = None
    seconds: float = 0.0
    written: tuple[tuple[str, bytes], ...] = ()
    headers: tuple[tuple[PurePosixPath, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A call that a text cites: its place in the result, and the function that contains it.

    `via` are the names from the callee to the call's final target, including both.
    """

    site: Site
    function: str
    via: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CitedCalls:
    """All calls that a manifest's table `name` selects. They are shown if `title` is not empty."""

    name: str
    title: str
    calls: tuple[Citation, ...]


def sum_hits(results: Iterable[FileResult]) -> dict[str, RuleHits]:
    """Add the hits of each rule over all files, in the order of the rules."""
    totals: dict[str, RuleHits] = {}
    for result in results:
        for rule in result.rules:
            total = totals.get(rule.rule, RuleHits(rule.rule, 0))
            totals[rule.rule] = RuleHits(
                rule.rule,
                total.hits + rule.hits,
                total.sites + rule.sites,
                total.counts_marks or rule.counts_marks,
            )
    return totals
