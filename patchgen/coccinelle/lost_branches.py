# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the branches out of which spatch put a statement.

If a rule puts several statements in the place of the branch of an if or a loop, spatch adds braces.
It forgets them (1.1.1 and 1.3.1) for the body of a `do`, and where the branches of an #if hold one
statement each:

    if (ready)
    #ifdef CONFIG_X
            old();
    #else
            other_old();
    #endif

There the second statement would be executed whatever the condition is, and compilers do not object.
"""

from __future__ import annotations

from collections.abc import Iterator

from patchgen.coccinelle.changed_functions import find_changed_functions
from patchgen.coccinelle.source_layout import Layout, match_tokens

_HEADS = frozenset((b"if", b"for", b"while"))
# What begins with one of these is checked as a branch of its own.
_COMPOUND = frozenset((b"{", b";", b"if", b"for", b"while", b"do", b"switch"))


def find_lost_branches(before: bytes, after: bytes) -> Iterator[str]:
    """Yield the code of each branch without braces that has become more than one statement."""
    # The second text is not needed if nothing can be lost.
    if b"do" not in before and b"#" not in before:
        return
    for part in find_changed_functions(before, after):
        yield from _find_in_functions(Layout.read(part.before), Layout.read(part.after))


def _find_in_functions(old: Layout, new: Layout) -> Iterator[str]:
    old_by_new = match_tokens(old, new, range(len(old.tokens)), range(len(new.tokens)))
    for head, old_head in old_by_new.items():
        if not (_takes_branch(new, head) and _is_simple(new, head + 1)):
            continue
        if not _is_simple(old, old_head + 1):
            continue
        old_end, end = _find_end(old, old_head + 1), _find_end(new, head + 1)
        if _falls_out(old, new, old_end, head, end):
            yield b" ".join(
                old.text[old.starts[old_head + 1] : old.end_of(old_end)].split()
            ).decode(errors="replace")


def _takes_branch(layout: Layout, number: int) -> bool:
    token = layout.tokens[number]
    if token == b")":
        opened = layout.opens[number]
        return opened > 0 and layout.tokens[opened - 1] in _HEADS
    return token in (b"do", b"else")


def _is_simple(layout: Layout, number: int) -> bool:
    return number < len(layout.tokens) and layout.tokens[number] not in _COMPOUND


def _find_end(layout: Layout, number: int) -> int:
    """Return the `;` that ends a statement, or the last token."""
    last = len(layout.tokens) - 1
    while number < last and not (layout.tokens[number] == b";" and layout.opens[number] < 0):
        number += 1
    return number


def _falls_out(old: Layout, new: Layout, old_end: int, head: int, end: int) -> bool:
    """Return whether what followed the old branch does not follow the new one.

    `head` is the token before the new branch; the others are the last tokens of the branches.
    """
    if new.tokens[head] == b"do":
        return _token(old, old_end + 1) == b"while" != _token(new, end + 1)
    if not _has_directive(new, head + 1):
        return False
    return _has_directive(old, old_end + 1) and not _has_directive(new, end + 1)


def _token(layout: Layout, number: int) -> bytes:
    return layout.tokens[number] if number < len(layout.tokens) else b""


def _has_directive(layout: Layout, number: int) -> bool:
    """Return whether a preprocessor line is before a token."""
    start = layout.starts[number] if number < len(layout.starts) else len(layout.text)
    lines = layout.text[layout.end_of(number - 1) : start].split(b"\n")[1:]
    return any(line.lstrip().startswith(b"#") for line in lines)
