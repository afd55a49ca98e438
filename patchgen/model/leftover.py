# SPDX-License-Identifier: GPL-2.0-or-later
"""The places that still have a word that a semantic patch removes, with the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath


class LeftReason(StrEnum):
    """Why a word was left, in the order in which they are printed."""

    UNPARSED = "function not parsed"
    MACRO = "body of a macro"
    HEADER = "header not looked at"
    FILE = "file not looked at"
    GIVEN_UP = "file given up on"
    DISABLED = "code in #if 0"
    UNCHANGED = "code that the semantic patch does not change"
    PROSE = "comment or string"
    INCLUDE = "path of an included header"
    OTHER = "documentation, Kconfig, assembly or another language"

    @property
    def is_code(self) -> bool:
        """Whether the word is in C code."""
        return self not in (LeftReason.PROSE, LeftReason.INCLUDE, LeftReason.OTHER)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A place in the base. Lines count from 1. `detail` states spatch's reason, if it gave one."""

    path: PurePosixPath
    line: int
    word: str
    reason: LeftReason
    detail: str = ""

    def __str__(self) -> str:
        more = f": {self.detail}" if self.detail else ""
        return f"{self.path}:{self.line}: {self.word}: {self.reason}{more}"


@dataclass(frozen=True, slots=True)
class WordCount:
    """How often a word occurs in the base, and how many of these places were changed.

    If it `is_common`, the places that are left are not listed.
    """

    word: str
    before: int
    changed: int
    is_common: bool = False

    @property
    def left(self) -> int:
        """The number of places that are left."""
        return self.before - self.changed


@dataclass(frozen=True, slots=True)
class Leftovers:
    """All words that a semantic patch removes, and the places where they are left.

    `only_on` is set if they were counted only in the files that a variant's manifest names.
    """

    words: tuple[WordCount, ...] = ()
    places: tuple[Leftover, ...] = ()
    only_on: bool = False

    @property
    def absent(self) -> tuple[str, ...]:
        """The words that no file has."""
        return tuple(count.word for count in self.words if not count.before)

    @property
    def common(self) -> tuple[WordCount, ...]:
        """The words that are left in too many places to list."""
        return tuple(count for count in self.words if count.is_common)

    @property
    def by_reason(self) -> dict[LeftReason, int]:
        """The numbers of places, by reason, in the order of the reasons."""
        counts = dict.fromkeys(LeftReason, 0)
        for place in self.places:
            counts[place.reason] += 1
        return {reason: count for reason, count in counts.items() if count}

    @property
    def in_code(self) -> int:
        """The number of listed places in C code."""
        return sum(count for reason, count in self.by_reason.items() if reason.is_code)
