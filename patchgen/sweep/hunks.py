# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the lines that differ between two versions of a file, and format them as a diff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from patchgen.linediff import find_line_changes, split_lines
from patchgen.model.series import FileEdit
from patchgen.quoting import quote_name

# As in `diff -u` and git.
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class LineHunk:
    """Lines that replace others, without context.

    `start` counts from 1: the first line of `before` or, if that is empty, the line before which
    `after` is inserted. Lines include their line ends.
    """

    start: int
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The line after the last one of `before`."""
        return self.start + len(self.before)


def find_hunks(before: bytes, after: bytes) -> Iterator[LineHunk]:
    """Yield the hunks in which two versions of a file differ, in the order of lines."""
    return _find_hunks(split_lines(before), split_lines(after))


def group_hunks(
    hunks: Iterable[LineHunk], belong: Callable[[LineHunk, LineHunk], bool]
) -> Iterator[list[LineHunk]]:
    """Yield groups of neighbouring hunks, each of which belongs to the one before it."""
    group: list[LineHunk] = []
    for hunk in hunks:
        if group and not belong(group[-1], hunk):
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _find_hunks(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[LineHunk]:
    for i, j, k, m in find_line_changes(old, new):
        yield LineHunk(i + 1, tuple(old[i:j]), tuple(new[k:m]))


def format_diff(edit: FileEdit) -> str:
    """Return a diff for `git apply`; bytes that are not UTF-8 are surrogates in it."""
    old = split_lines(edit.before or b"")
    pieces = [_format_header(str(edit.path))]
    added = 0
    for group in group_hunks(_find_hunks(old, split_lines(edit.after)), _have_common_context):
        start = max(1, group[0].start - _CONTEXT)
        end = min(len(old) + 1, group[-1].end + _CONTEXT)
        growth = sum(len(hunk.after) - len(hunk.before) for hunk in group)
        old_range = _format_range(start, end - start)
        new_range = _format_range(start + added, end - start + growth)
        pieces.append(f"@@ -{old_range} +{new_range} @@\n")
        added += growth
        at = start
        for hunk in group:
            pieces += _mark_lines(" ", old[at - 1 : hunk.start - 1])
            pieces += _mark_lines("-", hunk.before)
            pieces += _mark_lines("+", hunk.after)
            at = hunk.end
        pieces += _mark_lines(" ", old[at - 1 : end - 1])
    return "".join(pieces)


def _format_header(path: str) -> str:
    before, after = quote_name(f"a/{path}"), quote_name(f"b/{path}")
    # Like git: a tab ends a name that contains a space.
    end = "\t\n" if " " in path else "\n"
    return f"diff --git {before} {after}\n--- {before}{end}+++ {after}{end}"


def _have_common_context(one: LineHunk, following: LineHunk) -> bool:
    return following.start - one.end <= 2 * _CONTEXT


def _format_range(start: int, length: int) -> str:
    """Return a hunk's range; an empty one names the line before it (diff(1), unified format)."""
    return f"{start}" if length == 1 else f"{start if length else start - 1},{length}"


def _mark_lines(mark: str, lines: Sequence[bytes]) -> Iterator[str]:
    for line in lines:
        text = mark + line.decode("utf-8", "surrogateescape")
        yield text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n"
