# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree with patches applied, before it is committed."""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.model.base import Oid, TreeFile, TreeReader, compile_glob
from patchgen.model.series import MadePatch


class PatchedTree:
    """A TreeReader for the files of a tree with the edits of some patches, the last one on top."""

    def __init__(self, tree: TreeReader, made: Sequence[MadePatch]):
        self._tree = tree
        self._edits = {edit.path: edit for patch in made for edit in patch.edits}
        self._added = [
            TreeFile(edit.path, edit.mode, Oid(""))
            for edit in self._edits.values()
            if not tree.find([str(edit.path)])
        ]

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path."""
        added = [file for file in self._added if _matches(str(file.path), patterns)]
        return sorted([*self._tree.find(patterns), *added], key=lambda file: file.path)

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file after all patches."""
        edit = self._edits.get(file.path)
        return edit.after if edit else self._tree.read(file)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(compile_glob(pattern).fullmatch(path) for pattern in patterns)
