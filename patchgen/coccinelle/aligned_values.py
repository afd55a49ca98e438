# SPDX-License-Identifier: GPL-2.0-or-later
"""Restore the column of `=` in initialisers, and of the backslash at the end of a macro's line.

A rule that renames `.probe_new` to `.probe` leaves the white space after it, which may now end at
another column than that of the lines around it.
"""

from __future__ import annotations

from patchgen.coccinelle.source_layout import TAB, width_of
from patchgen.linediff import find_line_changes


def align_values(before: bytes, after: bytes) -> bytes:
    """Return `after` with `=` and backslashes at their old columns in lines that were replaced."""
    olds, news = before.split(b"\n"), after.split(b"\n")
    for i, x, j, y in find_line_changes(olds, news):
        if x - i == y - j:
            news[j:y] = map(_align, olds[i:x], news[j:y])
    return b"\n".join(news)


def _align(old: bytes, new: bytes) -> bytes:
    if old.endswith(b"\\") and new.endswith(b"\\"):
        return _align_end(old[:-1], new[:-1]) + b"\\"
    old_name, _, old_value = old.partition(b"=")
    name, _, value = new.partition(b"=")
    name = name.rstrip(b" \t")
    is_same = value == old_value and value[:1] not in (b"", b"=")
    if not is_same or width_of(name) >= width_of(old_name):
        return new
    space = _fill_to_column(old_name, name)
    return new if space is None else name + space + b"=" + value


def _align_end(old: bytes, new: bytes) -> bytes:
    """Return a line with white space at its end up to the column where the old line ends."""
    text = new.rstrip(b" \t")
    if not text or width_of(text) >= width_of(old):
        return text + b" " if text else new
    space = _fill_to_column(old, text)
    return new if space is None else text + space


def _fill_to_column(old: bytes, text: bytes) -> bytes | None:
    """Return white space like that at the end of `old`, up to its column; None for one space."""
    gap = old[len(old.rstrip(b" \t")) :]
    column, width = width_of(old), width_of(text)
    tabs = column // TAB - width // TAB
    if b"\t" in gap:
        return b"\t" * tabs + b" " * (column % TAB if tabs else column - width)
    return b" " * (column - width) if len(gap) > 1 else None
