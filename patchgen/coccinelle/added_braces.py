# SPDX-License-Identifier: GPL-2.0-or-later
"""Put the braces that spatch adds to the branches of if, else and loops where the kernel has them.

spatch adds braces if a rule puts several statements in the place of one. It adds them, too, if it
cannot tell how many statements the `+` lines are, as in `-return f( +return g( es);`; then they
often enclose a single statement, and are removed here. The others get the places that
Documentation/process/coding-style.rst, "Placing Braces and Spaces", describes: the opening brace
last on the line of the `if`, and the closing one before an `else` on the same line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from patchgen.coccinelle.source_layout import TAB, Layout, indent_to, match_tokens
from patchgen.ctokens import is_word

Edit = tuple[int, int, bytes]

_HEADS = (b")", b"else", b"do")
# What begins with one of these is more than one statement, or ends otherwise than with `;`.
_COMPOUND = frozenset(b"if else for while do switch case default asm".split())
_JUMPS = (b"return", b"goto")


class _Braces(NamedTuple):
    """Braces around a branch: the numbers of both tokens, and of the old branch's first token."""

    opening: int
    closing: int
    old_branch: int


def tidy_added_braces(before: bytes, after: bytes, *, keep: bool) -> bytes:
    """Return whole functions without the braces that spatch added around single statements.

    With `keep`, no braces are removed, as for a rule that adds braces itself. Braces that remain
    get their places.
    """
    if after.count(b"{") <= before.count(b"{"):
        return after
    old, new = Layout.read(before), Layout.read(after)
    pieces: list[bytes] = []
    at = 0
    for begin, end, text in sorted(_find_edits(old, new, keep=keep)):
        pieces += [after[at:begin], text]
        at = end
    return b"".join([*pieces, after[at:]])


def _find_edits(old: Layout, new: Layout, *, keep: bool) -> Iterator[Edit]:
    for braces in _find_added(old, new):
        if not keep and _encloses_one(new, braces):
            yield from _remove(old, new, braces)
        else:
            yield from _place(new, braces)


def _find_added(old: Layout, new: Layout) -> Iterator[_Braces]:
    """Yield the braces around branches that had none."""
    old_by_new = match_tokens(old, new, range(len(old.tokens)), range(len(new.tokens)))
    for opening, closing in _find_pairs(new):
        if new.tokens[opening - 1] not in _HEADS:
            continue
        branch = old_by_new.get(opening - 1, len(old.tokens)) + 1
        if branch < len(old.tokens) and old.tokens[branch] != b"{":
            yield _Braces(opening, closing, branch)


def _find_pairs(layout: Layout) -> Iterator[tuple[int, int]]:
    """Yield the braces within functions, by their numbers."""
    opened: list[int] = []
    for number, token in enumerate(layout.tokens):
        if token in (b"{", b"}") and not layout.before(number):
            # A function begins or ends here, whatever the branches of an #if opened before.
            opened.clear()
        if token == b"{":
            opened.append(number)
        elif token == b"}" and len(opened) > 1:
            yield opened.pop(), number


def _encloses_one(new: Layout, braces: _Braces) -> bool:
    """Return whether there is a single statement between the braces."""
    inner = range(braces.opening + 1, braces.closing)
    tokens = new.tokens[inner.start : inner.stop]
    if not tokens or tokens[0] in _COMPOUND or tokens[-1] != b";":
        return False
    ends = [number for number in inner if new.tokens[number] == b";" and _is_outside(new, number)]
    if len(ends) > 1 or b"{" in tokens:
        return False
    if tokens[0] not in _JUMPS and any(
        new.tokens[number - 1] == b")" and is_word(new.tokens[number]) for number in inner[1:]
    ):
        # Maybe a macro that is a loop, and its statement.
        return False
    return not _has_directive(new, braces) and not _gap(new, braces.closing).strip()


def _is_outside(new: Layout, number: int) -> bool:
    return new.opens[number] < 0


def _has_directive(new: Layout, braces: _Braces) -> bool:
    begin, end = new.starts[braces.opening], new.starts[braces.closing]
    return any(line.lstrip().startswith(b"#") for line in new.text[begin:end].split(b"\n")[1:])


def _gap(layout: Layout, number: int) -> bytes:
    """Return what is between a token and the one before it, preprocessor lines included."""
    return layout.text[layout.end_of(number - 1) : layout.starts[number]]


def _remove(old: Layout, new: Layout, braces: _Braces) -> Iterator[Edit]:
    opening, closing, old_branch = braces
    gap, old_gap = _gap(new, opening), _gap(old, old_branch)
    after_brace = _gap(new, opening + 1)
    if after_brace.strip():
        gap = gap.rstrip() + after_brace
    elif not old_gap.strip():
        gap = old_gap
    else:
        # Comments and preprocessor lines before the branch are before the brace.
        gap = gap.rstrip() + b"\n" + old.before(old_branch)
    yield new.end_of(opening - 1), new.starts[opening + 1], gap
    yield new.end_of(closing - 1), new.end_of(closing), b""
    if _is_else(new, closing + 1) and not _gap(new, closing + 1).strip():
        indent = indent_to(_find_indent(new, opening), tabs=b"\t" in new.before(closing))
        yield new.end_of(closing), new.starts[closing + 1], b"\n" + indent


def _place(new: Layout, braces: _Braces) -> Iterator[Edit]:
    opening, closing, _ = braces
    if _gap(new, opening).strip():
        # A comment or a preprocessor line is between the head and the brace.
        return
    yield new.end_of(opening - 1), new.starts[opening], b" "
    yield from _indent_lines(new, braces)
    is_do = new.tokens[opening - 1] == b"do"
    if (is_do or _is_else(new, closing + 1)) and not _gap(new, closing + 1).strip():
        yield new.end_of(closing), new.starts[closing + 1], b" "


def _indent_lines(new: Layout, braces: _Braces) -> Iterator[Edit]:
    """Yield edits that indent the lines in braces, and the closing one, by those of the head."""
    opening, closing, _ = braces
    first, head = opening + 1, _find_indent(new, opening)
    uses_tabs = b"\t" in new.before(closing)
    if first == closing or (_gap(new, first).strip() and not new.is_first(first)):
        return
    if not new.is_first(first):
        indent = indent_to(head + TAB, tabs=uses_tabs)
        yield new.end_of(opening), new.starts[first], b"\n" + indent
    starts = [number for number in range(first, closing) if _begins_line(new, number)]
    deeper = head + TAB - new.column_of(starts[0]) if starts else 0
    for number in starts:
        yield _indent(new, number, new.column_of(number) + deeper, tabs=uses_tabs)
    if _begins_line(new, closing):
        yield _indent(new, closing, head, tabs=uses_tabs)


def _begins_line(new: Layout, number: int) -> bool:
    return new.is_first(number) and new.opens[number] < 0 and not new.before(number).strip()


def _indent(new: Layout, number: int, column: int, *, tabs: bool) -> Edit:
    """Return the edit that puts the first token of a line into a column."""
    start = new.starts[number]
    return start - len(new.before(number)), start, indent_to(max(0, column), tabs=tabs)


def _is_else(new: Layout, number: int) -> bool:
    return number < len(new.tokens) and new.tokens[number] == b"else"


def _find_indent(new: Layout, opening: int) -> int:
    """Return the column of the if, else or loop that an opening brace follows."""
    head = opening - 1
    if new.tokens[head] == b")":
        head = max(0, new.opens[head] - 1)
    elif new.tokens[head] == b"else" and new.tokens[head - 1] == b"}":
        # spatch prints an else after braces that it added too far to the left.
        head -= 1
    return new.indent_of(head)
