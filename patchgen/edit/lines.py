# SPDX-License-Identifier: GPL-2.0-or-later
"""Edits without a semantic patch: insert lines next to a known line, or replace known lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from patchgen.errors import ErrorPlace, RefusedError
from patchgen.linediff import split_lines
from patchgen.model.plan import InsertLines, ReplaceText


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


def replace_text(content: bytes, edit: ReplaceText) -> bytes:
    """Return the content with the new lines in place of the old ones.

    The old lines are looked up without their line ends. If the last line of the content is
    replaced, it gets the line end of the last new line, if any. Raises RefusedError if the content
    does not have the old lines exactly once, or already has new lines that contain the old ones.
    """
    lines = split_lines(content)
    stripped = [line.rstrip(b"\r\n") for line in lines]
    old, new = (
        [line.rstrip(b"\r\n") for line in split_lines(text)] for text in (edit.old, edit.new)
    )
    places = find_lines(stripped, old)
    place = ErrorPlace(str(edit.file.path))
    if len(places) != 1:
        shown = _show(old)
        found = f"has the lines {shown} more than once" if places else f"lacks the lines {shown}"
        raise RefusedError(
            f"{found}; it must have them exactly once",
            code="anchor-missing",
            place=place,
        )
    if len(new) > len(old) and find_lines(new, old) and find_lines(stripped, new):
        raise RefusedError(
            f"already has the lines {_show(new)}", code="anchor-missing", place=place
        )
    after = lines[places[0] + len(old) :]
    text = edit.new
    if after and text and not text.endswith(b"\n"):
        text += b"\n"
    return b"".join([*lines[: places[0]], text, *after])


def find_lines(lines: Sequence[bytes], sought: Sequence[bytes]) -> list[int]:
    """Return the indices of the first two places that have the sought lines in a row.

    All lines are without their line ends.
    """
    text, part = (b"\n".join([b"", *some, b""]) for some in (lines, sought))
    first = text.find(part)
    second = text.find(part, first + 1) if first >= 0 else -1
    return [text.count(b"\n", 0, at) for at in (first, second) if at >= 0]


def _show(lines: Sequence[bytes]) -> str:
    """Return the first line that is not empty, for a message, with `...` for the others."""
    texts = [line.decode(errors="replace").strip() for line in lines]
    shown = next(filter(None, texts), "")
    return repr(shown) + (" ..." if len(lines) > 1 else "")


def with_line_ends_of(before: bytes | None, after: bytes) -> bytes:
    """Return a file's new content with the line ends of the old one.

    Templates and spatch end lines with LF. If all lines of a file end with CR LF, new ones do, too.
    """
    if before is None or not before.count(b"\n") == before.count(b"\r\n") > 0:
        return after
    return re.sub(rb"(?<!\r)\n", b"\r\n", after)
