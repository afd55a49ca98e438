"""Edits of what is no C: lines for Kconfig and Makefile, next to a line that is known."""

from __future__ import annotations

from patchgen.errors import BaseError, Place
from patchgen.model.plan import InsertLines


def insert_lines(content: bytes, edit: InsertLines) -> bytes:
    """Return the content with the edit's lines before or after its anchor.

    Raises BaseError where the anchor is not the whole of exactly one line.
    """
    lines = content.splitlines(keepends=True)
    anchor = edit.anchor.encode()
    found = [index for index, line in enumerate(lines) if line.rstrip() == anchor.rstrip()]
    if len(found) != 1:
        count = "no line reads" if not found else f"{len(found)} lines read"
        raise BaseError(
            f"{count} {edit.anchor!r}; exactly one is needed to insert at",
            place=Place(str(edit.file.path)),
        )
    at = found[0] if edit.before else found[0] + 1
    if at and not lines[at - 1].endswith(b"\n"):
        lines[at - 1] += b"\n"
    return b"".join([*lines[:at], edit.lines.removesuffix(b"\n") + b"\n", *lines[at:]])
