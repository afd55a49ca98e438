# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine the origin of each line that a patch adds: a template, or a rule.

Documentation/process/generated-content.rst (Linux 7.1) asks which portions of a contribution a tool
made. Lines are followed through all edits of a patch to one file by comparing the file before and
after each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto

from patchgen.linediff import find_line_changes, split_lines
from patchgen.model.outcome import FileResult
from patchgen.model.plan import Edit, RunRules
from patchgen.model.series import LineCount


class LineOrigin(Enum):
    """The origin of a line: the base or an earlier patch, a template, or a rule."""

    BEFORE = auto()
    TEMPLATE = auto()
    RULE = auto()


def start_origins(content: bytes | None) -> list[LineOrigin]:
    """Return the origins of a file's lines before a patch."""
    return [LineOrigin.BEFORE] * len(split_lines(content or b""))


def follow_lines(
    before: bytes | None,
    after: bytes,
    origins: Sequence[LineOrigin],
    edit: Edit,
    result: FileResult | None,
) -> list[LineOrigin]:
    """Return the origins of a file's lines after an edit, given those before it.

    `result` is that of running a semantic patch. A line with the value of a virtual identifier
    comes from the template, whatever the rule adds around it.
    """
    old, new = _strip_ends(before or b""), _strip_ends(after)
    texts: Collection[int] = range(len(new))
    values: list[bytes] = []
    if isinstance(edit, RunRules):
        texts = result.from_texts if result else frozenset()
        defined = "\n".join(edit.patch.definitions.values()).encode().splitlines()
        values = [_squeeze(line) for line in defined if line.strip()]

    def origin_of(index: int) -> LineOrigin:
        squeezed = _squeeze(new[index])
        is_text = index in texts or any(value in squeezed for value in values)
        return LineOrigin.TEMPLATE if is_text else LineOrigin.RULE

    followed: list[LineOrigin] = []
    at = 0
    for change in find_line_changes(old, new):
        followed += origins[at : change.old_start]
        followed += map(origin_of, range(change.new_start, change.new_end))
        at = change.old_end
    followed += origins[at:]
    return followed


def count_lines(before: bytes | None, origins: Sequence[LineOrigin]) -> LineCount:
    """Return how many lines a patch adds to a file and removes from it."""
    remaining = origins.count(LineOrigin.BEFORE)
    return LineCount(
        templates=origins.count(LineOrigin.TEMPLATE),
        rules=origins.count(LineOrigin.RULE),
        removed=len(split_lines(before or b"")) - remaining,
    )


def _strip_ends(content: bytes) -> list[bytes]:
    """Return the lines without their ends, which may change with the last line of a file."""
    return [line.rstrip(b"\r\n") for line in split_lines(content)]


def _squeeze(line: bytes) -> bytes:
    return b"".join(line.split())
