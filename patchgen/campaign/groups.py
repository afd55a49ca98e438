# SPDX-License-Identifier: GPL-2.0-or-later
"""Group edits into patches."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from patchgen.kernel import MaintainersSection, SourceTree
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Split

_ADDRESS = re.compile(r"\s*<[^>]*>")
_MAX_NAMES = 4
# The names of the group of files without a tree.
_NO_TREE = ("no tree of its own",)


@dataclass(frozen=True, slots=True)
class PatchGroup:
    """The edits of one patch, sorted by path.

    `names` identify what the files have in common: a tree, a maintainer, a folder, ... `trees` are
    those that take patches for the files, with None for files without one.
    """

    names: tuple[str, ...]
    edits: tuple[FileEdit, ...]
    trees: frozenset[SourceTree | None] = frozenset()

    @property
    def is_leftover(self) -> bool:
        """Whether these are the files without a tree in a split by trees."""
        return self.names == _NO_TREE

    @property
    def tree(self) -> SourceTree | None:
        """The tree of all of its files, None if these have several trees, or no tree."""
        return next(iter(self.trees)) if len(self.trees) == 1 else None

    @property
    def name(self) -> str:
        """The names as one text."""
        return list_names(self.names)

    @property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """The files that the patch changes."""
        return tuple(edit.path for edit in self.edits)

    @property
    def folder(self) -> str:
        """The deepest folder that contains all of its files, "" for the top of the tree."""
        folder = os.path.commonpath([path.parent for path in self.paths])
        return "" if folder == "." else folder


def list_names(names: Sequence[str]) -> str:
    """Return names as one text, without addresses; only the first of many."""
    plain = (_ADDRESS.sub("", name).strip().strip('"') for name in names)
    names = list(dict.fromkeys(plain))
    if len(names) <= _MAX_NAMES:
        return ", ".join(names)
    return ", ".join(names[: _MAX_NAMES - 1]) + f" and {len(names) - _MAX_NAMES + 1} others"


def split_edits(
    edits: Sequence[FileEdit],
    split: Split,
    owners: Mapping[PurePosixPath, MaintainersSection | None],
    trees: Mapping[PurePosixPath, SourceTree | None] = MappingProxyType({}),
) -> list[PatchGroup]:
    """Assign each edit to one group; groups are sorted by their first files, leftovers come last.

    `owners` are the sections of MAINTAINERS that the files belong to; files without one are grouped
    by folder. `trees` are the git trees that take the files' patches.
    """
    groups: dict[tuple[str, ...], list[FileEdit]] = {}
    for edit in sorted(edits, key=lambda entry: entry.path):
        names = (
            _name_tree(trees.get(edit.path))
            if split is Split.TREE
            else _choose_names(edit.path, split, owners.get(edit.path))
        )
        groups.setdefault(names, []).append(edit)
    patches = [
        PatchGroup(names, tuple(group), frozenset(trees.get(edit.path) for edit in group))
        for names, group in groups.items()
    ]
    return sorted(patches, key=lambda group: group.is_leftover)


def _name_tree(tree: SourceTree | None) -> tuple[str, ...]:
    return (tree.name, tree.location) if tree else _NO_TREE


def _choose_names(
    path: PurePosixPath, split: Split, section: MaintainersSection | None
) -> tuple[str, ...]:
    """Return the names that identify a file's group in a split other than by trees."""
    if split is Split.NONE:
        return ("everything",)
    if split is Split.FILE:
        return (str(path),)
    if split is Split.DIRECTORY or section is None:
        return (str(path.parent),)
    if split is Split.SUBSYSTEM:
        return (section.name,)
    return section.maintainers or section.lists or (section.name,)
