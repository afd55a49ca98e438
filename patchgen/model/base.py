# SPDX-License-Identifier: GPL-2.0-or-later
"""The commit that a series builds on, and its tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NewType, Protocol

Oid = NewType("Oid", str)


@dataclass(frozen=True, slots=True)
class Base:
    """A commit of a kernel tree: its id, its tree's id, and its name for people.

    `describe` is the user's name for it (or that of `git describe`); `version` is the VERSION,
    PATCHLEVEL and SUBLEVEL of the top Makefile, "" if it has none.
    """

    oid: Oid
    tree: Oid
    describe: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A regular file in a tree. `mode` is git's, "100644" or "100755"."""

    path: PurePosixPath
    mode: str
    oid: Oid


class TreeReader(Protocol):
    """What other rooms need of a tree in git, without knowing git."""

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path."""

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file."""

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        """Return the contents of files, in fewer requests than one for each."""


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return the pattern for a whole path: `*` and `?` stay within a folder, `**` crosses folders.

    `**/` after a slash, or at the beginning, also matches nothing. Raises ValueError for an invalid
    range of characters, such as `[z-a]`.

    The time is bounded by the square of the path's length: between two wildcards the first place
    that fits is as good as any later one, so only the last one is tried in several ways.
    """
    parts = re.split(r"((?:(?<=/)|^)\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    # The texts between two `**`; each may follow any text without a slash.
    groups: list[list[str]] = [[""]]
    crossings: list[str] = []
    for part in parts:
        if part.startswith("**"):
            groups.append([""])
            crossings.append(part)
        elif part == "*":
            groups[-1].append("")
        else:
            groups[-1][-1] += _one_character(part) if part[:1] in ("?", "[") else re.escape(part)
    regex = _first_fit(groups[0], is_last=not crossings)
    for number, (crossing, group) in enumerate(zip(crossings, groups[1:], strict=True), 1):
        is_last = number == len(crossings)
        fit = _first_fit(group, is_last=is_last)
        if is_last:
            regex += ("(?:.*/)?" if crossing == "**/" else ".*") + fit
        else:
            regex += f"(?>{'(?:.*?/)??' if crossing == '**/' else '.*?'}{fit})"
    try:
        return re.compile(regex, re.DOTALL)
    except re.error as err:
        raise ValueError(f"{pattern!r} is not a pattern of paths: {err}") from None


def escape_glob(path: str) -> str:
    """Return a glob that matches this path only."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def glob_below(folder: str) -> str:
    """Return a glob that matches the C files below a folder; "." is the whole tree."""
    return f"{'' if folder == '.' else escape_glob(folder) + '/'}**/*.[ch]"


def is_glob(pattern: str) -> bool:
    """Return whether a pattern may match several paths."""
    return re.search(r"[*?\[]", re.sub(r"\[[*?\[]\]", "", pattern)) is not None


def _one_character(part: str) -> str:
    if part == "?":
        return "[^/]"
    if part.endswith("]") and len(part) > 1:
        inner = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return "(?!/)[" + ("^" + inner[1:] if inner.startswith("!") else inner) + "]"
    return re.escape(part)


def _first_fit(texts: list[str], *, is_last: bool) -> str:
    """Return a regular expression of texts separated by `*`; the last one may end the path."""
    first, *others = texts
    last = others.pop() if is_last and others else None
    regex = first + "".join(f"(?>[^/]*?{text})" for text in others)
    return regex if last is None else f"{regex}[^/]*{last}"
