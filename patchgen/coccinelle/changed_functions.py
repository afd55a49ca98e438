# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of a file that a rule changed, in their old and their new text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from patchgen.linediff import LineChange, find_line_changes


class ChangedFunctions(NamedTuple):
    """Whole functions with changed lines: those of the new text from `first` to before `end`."""

    first: int
    end: int
    before: bytes
    after: bytes


def find_changed_functions(before: bytes, after: bytes) -> Iterator[ChangedFunctions]:
    """Yield the functions that have lines that are not in the old text, in order."""
    old, new = before.split(b"\n"), after.split(b"\n")
    changes = find_line_changes(old, new)
    for first, end in _find_parts(new, changes):
        old_first, old_end = find_old_lines(changes, first, end)
        yield ChangedFunctions(
            first, end, b"\n".join(old[old_first:old_end]), b"\n".join(new[first:end])
        )


def _find_parts(lines: Sequence[bytes], changes: Sequence[LineChange]) -> Sequence[tuple[int, int]]:
    """Return the lines of whole functions with changed lines; no others have to be read."""
    ends = [0, *(number + 1 for number, line in enumerate(lines) if line == b"}"), len(lines)]
    parts: list[tuple[int, int]] = []
    for change in changes:
        if change.new_start == change.new_end:
            continue
        first = ends[bisect_right(ends, change.new_start) - 1]
        if parts and first < parts[-1][1]:
            # A change may begin in one function and end in another.
            first, _ = parts.pop()
        parts.append((first, ends[bisect_left(ends, change.new_end)]))
    return parts


def find_old_lines(changes: Sequence[LineChange], first: int, end: int) -> tuple[int, int]:
    """Return the old lines that became those from `first` to before `end`."""
    starts = [change.new_start for change in changes]
    growth = list(accumulate(map(_growth, changes), initial=0))
    following = bisect_left(starts, end)
    if following < len(changes) and changes[following].new_end == end:
        # Lines that were deleted at the end belong to them.
        following += 1
    return first - growth[bisect_left(starts, first)], end - growth[following]


def _growth(change: LineChange) -> int:
    return (change.new_end - change.new_start) - (change.old_end - change.old_start)
