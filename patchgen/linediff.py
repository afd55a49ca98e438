# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the lines that differ between two versions of a text; the work grows with the differences.

E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (Algorithmica 1, 1986), as in git.
difflib compares all pairs of equal lines, which takes minutes for a table of a thousand `},`.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

_Lines = Sequence[Hashable]

# After so many differences, the remaining lines of a part are reported as one change.
_MAX_DIFFERENCES = 1000
_COMPARED_AT_ONCE = 1 << 10


class LineChange(NamedTuple):
    """The lines from `start` to `end` of the old text became those of the new text.

    Lines count from 0, and the ends are exclusive.
    """

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines with their ends; only a line feed ends a line, as in git."""
    return io.BytesIO(content).readlines()


def find_line_changes(old: _Lines, new: _Lines) -> list[LineChange]:
    """Return the changes that make `old` into `new`, in order.

    All other lines are equal, and at least one such line is between two changes. Like git, report
    lines that were inserted among equal ones, or deleted, as late as possible.
    """
    head = _count_common(old, new)
    tail = _count_common(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    changes: list[LineChange] = []
    i = j = 0
    for x, y in [*_find_equal(old_middle, new_middle), (len(old_middle), len(new_middle))]:
        if i < x or j < y:
            changes.append(LineChange(head + i, head + x, head + j, head + y))
        i, j = x + 1, y + 1
    return _slide_down(changes, old, new)


def _count_common(old: _Lines, new: _Lines) -> int:
    """Return how many lines are equal at the beginning. Most are, and slices are compared fast."""
    count = 0
    step = _COMPARED_AT_ONCE
    while step:
        while count + step <= min(len(old), len(new)) and (
            old[count : count + step] == new[count : count + step]
        ):
            count += step
        step //= 2
    return count


def _find_equal(old: _Lines, new: _Lines) -> Iterator[tuple[int, int]]:
    """Yield the numbers of lines that stay the same, in both texts, in order."""
    i = j = 0
    for x, y in [*_find_anchors(old, new), (len(old), len(new))]:
        while i < x and j < y and old[i] == new[j]:
            yield i, j
            i, j = i + 1, j + 1
        tail = 0
        while i < x - tail and j < y - tail and old[x - tail - 1] == new[y - tail - 1]:
            tail += 1
        for k, m in _find_longest_common(old[i : x - tail], new[j : y - tail]):
            yield i + k, j + m
        yield from zip(range(x - tail, x), range(y - tail, y), strict=True)
        if x < len(old) and y < len(new):
            yield x, y
        i, j = x + 1, y + 1


def _find_anchors(old: _Lines, new: _Lines) -> list[tuple[int, int]]:
    """Return pairs of equal lines that are unique in both texts, ascending in both.

    They cut the texts into short parts. The pairs are the longest such sequence (patience sorting).
    """
    where = _find_unique(new)
    pairs = [(i, where[line]) for line, i in _find_unique(old).items() if line in where]
    lowest: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(lowest, j)
        lowest[pile : pile + 1] = [j]
        ends[pile : pile + 1] = [number]
        previous.append(ends[pile - 1] if pile else -1)
    anchors = []
    number = ends[-1] if ends else -1
    while number >= 0:
        anchors.append(pairs[number])
        number = previous[number]
    return anchors[::-1]


def _find_unique(lines: _Lines) -> dict[Hashable, int]:
    """Return the numbers of the lines that occur only once."""
    numbers: dict[Hashable, int] = {}
    repeated = set()
    for number, line in enumerate(lines):
        if numbers.setdefault(line, number) != number:
            repeated.add(line)
    return {line: number for line, number in numbers.items() if line not in repeated}


def _find_longest_common(old: _Lines, new: _Lines) -> list[tuple[int, int]]:
    """Return the pairs of a longest common subsequence, by Myers' greedy algorithm.

    `rows[d][i]` is the furthest line of `old` that d differences reach on the diagonal 2 * i - d
    (old minus new).
    """
    if not old or not new:
        return []
    rows: list[list[int]] = []
    for differences in range(min(len(old) + len(new), _MAX_DIFFERENCES) + 1):
        row: list[int] = []
        for i in range(differences + 1):
            x = _step(rows[-1], i)[0] if rows else 0
            y = x - 2 * i + differences
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            if x >= len(old) and y >= len(new):
                return _walk_back(rows, len(old), len(new))
            row.append(x)
        rows.append(row)
    last = rows.pop()
    ends = [(x, x - 2 * i + len(rows)) for i, x in enumerate(last)]
    return _walk_back(
        rows, *max((end for end in ends if end[0] <= len(old) and end[1] <= len(new)), key=sum)
    )


def _step(row: Sequence[int], i: int) -> tuple[int, bool]:
    """Return where entry i of the next row begins, and whether it inserts a line or deletes one."""
    if i == 0 or (i < len(row) and row[i - 1] < row[i]):
        return row[i], True
    return row[i - 1] + 1, False


def _walk_back(rows: Sequence[Sequence[int]], x: int, y: int) -> list[tuple[int, int]]:
    """Return the pairs of equal lines on the way that led to x and y, in order.

    `rows` are those of fewer differences than this way has.
    """
    pairs: list[tuple[int, int]] = []
    for differences in range(len(rows), 0, -1):
        begin_x, inserts = _step(rows[differences - 1], (x - y + differences) // 2)
        begin_y = begin_x - x + y
        pairs += zip(range(x - 1, begin_x - 1, -1), range(y - 1, begin_y - 1, -1), strict=True)
        x, y = (begin_x, begin_y - 1) if inserts else (begin_x - 1, begin_y)
    pairs += zip(range(x - 1, -1, -1), range(y - 1, -1, -1), strict=True)
    return pairs[::-1]


def _slide_down(changes: list[LineChange], old: _Lines, new: _Lines) -> list[LineChange]:
    """Move pure insertions and deletions towards the end while the text stays the same."""
    slid: list[LineChange] = []
    for change in reversed(changes):
        i, x, j, y = change
        limit = slid[-1].old_start if slid else len(old)
        text, start, end = (new, j, y) if i == x else (old, i, x)
        while (i == x or j == y) and x < limit and text[start] == text[end]:
            i, x, j, y, start, end = i + 1, x + 1, j + 1, y + 1, start + 1, end + 1
        if slid and x == limit:
            after = slid.pop()
            x, y = after.old_end, after.new_end
        slid.append(LineChange(i, x, j, y))
    return slid[::-1]
