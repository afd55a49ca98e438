# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the line breaks and the columns of one statement that a rule changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from patchgen.coccinelle.changed_unit import ChangedUnit
from patchgen.coccinelle.source_layout import (
    BINARY,
    TAB,
    Layout,
    add_space,
    indent_to,
    may_break,
    space_before,
    width_of,
)

# The work grows with the square of the tokens. Real statements have some hundred.
_MAX_TOKENS = 2000
_MAX_LINE = 2000


def lay_out(changed: ChangedUnit) -> bytes | None:
    """Return the unit's lines in the kernel's style, without the last line end.

    None if it has something between its tokens that must not move.
    """
    new, unit = changed.new, changed.unit
    if unit.last - unit.first > _MAX_TOKENS or len(new.before(unit.last)) > _MAX_LINE:
        return None
    if not all(_is_plain(new, unit.first, number) for number in unit.numbers[1:]):
        return None
    statement = _StatementLayout.start(changed)
    statement.choose()
    return statement.write()


def _is_plain(new: Layout, first: int, number: int) -> bool:
    """Return whether the gap before a token may be changed."""
    gap, token = new.gaps[number], new.tokens[number]
    comment, newline, following = gap.partition(b"\n")
    if b"//" in gap or b"\\" in gap or b"\n" in token or (newline and following.strip()):
        return False
    if b"/*" in comment and b"*/" not in comment:
        return False
    opened = new.opens[number]
    if opened < first or token not in (b"{", b"}", b";"):
        return True
    return token == b";" and opened > first and new.tokens[opened - 1] == b"for"


class _Break(NamedTuple):
    """A line break: its column, None to align it, and whether the lines may be joined there."""

    column: int | None
    is_optional: bool


