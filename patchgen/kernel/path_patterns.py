# SPDX-License-Identifier: GPL-2.0-or-later
"""The path patterns of MAINTAINERS, F: and X:, and an index of them.

get_maintainer.pl turns a pattern into a Perl regular expression: `*` is `.*`, which crosses
folders, `?` is any character, a dot is a dot, and it has to match at the beginning of the path. A
pattern that ends in a slash covers everything below it; any other only paths with as many slashes
as the pattern. A slash is added to a pattern that names a folder; the script looks that up in a
checkout, and patchgen in the tree. All other special characters of Perl are special in patterns,
too: `[ch]`.

Patterns with only `*` and `?` are matched here, in linear time for each part between two stars; the
others are left to bounded_match.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from patchgen.kernel.maintainers_file import Field, MaintainersSection

_SPECIAL = re.compile(r"[\[\](){}+^$|\\]")
_WILD = re.compile(r"[*?]")

IsFolder = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern of a section."""

    section: MaintainersSection
    field: Field

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.field.value

    @property
    def is_regex(self) -> bool:
        """Whether characters other than `*` and `?` are special, so that it needs an engine."""
        return bool(_SPECIAL.search(self.text))

    @property
    def regex(self) -> str:
        """Its regular expression in Perl's syntax."""
        text = self.text.replace(".", "\\.").replace("*", ".*").replace("?", ".")
        return f"^{text}"

    @property
    def depth(self) -> int:
        """Its depth: the section with the deepest pattern comes first."""
        if self.text.startswith("*"):
            return -1
        return self.text.count("/") + (0 if self.text.endswith("/") else 1)

    def accepts_slashes(self, path: str) -> bool:
        """Return whether a path whose beginning matches is not too deep."""
        return self.text.endswith("/") or self.text.count("/") == path.count("/")

    def matches(self, path: str, is_folder: IsFolder) -> bool:
        """Return whether a path matches the pattern, which must not be `is_regex`."""
        if _WILD.search(self.text):
            return self.accepts_slashes(path) and _match_parts(self.text, path)
        if not path.startswith(self.text):
            return False
        rest = path[len(self.text) :]
        if not rest or self.text.endswith("/") or (rest.startswith("/") and self.text):
            return True
        return "/" not in rest and not (self.text and is_folder(self.text))


def _match_parts(pattern: str, path: str) -> bool:
    """Return whether a path begins with a match of a pattern of `*` and `?`.

    The first place where the part after a star fits is as good as any later one.
    """
    first, *others = pattern.split("*")
    at = _fit(first, path, 0)
    if at != 0:
        return False
    at = len(first)
    for part in others:
        found = _find(part, path, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _find(part: str, path: str, start: int) -> int:
    if "?" not in part:
        return path.find(part, start)
    for at in range(start, len(path) - len(part) + 1):
        if _fit(part, path, at) >= 0:
            return at
    return -1


def _fit(part: str, path: str, at: int) -> int:
    """Return `at` if a part without stars fits there, else -1."""
    there = path[at : at + len(part)]
    fits = len(there) == len(part) and all(
        mine in ("?", their) for mine, their in zip(part, there, strict=True)
    )
    return at if fits else -1


class PatternIndex:
    """Patterns by their fixed beginnings, so that a path is compared with few of them."""

    def __init__(self, patterns: Iterable[PathPattern]):
        self._by_start: defaultdict[str, list[PathPattern]] = defaultdict(list)
        self.regexes: list[PathPattern] = []
        for pattern in patterns:
            if pattern.is_regex:
                self.regexes.append(pattern)
            else:
                self._by_start[_WILD.split(pattern.text, maxsplit=1)[0]].append(pattern)
        self._lengths = sorted({len(start) for start in self._by_start})

    def find(self, path: str, is_folder: IsFolder) -> Iterator[PathPattern]:
        """Yield the patterns that match a path, except the `regexes`."""
        for length in self._lengths:
            if length > len(path):
                return
            for pattern in self._by_start.get(path[:length], ()):
                if pattern.matches(path, is_folder):
                    yield pattern
