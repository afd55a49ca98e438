# SPDX-License-Identifier: GPL-2.0-or-later
"""Edits of files that are not C: insert lines into Kconfig and Makefile next to a known line."""

from __future__ import annotations

import re

from patchgen.errors import ErrorPlace, RefusedError
from patchgen.linediff import split_lines
from patchgen.model.plan import InsertLines


def insert_lines(content: bytes, edit: InsertLines) -> bytes:
    """Return the content with the edit's lines before or after an anchor.

    The first anchor that equals exactly one line is used. The spacing of words is ignored, since
    makefiles are aligned by taste. Raises RefusedError if no anchor is found.
    """
    lines = split_lines(content)
    by_words: dict[tuple[bytes, ...], list[int]] = {}
    for index, line in enumerate(lines):
        by_words.setdefault(tuple(line.split()), []).append(index)
    tried = []
    for anchor in edit.anchors:
        found = by_words.get(tuple(anchor.encode().split()), [])
        if len(found) == 1:
            at = found[0] if edit.before else found[0] + 1
            if at and not lines[at - 1].endswith(b"\n"):
                lines[at - 1] += b"\n"
            return b"".join([*lines[:at], edit.lines.removesuffix(b"\n") + b"\n", *lines[at:]])
        count = "no line reads" if not found else f"{len(found)} lines read"
        tried.append(f"{count} {anchor!r}")
    raise RefusedError(
        f"{', '.join(tried)}; an anchor must match exactly one line",
        code="anchor-missing",
        place=ErrorPlace(str(edit.file.path)),
    )


def with_line_ends_of(before: bytes | None, after: bytes) -> bytes:
    """Return a file's new content with the line ends of the old one.

    Templates and spatch end lines with LF. If all lines of a file end with CR LF, new ones do, too.
    """
    if before is None or not before.count(b"\n") == before.count(b"\r\n") > 0:
        return after
    return re.sub(rb"(?<!\r)\n", b"\r\n", after)
