# SPDX-License-Identifier: GPL-2.0-or-later
"""A base of a few files in memory, for code that reads a tree and needs no repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile, compile_glob


class MemoryTree:
    """A TreeReader of contents by path."""

    def __init__(self, contents: Mapping[str, bytes]):
        self._contents = contents
        self.files = tuple(
            TreeFile(PurePosixPath(path), "100644", Oid(f"{number:040x}"))
            for number, path in enumerate(sorted(contents))
        )

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the files that match any of the paths or globs, sorted by path."""
        regexes = [compile_glob(pattern) for pattern in patterns]
        return [
            file for file in self.files if any(regex.fullmatch(str(file.path)) for regex in regexes)
        ]

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file."""
        return self._contents[str(file.path)]

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        """Return the contents of files."""
        return [self.read(file) for file in files]
