"""The commit that a series is made on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NewType, Protocol

Oid = NewType("Oid", str)


@dataclass(frozen=True, slots=True)
class Base:
    """A commit of a kernel tree: its id, its tree's id, and how people call it.

    `describe` is what the user named it by (or `git describe`); `version` is the VERSION,
    PATCHLEVEL and SUBLEVEL of the top Makefile, "" where it has none.
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
    """What the rooms above need of a tree in git, without knowing git."""

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path."""

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file."""


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return what a whole path has to match: `*` and `?` stay within a folder, `**` crosses."""
    regex = ""
    for part in re.split(r"(\*\*/?|\*|\?|\[[^\]]+\])", pattern):
        if part.startswith("**"):
            regex += "(?:.*/)?" if part.endswith("/") else ".*"
        elif part == "*":
            regex += "[^/]*"
        elif part == "?":
            regex += "[^/]"
        elif part.startswith("[") and part.endswith("]"):
            regex += "[^" + part[2:] if part.startswith("[!") else part
        else:
            regex += re.escape(part)
    return re.compile(regex)
