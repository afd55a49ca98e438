# SPDX-License-Identifier: GPL-2.0-or-later
"""Restore the column of `=` in initialisers whose values are aligned with tabs or spaces.

A rule that renames `.probe_new` to `.probe` leaves the white space after it, which may now end
at an earlier column than that of the lines around it.
"""

from __future__ import annotations

from patchgen.coccinelle.source_layout import TAB, width_of
from patchgen.linediff import find_line_changes


def align_values(before: bytes, after: bytes) -> bytes:
    """Return `after` with `=` at its old column in lines whose text before it was replaced."""
    olds, news = before.split(b"\n"), after.split(b"\n")
    for i, x, j, y in find_line_changes(olds, news):
        if x - i == y - j:
            news[j:y] = map(_align, olds[i:x], news[j:y])
    return b"\n".join(news)


def _align(old: bytes, new: bytes) -> bytes:
    old_name, _, old_value = old.partition(b"=")
    name, _, value = new.partition(b"=")
    name = name.rstrip(b" \t")
    column, width = width_of(old_name), width_of(name)
    gap = old_name[len(old_name.rstrip(b" \t")) :]
    is_same = value == old_value and value[:1] not in (b"", b"=")
    if not is_same or width >= column:
        return new
    if b"\t" in gap and column % TAB == 0:
        return name + b"\t" * (column // TAB - width // TAB) + b"=" + value
    if len(gap) > 1 and b"\t" not in gap:
        return name + b" " * (column - width) + b"=" + value
    return new
