# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of one semantic patch on one file, and on all files."""

from __future__ import annotations

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
    """How often a rule matched, and where. `sites` is empty for a rule without a position."""

    rule: str
    hits: int
    sites: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class UnparsedFunction:
    """A function (or, without a name, other code) that spatch could not parse and so skipped."""

    path: PurePosixPath
    line: int
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" + (f" {self.name}()" if self.name else "")


@dataclass(frozen=True, slots=True)
class Changed:
    """The semantic patch changed the file into `after`.

    `from_texts` are its lines, from 0, that come from the semantic patch's texts.
    """

    after: bytes
    from_texts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class NoMatch:
    """spatch read the file (except `unparsed`) and had nothing to change."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """spatch gave up on the file after `limit_s` seconds; nothing is known about it."""

    limit_s: float


FileOutcome = Changed | NoMatch | TimedOut


@dataclass(frozen=True, slots=True)
class FileResult:
    """One run of spatch: a semantic patch over one file. `seconds` is spatch's wall time."""

    path: PurePosixPath
    outcome: FileOutcome
    rules: tuple[RuleHits, ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    seconds: float = 0.0


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
    """All calls that a manifest's table `name` selects. They are shown if there is a `title`."""

    name: str
    title: str
    calls: tuple[Citation, ...]


def sum_hits(results: Iterable[FileResult]) -> dict[str, RuleHits]:
    """Add the hits of each rule over all files, in the order of the rules."""
    totals: dict[str, RuleHits] = {}
    for result in results:
        for rule in result.rules:
            so_far = totals.get(rule.rule, RuleHits(rule.rule, 0))
            totals[rule.rule] = RuleHits(
                rule.rule, so_far.hits + rule.hits, so_far.sites + rule.sites
            )
    return totals
