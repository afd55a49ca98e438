# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine the origin of each line that a patch adds: a template, or a rule.

Documentation/process/generated-content.rst (Linux 7.1) asks which portions of a contribution a tool
made. Lines are followed through all edits of a patch to one file by comparing the file before and
after each of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from enum import Enum, auto

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
    return [LineOrigin.BEFORE] * len((content or b"").splitlines())


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
    old, new = (before or b"").splitlines(), after.splitlines()
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
    for same, begin, end, first in _compare(old, new):
        lines = range(begin, end)
        followed += origins[first : first + len(lines)] if same else map(origin_of, lines)
    return followed


def count_lines(before: bytes | None, origins: Sequence[LineOrigin]) -> LineCount:
    """Return how many lines a patch adds to a file and removes from it."""
    left = origins.count(LineOrigin.BEFORE)
    return LineCount(
        templates=origins.count(LineOrigin.TEMPLATE),
        rules=origins.count(LineOrigin.RULE),
        removed=len((before or b"").splitlines()) - left,
    )


def _compare(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[bool, int, int, int]]:
    """Yield the runs of lines in the new text: whether they are old, begin, end, and old begin.

    The common head and tail of both are set aside, as edits are small and files are large.
    """
    shortest = min(len(old), len(new))
    head = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    most = shortest - head
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    yield True, 0, head, 0
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = difflib.SequenceMatcher(None, *middle, autojunk=False)
    for kind, first, _, begin, end in matcher.get_opcodes():
        if begin < end:
            yield kind == "equal", head + begin, head + end, head + first
    yield True, len(new) - tail, len(new), len(old) - tail


def _squeeze(line: bytes) -> bytes:
    return b"".join(line.split())
