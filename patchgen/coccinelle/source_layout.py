# SPDX-License-Identifier: GPL-2.0-or-later
"""The layout of a C source: for each token its line, its column and its open parenthesis."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from patchgen.ctokens import cover_directives, split_tokens
from patchgen.linediff import LineChange, find_line_changes

TAB = 8

# Binary operators; some are unary ones, too.
BINARY = frozenset(b"&& || | & ^ + - * / % << >> == != < > <= >= ? : = += -= |= &=".split())
_NO_SPACE_AFTER = frozenset((b"(", b"[", b"!", b"~", b".", b"->"))
_NO_SPACE_BEFORE = frozenset((b")", b"]", b",", b";", b".", b"->"))
_KEYWORDS = frozenset((b"if", b"for", b"while", b"switch"))


def width_of(text: bytes) -> int:
    """Return the number of columns of a line, or of its beginning."""
    return len(text.decode("utf-8", "replace").expandtabs(TAB))


def indent_to(column: int, *, tabs: bool) -> bytes:
    """Return the white space from the first column to another one."""
    return b"\t" * (column // TAB) + b" " * (column % TAB) if tabs else b" " * column


class Unit(NamedTuple):
    """Consecutive lines that begin and end outside of parentheses: tokens and lines, inclusive."""

    first: int
    last: int
    first_line: int
    last_line: int

    @property
    def numbers(self) -> range:
        """The numbers of its tokens."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Layout:
    """The tokens of a source, but for those of preprocessor lines.

    `gaps` are the white space and comments before each token, `starts` the tokens' offsets, and
    `lines` their lines from 0. `opens` has the innermost parenthesis or bracket that is open before
    a token, by its number, or -1; that of a closing one is the one that it closes.
    """

    text: bytes
    tokens: tuple[bytes, ...]
    gaps: tuple[bytes, ...]
    starts: tuple[int, ...]
    lines: tuple[int, ...]
    opens: tuple[int, ...]

    @classmethod
    def read(cls, text: bytes) -> Layout:
        """Return the layout of a source."""
        pairs = split_tokens(cover_directives(text))
        gaps = tuple(gap for gap, _ in pairs)
        tokens = tuple(token for _, token in pairs)
        ends = list(accumulate(len(gap) + len(token) for gap, token in pairs))
        starts = tuple(end - len(token) for end, token in zip(ends, tokens, strict=True))
        newlines = list(accumulate((g + t).count(b"\n") for g, t in pairs))
        lines = tuple(n - token.count(b"\n") for n, token in zip(newlines, tokens, strict=True))
        layout = cls(text, tokens, gaps, starts, lines, ())
        return cls(text, tokens, gaps, starts, lines, tuple(layout._find_opens()))

    def _find_opens(self) -> Iterator[int]:
        stack: list[int] = []
        for number, token in enumerate(self.tokens):
            if token in (b"{", b"}") and self._is_in_first_column(number):
                # The branches of an #if may open more than they close. A function ends here.
                stack.clear()
            yield stack[-1] if stack else -1
            if token in (b"(", b"["):
                stack.append(number)
            elif token in (b")", b"]") and stack:
                stack.pop()

    def _is_in_first_column(self, number: int) -> bool:
        start = self.starts[number]
        return start == 0 or self.text[start - 1 : start] == b"\n"

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line, and that of the end of the text."""
        lengths = (len(line) + 1 for line in self.text.split(b"\n"))
        return list(accumulate(lengths, initial=0))

    def first_token_from(self, line: int) -> int:
        """Return the number of the first token on a line or after it."""
        return bisect_left(self.lines, line)

    def is_first(self, number: int) -> bool:
        """Return whether a token is the first one on its line."""
        return number == 0 or b"\n" in self.gaps[number] or b"\n" in self.tokens[number - 1]

    def continues(self, line: int) -> bool:
        """Return whether a line begins inside of parentheses, going by its first token."""
        number = self.first_token_from(line)
        return number < len(self.tokens) and self.opens[number] >= 0

    def is_string(self, number: int) -> bool:
        """Return whether a token is a string."""
        return self.tokens[number].startswith(b'"')

    def is_punctuation(self, number: int) -> bool:
        """Return whether a token only ends what is before it."""
        return self.tokens[number] in (b",", b")", b";", b"{")

    def column_of(self, number: int) -> int:
        """Return the column of a token, from 0."""
        return width_of(self.before(number))

    def before(self, number: int) -> bytes:
        """Return the text before a token on its line."""
        start = self.starts[number]
        return self.text[self.line_starts[self.lines[number]] : start]

    def width_of_line(self, line: int) -> int:
        """Return the number of columns of a line."""
        return width_of(self.text[self.line_starts[line] : self.line_starts[line + 1] - 1])

    def indent_of(self, number: int) -> int:
        """Return the column of the first token on the line of a token."""
        return self.column_of(self.first_token_from(self.lines[number]))

    def end_of(self, number: int) -> int:
        """Return the offset after a token."""
        return self.starts[number] + len(self.tokens[number])

    def find_units(self, first_line: int, end_line: int) -> Iterator[Unit]:
        """Yield the units with a token on lines from `first_line` to before `end_line`."""
        number = self.first_token_from(first_line)
        end = self.first_token_from(end_line)
        while number < end:
            following = number + 1
            while following < len(self.tokens) and not (
                self.is_first(following) and self.opens[following] < 0
            ):
                following += 1
            last = following - 1
            yield Unit(number, last, self.lines[number], self.lines[last])
            number = following


def match_tokens(old: Layout, new: Layout, olds: range, news: range) -> dict[int, int]:
    """Return the numbers of new tokens with those of the same tokens in the old text, in order."""
    old_by_new: dict[int, int] = {}
    i = j = 0
    changes = find_line_changes(
        old.tokens[olds.start : olds.stop], new.tokens[news.start : news.stop]
    )
    for change in [*changes, LineChange(len(olds), len(olds), len(news), len(news))]:
        while i < change.old_start:
            old_by_new[news.start + j] = olds.start + i
            i, j = i + 1, j + 1
        i, j = change.old_end, change.new_end
    return old_by_new


def may_break(layout: Layout, number: int) -> bool:
    """Return whether a line may be broken before a token, and two lines joined there."""
    before, token = layout.tokens[number - 1], layout.tokens[number]
    if before == b"(" or token in (b")", b"]"):
        return False
    if before in BINARY:
        return number > 1 and _ends_operand(layout.tokens[number - 2])
    is_loop = before == b";" and layout.opens[number] >= 0
    return before == b"," or is_loop or (token in BINARY and _ends_operand(before))


def _ends_operand(token: bytes) -> bool:
    return token in (b")", b"]") or token[-1:].isalnum() or token[-1:] in b"_\"'"


def space_before(layout: Layout, number: int) -> bytes:
    """Return the space before a token if it is on the line of the one before it."""
    before, token = layout.tokens[number - 1], layout.tokens[number]
    gap = layout.gaps[number]
    if b"\n" not in gap:
        return gap
    return b"" if before in _NO_SPACE_AFTER or token in _NO_SPACE_BEFORE else b" "


def add_space(layout: Layout, number: int) -> bytes:
    """Return a space where spatch forgets it."""
    before, token = layout.tokens[number - 1], layout.tokens[number]
    follows_comma = before == b"," and token not in _NO_SPACE_BEFORE
    is_head = token == b"(" and before in _KEYWORDS
    return b" " if follows_comma or is_head or (token == b"{" and before == b")") else b""
