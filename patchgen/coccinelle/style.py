# SPDX-License-Identifier: GPL-2.0-or-later
"""Lay out the lines that a rule changed in the kernel's style, and as the code there was laid out.

spatch prints changed code itself: it breaks lines where it sees fit, aligns with spaces, and leaves
continuation lines where they were when a name before them gets longer. Here each statement with a
line that the rule changed gets back the line breaks of the original, wherever the same tokens are
next to each other. What was aligned to its open parenthesis is aligned to it again. A line that has
become too long is broken after a comma or an operator, and a statement that was broken only because
it was too long is joined if it fits now (Documentation/process/coding-style.rst, "Breaking long
lines and strings").

Only white space changes, and the braces that spatch adds (added_braces.py): if other tokens or
comments of a statement would change, it remains as spatch printed it. So do preprocessor lines and
bodies of macros, but for the column of their backslashes (aligned_values.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from patchgen.coccinelle.added_braces import tidy_added_braces
from patchgen.coccinelle.aligned_values import align_values
from patchgen.coccinelle.changed_functions import find_changed_functions, find_old_lines
from patchgen.coccinelle.changed_unit import PREFERRED, ChangedUnit
from patchgen.coccinelle.source_layout import Layout, indent_to, match_tokens, width_of
from patchgen.coccinelle.statement_layout import lay_out
from patchgen.ctokens import split_tokens
from patchgen.linediff import LineChange, find_line_changes


@dataclass(frozen=True)
class _Region:
    """Whole statements of the new text with changed lines: the lines from `first` to before `end`.

    `old_by_new` maps each new token that was in the old text to its old number, in order,
    `new_by_old` the reverse. `olds` are the region's old tokens.
    """

    first: int
    end: int
    old_by_new: Mapping[int, int]
    new_by_old: Mapping[int, int]
    olds: range

    @cached_property
    def _pairs(self) -> tuple[list[int], list[int]]:
        return list(self.old_by_new), list(self.old_by_new.values())

    def find_old_tokens(self, first: int, last: int) -> range:
        """Return the old tokens that became the new ones from `first` to `last`."""
        news, olds = self._pairs
        before, after = bisect_left(news, first), bisect_right(news, last)
        return range(
            olds[before - 1] + 1 if before else self.olds.start,
            olds[after] if after < len(olds) else self.olds.stop,
        )


def restyle(
    before: bytes, after: bytes, width: int = PREFERRED, *, keep_braces: bool = False
) -> bytes:
    """Return `after`, with the lines that are not in `before` laid out in the kernel's style.

    A line of more than `width` columns is broken, if the original had none. With `keep_braces`,
    the rules add braces themselves, so those around single statements stay.
    """
    # With CRLF, any line end that is added or removed would have to be one, too.
    if b"\r" in after:
        return after
    new = after.split(b"\n")
    pieces: list[bytes] = []
    at = 0
    for part in find_changed_functions(before, after):
        text = _restyle_part(part.before, part.after, width, keep_braces=keep_braces)
        pieces += [*new[at : part.first], text]
        at = part.end
    return b"\n".join([*pieces, *new[at:]])


def _restyle_part(before: bytes, after: bytes, width: int, *, keep_braces: bool) -> bytes:
    after = tidy_added_braces(before, after, keep=keep_braces)
    changes = find_line_changes(before.split(b"\n"), after.split(b"\n"))
    changed_lines = {line for each in changes for line in range(each.new_start, each.new_end)}
    old, new = Layout.read(before), Layout.read(after)
    edits = list(_strip_empty(new, changed_lines))
    for region in _find_regions(changes, old, new):
        for unit in new.find_units(region.first, region.end):
            if changed_lines.isdisjoint(range(unit.first_line, unit.last_line + 1)):
                continue
            begin, end = (
                new.line_starts[unit.first_line],
                _end_of_line(new, unit.last, changed_lines),
            )
            olds = region.find_old_tokens(unit.first, unit.last)
            changed = ChangedUnit(
                old, new, unit, region.old_by_new, region.new_by_old, olds, changed_lines, width
            )
            text = lay_out(changed)
            if text is not None and _read_code(text) == _read_code(new.text[begin:end]):
                edits.append((begin, end, text))
            else:
                edits += _tidy_lines(old, new, unit.first, unit.last, changed_lines)
    return align_values(before, _apply(after, edits))


def _find_regions(changes: Sequence[LineChange], old: Layout, new: Layout) -> Iterator[_Region]:
    """Yield the regions of whole statements around the changes, in order."""
    ranges: list[tuple[int, int]] = []
    for change in changes:
        first, end = change.new_start, change.new_end
        if first == end or (ranges and end <= ranges[-1][1]):
            continue
        while first > 0 and new.continues(first):
            first -= 1
        while end < len(new.line_starts) - 1 and new.continues(end):
            end += 1
        if ranges and first <= ranges[-1][1]:
            first, end = min(first, ranges[-1][0]), max(end, ranges.pop()[1])
        ranges.append((first, end))
    for first, end in ranges:
        old_first, old_end = find_old_lines(changes, first, end)
        olds = range(old.first_token_from(old_first), old.first_token_from(old_end))
        news = range(new.first_token_from(first), new.first_token_from(end))
        old_by_new = match_tokens(old, new, olds, news)
        yield _Region(first, end, old_by_new, {o: n for n, o in old_by_new.items()}, olds)


# --- lines of which only the white space at their ends changes ---


def _strip_empty(new: Layout, changed_lines: set[int]) -> Iterator[tuple[int, int, bytes]]:
    """Yield edits that empty the changed lines that have only white space, except in comments."""
    for line in changed_lines:
        begin, end = new.line_starts[line], new.line_starts[line + 1] - 1
        if begin < end and not new.text[begin:end].strip():
            number = new.first_token_from(line)
            gap = new.gaps[number] if number < len(new.tokens) else b"//"
            if b"//" not in gap and b"/*" not in gap:
                yield begin, end, b""


def _tidy_lines(
    old: Layout, new: Layout, first: int, last: int, changed_lines: set[int]
) -> Iterator[tuple[int, int, bytes]]:
    """Yield edits that indent changed lines with tabs in place of spaces."""
    if b"\n\t" not in old.text:
        return
    for number in range(first, last + 1):
        gap = new.gaps[number]
        if not (new.lines[number] in changed_lines and new.is_first(number)) or b"\\" in gap:
            continue
        before = new.before(number)
        if before and not before.strip():
            begin = new.line_starts[new.lines[number]]
            yield begin, begin + len(before), indent_to(width_of(before), tabs=True)


def _end_of_line(new: Layout, number: int, changed_lines: set[int]) -> int:
    """Return the end of a token with the white space after it, if that ends its line."""
    end = new.end_of(number)
    newline = new.line_starts[new.lines[number] + 1] - 1
    is_trailing = new.lines[number] in changed_lines and not new.text[end:newline].strip()
    return max(end, newline) if is_trailing else end


def _read_code(text: bytes) -> list[tuple[bytes, bytes]]:
    """Return the tokens and comments of a text, without other white space."""
    return [(b"".join(gap.split()), token) for gap, token in split_tokens(text)]


def _apply(text: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for begin, end, replacement in sorted(edits):
        pieces += [text[at:begin], replacement]
        at = end
    return b"".join([*pieces, text[at:]])
