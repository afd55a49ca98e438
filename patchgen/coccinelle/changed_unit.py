# SPDX-License-Identifier: GPL-2.0-or-later
"""A statement that a rule changed, with its layout in the original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from patchgen.coccinelle.source_layout import TAB, Layout, Unit, may_break
from patchgen.ctokens import is_word

# Lines of the kernel have up to 80 columns where that is readable; checkpatch.pl warns above 100.
PREFERRED = 80
LONGEST = 100

# The tokens before an argument.
_STARTS = (b"(", b",")


@dataclass(frozen=True, slots=True)
class ChangedUnit:
    """A unit of the new text, with its old text.

    `old_by_new` maps the numbers of new tokens to those of the same tokens in the old text,
    `new_by_old` the reverse. `olds` are the old tokens that became the unit, `changed_lines` the
    lines of the new text that the rule changed. `width` is the preferred number of columns.
    """

    old: Layout
    new: Layout
    unit: Unit
    old_by_new: Mapping[int, int]
    new_by_old: Mapping[int, int]
    olds: range
    changed_lines: set[int]
    width: int

    def find_old_gap(self, number: int) -> int | None:
        """Return the old token after the gap that is now before a new token, None if it is new.

        Tokens may be inserted, deleted or replaced there.
        """
        before, after = self.old_by_new.get(number - 1), self.old_by_new.get(number)
        if after is not None and before is not None:
            if after == before + 1:
                return after
            broken = [other for other in range(after, before, -1) if self.old.is_first(other)]
            return broken[0] if broken and may_break(self.new, number) else None
        if after is not None:
            if after - 1 in self.olds and after - 1 not in self.new_by_old:
                return after
            return after if self.old.is_first(after) and may_break(self.new, number) else None
        if before is not None and before + 1 in self.olds:
            following = self.new_by_old.get(before + 1)
            if following is None or not may_break(self.new, following):
                return before + 1
        return None

    def is_certain(self, number: int) -> bool:
        """Return whether a gap is next to no more than one replaced token."""
        before, after = self.old_by_new.get(number - 1), self.old_by_new.get(number)
        if before is not None and after is not None:
            return True
        if before is None and after is None:
            return False
        if before is not None:
            return before + 1 in self.new_by_old or (
                self.old_by_new.get(number + 1) == before + 2 or number == self.unit.last
            )
        assert after is not None
        return after - 1 in self.new_by_old or self.old_by_new.get(number - 2) == after - 2

    def has_same_words(self, number: int) -> bool:
        """Return whether the tokens around a gap are the old ones, or words as these are."""
        if number - 1 in self.old_by_new and number not in self.old_by_new:
            # A cast, or a star, before a name.
            old = self.old.tokens[self.old_by_new[number - 1] + 1]
            return is_word(old) and is_word(self.new.tokens[number])
        return number in self.old_by_new and number - 1 in self.old_by_new

    def find_column(self, number: int, old_number: int, indent: int) -> int | None:
        """Return the column of a line that begins with a new token, as an old line did.

        None if it is aligned. `indent` is the column of the unit.
        """
        old = self.old
        if self.new.tokens[number - 1] in _STARTS and old.tokens[old_number - 1] not in _STARTS:
            # An operand that became an argument gets the column of the arguments.
            arguments = [
                other
                for other in self.olds
                if old.opens[other] == old.opens[old_number]
                and old.tokens[other - 1] in _STARTS
                and old.is_first(other)
            ]
            if not arguments:
                return None
            old_number = arguments[0]
        return self.column_from_old(old_number, indent)

    def column_from_old(self, old_number: int, indent: int) -> int | None:
        """Return the column of a line that began with an old token, None if it was aligned.

        `indent` is the column of the unit.
        """
        column, opened = self.old.column_of(old_number), self.old.opens[old_number]
        if opened >= 0 and column == self.old.column_of(opened) + 1:
            return None
        outermost = old_number
        while self.old.opens[outermost] >= 0:
            outermost = self.old.opens[outermost]
        return max(0, column + indent - self.old.indent_of(outermost))

    def uses_tabs(self) -> bool:
        """Return whether the old lines are indented with tabs."""
        old = self.old
        indents = [old.before(number) for number in self.olds if old.is_first(number)]
        if any(b"\t" in indent for indent in indents):
            return True
        if any(len(indent) >= TAB for indent in indents):
            return False
        return b"\n\t" in old.text or b"\n" + b" " * TAB not in old.text

    def had_each_comma_broken(self) -> bool:
        """Return whether each argument had a line of its own."""
        old, olds = self.old, self.olds
        after_commas = [number for number in olds[1:] if old.tokens[number - 1] == b","]
        outermost = min((old.opens[number] for number in after_commas), default=-1)
        group = [number for number in after_commas if old.opens[number] == outermost]
        return len(group) > 1 and all(map(old.is_first, group))

    def find_limits(self) -> tuple[int, int]:
        """Return the width that lines may have, and that of lines that end in a string."""
        old = self.old
        ends: dict[int, int] = {}
        for number in self.olds:
            if not old.is_punctuation(number):
                ends[old.lines[number]] = number
        widths = [(old.width_of_line(line), old.is_string(end)) for line, end in ends.items()]
        code = max((width for width, is_string in widths if not is_string), default=0)
        text = max((width for width, _ in widths), default=0)
        limit = self.width if code <= self.width else max(self.width, LONGEST)
        if text > LONGEST:
            return limit, 1 << 30
        return limit, max(limit, self.width if text <= self.width else LONGEST)
