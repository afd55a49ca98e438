# SPDX-License-Identifier: GPL-2.0-or-later
"""Group edits into patches."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product, starmap, takewhile
from pathlib import PurePosixPath

from patchgen.kernel import MaintainersSection
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Split

_ADDRESS = re.compile(r"\s*<[^>]*>")
_MAX_NAMES = 4


@dataclass(frozen=True, slots=True)
class PatchGroup:
    """The edits of one patch, sorted by path. `names` are what the files have in common."""

    names: tuple[str, ...]
    edits: tuple[FileEdit, ...]

    @property
    def name(self) -> str:
        """The names as a list for people."""
        return list_names(self.names)

    @property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """The files that the patch changes."""
        return tuple(edit.path for edit in self.edits)

    @property
    def folder(self) -> str:
        """The deepest folder that contains all of its files, "" for the top of the tree."""
        return os.path.commonpath([str(path.parent) for path in self.paths]).strip(".")


def list_names(people: Sequence[str]) -> str:
    """Return names as a list for people, without addresses; only the first of many."""
    plain = [_ADDRESS.sub("", name).strip().strip('"') for name in people]
    names = list(dict.fromkeys(plain))
    if len(names) <= _MAX_NAMES:
        return ", ".join(names)
    return ", ".join(names[: _MAX_NAMES - 1]) + f" and {len(names) - _MAX_NAMES + 1} others"


def split_edits(
    edits: Sequence[FileEdit],
    split: Split,
    owners: Mapping[PurePosixPath, MaintainersSection | None],
) -> list[PatchGroup]:
    """Assign each edit to one group; groups are sorted by their first files.

    `owners` are the sections of MAINTAINERS that the files belong to; files without one are grouped
    by folder.
    """
    groups: dict[tuple[str, ...], list[FileEdit]] = {}
    for edit in sorted(edits, key=lambda entry: entry.path):
        groups.setdefault(_choose_names(edit.path, split, owners.get(edit.path)), []).append(edit)
    return [PatchGroup(names, tuple(group)) for names, group in groups.items()]


def _choose_names(
    path: PurePosixPath, split: Split, section: MaintainersSection | None
) -> tuple[str, ...]:
    """Return the names that identify a file's group."""
    if split is Split.NONE:
        return ("everything",)
    if split is Split.FILE:
        return (str(path),)
    if split is Split.DIRECTORY or section is None:
        return (str(path.parent),)
    if split is Split.SUBSYSTEM:
        return (section.name,)
    return section.maintainers or section.lists or (section.name,)


def merge_groups(groups: Sequence[PatchGroup], limit: int) -> list[PatchGroup]:
    """Merge groups until there are at most `limit`: the smallest with its nearest neighbour.

    The nearest is the one that shares the most folders with it; of several, the smallest.
    """
    merged = list(groups)
    while len(merged) > limit:
        smallest = min(merged, key=lambda group: (len(group.edits), group.paths[0]))
        merged.remove(smallest)
        nearest = max(
            merged,
            key=lambda group: (
                _count_shared_folders(smallest, group),
                -len(group.edits),
                # Of equal groups, the first one.
                [-ord(character) for character in str(group.paths[0])],
            ),
        )
        merged.remove(nearest)
        edits = sorted((*smallest.edits, *nearest.edits), key=lambda edit: edit.path)
        names = dict.fromkeys((*nearest.names, *smallest.names))
        merged.append(PatchGroup(tuple(names), tuple(edits)))
    return sorted(merged, key=lambda group: group.paths[0])


def _count_shared_folders(one: PatchGroup, other: PatchGroup) -> int:
    """Return the largest number of leading folders that files of two groups share."""
    return max(starmap(_count_common_folders, product(one.paths, other.paths)))


def _count_common_folders(one: PurePosixPath, other: PurePosixPath) -> int:
    pairs = zip(one.parent.parts, other.parent.parts, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