@dataclass(slots=True)
class _StatementLayout:
    """The statement while its breaks are chosen; a break has the number of the token after it."""

    changed: ChangedUnit
    indent: int
    tabs: bool
    limits: tuple[int, int]
    breaks: dict[int, _Break] = field(default_factory=dict)
    columns: dict[int, int] = field(default_factory=dict)

    @classmethod
    def start(cls, changed: ChangedUnit) -> _StatementLayout:
        """Return a statement with the breaks of the old text, as far as it has them."""
        indent = width_of(changed.new.before(changed.unit.first))
        statement = cls(changed, indent, changed.uses_tabs(), changed.find_limits())
        for number in changed.unit.numbers[1:]:
            if statement._begins_statement(number):
                statement.breaks[number] = _Break(indent, is_optional=False)
            elif not statement._is_new_brace(number):
                found = statement._find_break(number)
                if found is not None:
                    statement.breaks[number] = found
        if not all(map(changed.is_certain, statement.breaks)):
            statement._forget_breaks()
        return statement

    def _forget_breaks(self) -> None:
        """Remove the breaks: too much has changed to find their old places."""
        new, unit = self.changed.new, self.changed.unit
        for number in [other for other, found in self.breaks.items() if found.is_optional]:
            del self.breaks[number]
        if self.changed.had_each_comma_broken():
            for number in unit.numbers[1:]:
                if new.tokens[number - 1] == b"," and self._depth(number) == 1:
                    self.breaks[number] = _Break(None, is_optional=True)

    def _find_break(self, number: int) -> _Break | None:
        """Return the break before a token; None if there was none, or one of spatch's own."""
        new, old_number = self.changed.new, self.changed.find_old_gap(number)
        is_optional = may_break(new, number)
        if old_number is not None:
            if not self.changed.old.is_first(old_number):
                return None
            column = self.changed.find_column(number, old_number, self.indent)
            if column is not None or new.opens[number] >= self.changed.unit.first:
                return _Break(column, is_optional)
            # The rule removed its parentheses.
            return None if is_optional else _Break(self.indent + TAB, is_optional)
        if self._begins_body(number):
            # spatch prints `else call();` where a rule removed an `if` after an `else`.
            bodies = sum(not found.is_optional for found in self.breaks.values())
            return _Break(self.indent + TAB * (bodies + 1), is_optional=False)
        if not new.is_first(number) or is_optional:
            return None
        return _Break(None if new.opens[number] >= 0 else new.column_of(number), is_optional=False)

    def _begins_statement(self, number: int) -> bool:
        """Return whether a rule put a statement after another one, on the same line."""
        new, old_by_new = self.changed.new, self.changed.old_by_new
        if number in old_by_new and number - 1 in old_by_new:
            return False
        ends = new.tokens[number - 1] == b";" and new.opens[number] < self.changed.unit.first
        return ends and new.tokens[number] != b"}"

    def _is_new_brace(self, number: int) -> bool:
        """Return whether a brace was put into the gap before a statement that had none."""
        return self.changed.new.tokens[number] == b"{" and number not in self.changed.old_by_new

    def _begins_body(self, number: int) -> bool:
        """Return whether a token begins a statement that a branch or a loop did not have."""
        new, old_by_new = self.changed.new, self.changed.old_by_new
        before, token = new.tokens[number - 1], new.tokens[number]
        is_old = number in old_by_new and old_by_new.get(number - 1) == old_by_new[number] - 1
        if is_old or token in (b"{", b";"):
            return False
        if before == b"else":
            return token != b"if"
        opened = new.opens[number - 1]
        is_head = before == b")" and opened > self.changed.unit.first
        return is_head and new.tokens[opened - 1] in (b"if", b"for", b"while")

    def choose(self) -> None:
        """Join the lines if they fit, else break those that are too long."""
        changed, unit = self.changed, self.changed.unit
        was_broken = any(changed.old.is_first(number) for number in changed.olds[1:])
        if (
            all(found.is_optional for found in self.breaks.values())
            and (not was_broken or self._width(changed.old, changed.olds) > changed.width)
            and self._width(changed.new, unit.numbers) <= changed.width
        ):
            self.breaks.clear()
        self._place()
        for _ in unit.numbers:
            number = self._find_new_break()
            if number is None:
                return
            column = self._column_in_group(number)
            self._refill(number)
            self.breaks[number] = _Break(column, is_optional=True)
            self._align_moved(number)
            self._place()

    def _align_moved(self, start: int) -> None:
        """Align what is in parentheses of a new line: its columns were for their old place."""
        new, next_line = self.changed.new, self.changed.unit.last + 1
        next_line = min((number for number in self.breaks if number > start), default=next_line)
        for number, found in self.breaks.items():
            opened = new.opens[number]
            if start <= opened < next_line and opened + 1 not in self.breaks:
                self.breaks[number] = found._replace(column=None)

    def _width(self, layout: Layout, numbers: range) -> int:
        """Return the width of tokens on one line."""
        following = numbers[1:]
        spaces = (space_before(layout, number) for number in following)
        tokens = (layout.tokens[number] for number in numbers)
        return self.indent + sum(map(len, spaces)) + sum(map(_width_of_token, tokens))

    def _place(self) -> None:
        """Determine the column of each token."""
        new, unit = self.changed.new, self.changed.unit
        column = self.indent
        for number in unit.numbers:
            if number in self.breaks:
                column = self._column_at(number)
            elif number > unit.first:
                column = width_of(b" " * column + self._gap(number))
            self.columns[number] = column
            column += _width_of_token(new.tokens[number])

    def _column_at(self, number: int) -> int:
        """Return the column of a token after a break; the tokens before it are placed."""
        column, opened = self.breaks[number].column, self.changed.new.opens[number]
        if column is not None or opened < self.changed.unit.first:
            return column or 0
        return self.columns[opened] + 1

    def _find_new_break(self) -> int | None:
        """Return where to break the first line that is too long and can be shorter."""
        unit, new = self.changed.unit, self.changed.new
        starts = [unit.first, *sorted(self.breaks), unit.last + 1]
        for start, end in pairwise(starts):
            if self._fits(end - 1):
                continue
            places = list(filter(self._helps_to_break, range(start + 1, end)))
            fitting = [place for place in places if self._fits(place - 1)]
            if fitting:
                # Do not break within an argument if that can be avoided.
                return min(
                    fitting,
                    key=lambda place: (self._depth(place), new.tokens[place - 1] != b",", -place),
                )
            if places:
                return places[0]
        return None

    def _fits(self, last: int) -> bool:
        """Return whether a line may end with a token."""
        new, (limit, text_limit) = self.changed.new, self.limits
        while new.is_punctuation(last) and last > self.changed.unit.first:
            last -= 1
        end = self._end_of_line(last)
        return end <= limit or (new.is_string(last) and end <= text_limit)

    def _end_of_line(self, number: int) -> int:
        """Return the column after a token and the punctuation that follows it."""
        new = self.changed.new
        following = number + 1
        while (
            following <= self.changed.unit.last
            and new.is_punctuation(following)
            and following not in self.breaks
        ):
            following += 1
        return self._end_of(following - 1)

    def _helps_to_break(self, number: int) -> bool:
        new = self.changed.new
        is_place = may_break(new, number) and new.tokens[number] not in BINARY
        if new.opens[number] < self.changed.unit.first or not is_place:
            return False
        column = self._column_in_group(number)
        if column is None:
            column = self.columns[new.opens[number]] + 1
        return column < self.columns[number]

    def _refill(self, number: int) -> None:
        """Remove the following breaks of the same parentheses, unless each comma had one."""
        new = self.changed.new
        group = [
            other
            for other in self.changed.unit.numbers
            if new.opens[other] == new.opens[number] and new.tokens[other - 1] == b","
        ]
        if len(group) > 2 and all(other in self.breaks for other in group if other != number):
            return
        for start, end in pairwise([*group, self.changed.unit.last + 1]):
            found = self.breaks.get(start)
            # An argument of several lines keeps its own first line.
            is_simple = not any(start < other < end for other in self.breaks)
            if start > number and is_simple and found is not None and found.is_optional:
                del self.breaks[start]

    def _column_in_group(self, number: int) -> int | None:
        """Return the column for a new break: that of the others in its parentheses, else None."""
        new = self.changed.new
        columns = [
            found.column
            for other, found in self.breaks.items()
            if new.opens[other] == new.opens[number]
        ]
        return columns[0] if columns else None

    def _depth(self, number: int) -> int:
        depth, opened = 0, self.changed.new.opens[number]
        while opened >= self.changed.unit.first:
            depth, opened = depth + 1, self.changed.new.opens[opened]
        return depth

    def _end_of(self, number: int) -> int:
        return self.columns[number] + _width_of_token(self.changed.new.tokens[number])

    def _gap(self, number: int) -> bytes:
        """Return the white space and comments before a token that is not first on its line."""
        changed = self.changed
        gap, old_number = changed.new.gaps[number], changed.find_old_gap(number)
        if old_number is not None and changed.has_same_words(number):
            old_gap = changed.old.gaps[old_number]
            if b"\n" not in old_gap and old_gap.split() == gap.split():
                return old_gap
        if b"\n" in gap:
            comment = gap.strip()
            return b" " + comment + b" " if comment else space_before(changed.new, number)
        return gap or add_space(changed.new, number)

    def write(self) -> bytes:
        """Return the text of the unit."""
        new, unit = self.changed.new, self.changed.unit
        first = new.before(unit.first)
        if unit.first_line in self.changed.changed_lines and not first.strip():
            first = indent_to(self.indent, tabs=self.tabs)
        pieces = [first, new.tokens[unit.first]]
        for number in unit.numbers[1:]:
            if number in self.breaks:
                pieces += [self._before_break(number), b"\n", self._indent(number)]
            else:
                pieces.append(self._gap(number))
            pieces.append(new.tokens[number])
        return b"".join(pieces)

    def _before_break(self, number: int) -> bytes:
        """Return what follows the last token of a line: a comment, or old white space."""
        new = self.changed.new
        before, newline, _ = new.gaps[number].partition(b"\n")
        is_changed = new.lines[number - 1] in self.changed.changed_lines
        return before.rstrip() if is_changed or not newline else before

    def _indent(self, number: int) -> bytes:
        column, old_number = self.columns[number], self.changed.find_old_gap(number)
        if old_number is not None:
            indent = self.changed.old.before(old_number)
            if not indent.strip() and width_of(indent) == column:
                return indent
        return indent_to(column, tabs=self.tabs)


def _width_of_token(token: bytes) -> int:
    return len(token.decode("utf-8", "replace"))
