# SPDX-License-Identifier: GPL-2.0-or-later
"""State the difference of two texts as entries of [[patch.replace]].

The code that `apply` runs makes each replacement. So all of them together result in the second
text, or NotTextError says why they cannot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from patchgen.edit import replace_text, with_line_ends_of
from patchgen.errors import RefusedError
from patchgen.linediff import LineChange, find_line_changes, split_lines
from patchgen.model.base import TreeFile
from patchgen.model.plan import ReplaceText
from patchgen.sourcefolder import LARGEST_BYTES

_MAX_REPLACEMENTS = 20


class NotTextError(Exception):
    """A template cannot have this text; the message completes "FILE ..."."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """The text of the lines to replace, and of the lines that replace them."""

    old: str
    new: str


def find_replacements(file: TreeFile, before: bytes, after: bytes) -> list[Replacement]:
    """Return the replacements that, in this order, change `before` into `after`.

    More than _MAX_REPLACEMENTS changes become one replacement of all lines from the first that
    changes to the last.
    Raises NotTextError if templates cannot state one.
    """
    if after and not before:
        raise NotTextError("is empty before the change, so it has no line to replace")
    replacements = []
    content = before
    while content != after:
        old, new = split_lines(content), split_lines(after)
        changes = find_line_changes(old, new)
        first, last = changes[0], changes[-1]
        if len(changes) > _MAX_REPLACEMENTS:
            first = LineChange(first.old_start, last.old_end, first.new_start, last.new_end)
        replacement, content = _replace_first(file, old, new, first)
        replacements.append(replacement)
    return replacements


def _replace_first(
    file: TreeFile, old: Sequence[bytes], new: Sequence[bytes], change: LineChange
) -> tuple[Replacement, bytes]:
    """Return the replacement of one change, and the content after it.

    Lines around the change are added until the old lines occur only once.
    """
    content = b"".join(old)
    new_lines = new[change.new_start : change.new_end]
    start, end = change.old_start, change.old_end
    intended = b"".join([*old[:start], *new_lines, *old[end:]])
    context = 0
    while True:
        above = old[max(start - context, 0) : start]
        below = old[end : end + context]
        texts = [
            read_text(b"".join([*above, *lines, *below])) for lines in (old[start:end], new_lines)
        ]
        edit = ReplaceText(file, *(text.encode() for text in texts))
        with suppress(RefusedError):
            if edit.old and with_line_ends_of(content, replace_text(content, edit)) == intended:
                return Replacement(*texts), intended
        if context >= max(start, len(old) - end):
            raise NotTextError("has changes of line ends, which a template cannot state")
        context = context * 2 + 1 if context > 8 else context + 1


def read_text(content: bytes) -> str:
    """Return the text of a template that results in this content, apart from carriage returns.

    Raises NotTextError if a template cannot have it.
    """
    if b"\0" in content:
        raise NotTextError("is binary")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise NotTextError("has text that is not UTF-8") from None
    if len(content) > LARGEST_BYTES:
        raise NotTextError(f"has a change of more than {LARGEST_BYTES >> 20} MiB")
    text = text.replace("\r\n", "\n")
    if "\r" in text or text.startswith("\ufeff"):
        raise NotTextError("has carriage returns or a byte order mark")
    return text


def escape_code(text: str) -> str:
    """Return a template for C that results in the text (delimiters as in templating)."""
    return text.replace("<%", '<%= "<%" %>')


def escape_prose(text: str) -> str:
    """Return a template for prose that results in the text."""
    return re.sub(r"\{(?=[{%#])", '{{ "{" }}', text)
