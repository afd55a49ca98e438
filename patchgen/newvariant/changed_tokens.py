# SPDX-License-Identifier: GPL-2.0-or-later
"""The C tokens that differ between two versions of a file, with their places in both."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate
from pathlib import PurePosixPath
from typing import NamedTuple

from patchgen.ctokens import BRACKETS, find_closing, split_tokens
from patchgen.linediff import find_line_changes, split_lines

# The time to compare two runs of tokens grows with the product of their lengths.
_MOST_COMPARED = 1 << 20


class Tokens:
    """The tokens of a text, with the gaps before them and the offsets of their ends."""

    def __init__(self, source: bytes):
        self.source = source
        parts = split_tokens(source)
        self.texts = [text for _, text in parts]
        self.ends = list(accumulate(len(gap) + len(text) for gap, text in parts))
        self.gaps = [gap for gap, _ in parts]

    def cut(self, start: int, end: int) -> bytes:
        """Return the source of the tokens from `start` up to `end`, which is greater."""
        return self.source[self.ends[start] - len(self.texts[start]) : self.ends[end - 1]]

    def spans_lines(self, start: int, end: int) -> bool:
        """Return whether a token continues on the next line, which SmPL would read as one of its
        own lines.
        """
        return any(b"\n" in text for text in self.texts[start:end])

    def show(self, start: int, end: int) -> str:
        """Return the source of some tokens on one line, without comments."""
        gaps = [b"", *self.gaps[start + 1 : end]]
        parts = zip(gaps, self.texts[start:end], strict=True)
        return "".join(
            (" " if gap else "") + text.decode("utf-8", "replace") for gap, text in parts
        )

    def range_of(self, start: int, end: int) -> tuple[int, int]:
        """Return the indices of the tokens that end between two offsets; the end is exclusive."""
        return bisect_left(self.ends, start + 1), bisect_left(self.ends, end + 1)


class TokenChange(NamedTuple):
    """A range of tokens in the old text, and the range that replaces it; the ends are exclusive."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True)
class ChangedFile:
    """A C file before and after a change."""

    path: PurePosixPath
    before: bytes
    after: bytes

    @cached_property
    def old(self) -> Tokens:
        """The tokens before."""
        return Tokens(self.before)

    @cached_property
    def new(self) -> Tokens:
        """The tokens after."""
        return Tokens(self.after)

    def list_hunks(self) -> Iterator[TokenChange]:
        """Yield the tokens of each run of changed lines."""
        old_lines, new_lines = split_lines(self.before), split_lines(self.after)
        old_ends, new_ends = ([0, *accumulate(map(len, each))] for each in (old_lines, new_lines))
        for change in find_line_changes(old_lines, new_lines):
            yield TokenChange(
                *self.old.range_of(old_ends[change.old_start], old_ends[change.old_end]),
                *self.new.range_of(new_ends[change.new_start], new_ends[change.new_end]),
            )

    def list_changes(self, hunk: TokenChange) -> Iterator[TokenChange]:
        """Yield the tokens that differ within a hunk, or all of a hunk too long to compare."""
        old = self.old.texts[hunk.old_start : hunk.old_end]
        new = self.new.texts[hunk.new_start : hunk.new_end]
        if len(old) * len(new) > _MOST_COMPARED:
            yield hunk
            return
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        for kind, i1, i2, j1, j2 in matcher.get_opcodes():
            if kind != "equal":
                old_at, new_at = hunk.old_start, hunk.new_start
                yield TokenChange(old_at + i1, old_at + i2, new_at + j1, new_at + j2)


def split_arguments(tokens: Sequence[bytes], opening: int) -> list[tuple[int, int]] | None:
    """Return the range of tokens of each argument of a call, None if the call is not closed.

    `opening` is the index of the opening parenthesis.
    """
    closing = find_closing(tokens, opening)
    if closing is None:
        return None
    if closing == opening + 1:
        return []
    arguments = []
    start, depth = opening + 1, 0
    for at in range(opening + 1, closing):
        depth += BRACKETS.get(tokens[at], 0)
        if tokens[at] == b"," and depth == 0:
            arguments.append((start, at))
            start = at + 1
    return [*arguments, (start, closing)]
