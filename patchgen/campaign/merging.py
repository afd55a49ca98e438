# SPDX-License-Identifier: GPL-2.0-or-later
"""Join small patches of a campaign, but never those of two git trees."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from patchgen.campaign.groups import PatchGroup
from patchgen.kernel import SourceTree

# The trees of a group, since only groups of the same trees may be joined, and a folder.
_Place = tuple[frozenset[SourceTree | None], str]


def merge_groups(groups: Sequence[PatchGroup], limit: int) -> list[PatchGroup]:
    """Join groups until there are at most `limit`: the smallest with its nearest neighbour.

    The nearest is the one that shares the most folders with it; of several, the smallest. Only
    groups of the same trees are joined, so more than `limit` may remain.
    """
    merger = _Merger(groups)
    merger.reduce(limit)
    return sorted(merger.groups.values(), key=lambda group: (group.is_leftover, group.paths[0]))


class _Merger:
    """The groups by number, and the groups that have files below each folder."""

    def __init__(self, groups: Sequence[PatchGroup]):
        self.groups = dict(enumerate(groups))
        self._next = len(groups)
        self._by_place: defaultdict[_Place, set[int]] = defaultdict(set)
        self._queue: list[tuple[int, str, int]] = []
        for number in self.groups:
            self._insert(number)

    def reduce(self, limit: int) -> None:
        """Join groups until there are at most `limit`, or until no two may be joined."""
        while len(self.groups) > limit and self._queue:
            number = heapq.heappop(self._queue)[-1]
            if number not in self.groups:
                continue
            smallest = self._remove(number)
            nearest = self._find_nearest(smallest)
            if nearest is None:
                # No other group has these trees.
                self.groups[number] = smallest
                continue
            self.groups[self._next] = _join(self._remove(nearest), smallest)
            self._insert(self._next)
            self._next += 1

    def _insert(self, number: int) -> None:
        group = self.groups[number]
        for place in _list_places(group):
            self._by_place[place].add(number)
        heapq.heappush(self._queue, (*self._rank(number), number))

    def _remove(self, number: int) -> PatchGroup:
        group = self.groups.pop(number)
        for place in _list_places(group):
            self._by_place[place].discard(number)
        return group

    def _find_nearest(self, group: PatchGroup) -> int | None:
        places = sorted(_list_places(group), key=lambda place: -_depth(place[1]))
        depth, nearest = -1, set[int]()
        for place in places:
            if nearest and _depth(place[1]) < depth:
                break
            depth = _depth(place[1])
            nearest |= self._by_place[place]
        return min(nearest, key=self._rank, default=None)

    def _rank(self, number: int) -> tuple[int, str]:
        group = self.groups[number]
        return len(group.edits), str(group.paths[0])


def _list_places(group: PatchGroup) -> set[_Place]:
    """Return the folders with files of a group, and the folders above them."""
    folders = {path.parent for path in group.paths}
    return {(group.trees, str(above)) for folder in folders for above in (folder, *folder.parents)}


def _depth(folder: str) -> int:
    return 0 if folder == "." else folder.count("/") + 1


def _join(one: PatchGroup, other: PatchGroup) -> PatchGroup:
    edits = sorted((*one.edits, *other.edits), key=lambda edit: edit.path)
    names = dict.fromkeys((*one.names, *other.names))
    return PatchGroup(tuple(names), tuple(edits), one.trees)
