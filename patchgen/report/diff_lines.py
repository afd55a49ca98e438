# SPDX-License-Identifier: GPL-2.0-or-later
"""The diff of a commit as people read it: files, hunks, and lines with their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from patchgen.odb.difftext import Kind, classify_lines, list_names

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)")
_START = "diff --git "
# Header lines that repeat the name of the file, or that only git reads.
_NOT_SHOWN = ("index ", "--- ", "+++ ", _START)


class LineKind(StrEnum):
    """The kind of a line of a diff, by its first character."""

    ADDED = "+"
    REMOVED = "-"
    CONTEXT = " "
    NOTE = "\\"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a hunk, without its first character.

    `number` is its number in the new file, for a removed line in the old one. `begin` and `end`
    bound the part that differs from the corresponding removed or added line; they are equal if the
    whole line differs.
    """

    kind: LineKind
    text: str
    number: int
    begin: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class DiffBlock:
    """Consecutive lines that are all changed, or all context."""

    is_change: bool
    lines: tuple[DiffLine, ...]

    def select(self, kind: LineKind) -> list[DiffLine]:
        """Return the lines of a kind."""
        return [line for line in self.lines if line.kind is kind]


@dataclass(frozen=True, slots=True)
class DiffHunk:
    """A hunk. `head` is its line that begins with @@."""

    head: str
    blocks: tuple[DiffBlock, ...]


@dataclass(slots=True)
class FileDiff:
    """The changes of a file. `notes` are about the file as a whole, such as its mode."""

    path: str
    notes: list[str] = field(default_factory=list)
    hunks: list[DiffHunk] = field(default_factory=list)

    @property
    def blocks(self) -> Iterator[DiffBlock]:
        """The blocks of changed lines."""
        return (block for hunk in self.hunks for block in hunk.blocks if block.is_change)

    def count(self, kind: LineKind) -> int:
        """Return the number of its lines of a kind."""
        return sum(len(block.select(kind)) for block in self.blocks)


def read_file_diffs(diff: bytes) -> list[FileDiff]:
    """Return the files of a diff that git wrote; a byte that is not UTF-8 becomes a surrogate."""
    text = diff.decode("utf-8", "surrogateescape").rstrip("\n")
    files: list[FileDiff] = []
    for is_head, lines in groupby(
        classify_lines(text.split("\n")), lambda line: line[0] is not Kind.HUNK
    ):
        texts = [line for _, line in lines]
        if not is_head:
            files[-1].hunks[-1] = _read_hunk(files[-1].hunks[-1].head, texts)
            continue
        for head in texts:
            if head.startswith(_START):
                files.append(FileDiff(_read_path(head)))
            elif files and head.startswith("@@"):
                files[-1].hunks.append(DiffHunk(head, ()))
            elif files and head and not head.startswith(_NOT_SHOWN):
                files[-1].notes.append(head)
    return files


def _read_path(head: str) -> str:
    [names] = list_names(head)
    return names.new.partition("/")[2]


def _read_hunk(head: str, texts: Sequence[str]) -> DiffHunk:
    match = _HUNK.match(head)
    assert match is not None
    lines = list(_number_lines(texts, int(match[1]), int(match[2])))
    blocks = [
        DiffBlock(is_change, tuple(block))
        for is_change, block in groupby(
            lines, lambda line: line.kind in (LineKind.ADDED, LineKind.REMOVED)
        )
    ]
    return DiffHunk(head, tuple(_mark_differences(block) for block in blocks))


def _number_lines(texts: Sequence[str], old: int, new: int) -> Iterator[DiffLine]:
    for text in texts:
        kind = LineKind(text[:1] or " ")
        yield DiffLine(kind, text[1:], old if kind is LineKind.REMOVED else new)
        old += kind in (LineKind.REMOVED, LineKind.CONTEXT)
        new += kind in (LineKind.ADDED, LineKind.CONTEXT)


def _mark_differences(block: DiffBlock) -> DiffBlock:
    """Return a block with the parts that differ, if it replaces lines by as many others."""
    removed, added = block.select(LineKind.REMOVED), block.select(LineKind.ADDED)
    if not block.is_change or len(removed) != len(added):
        return block
    marked = [_mark_pair(*pair) for pair in zip(removed, added, strict=True)]
    return DiffBlock(True, (*(old for old, _ in marked), *(new for _, new in marked)))


def _mark_pair(old: DiffLine, new: DiffLine) -> tuple[DiffLine, DiffLine]:
    shortest = min(len(old.text), len(new.text))
    pairs = zip(old.text, new.text, strict=False)
    begin = next((at for at, (one, other) in enumerate(pairs) if one != other), shortest)
    pairs = zip(reversed(old.text[begin:]), reversed(new.text[begin:]), strict=False)
    common = next((at for at, (one, other) in enumerate(pairs) if one != other), shortest - begin)
    if not old.text[:begin].strip() and not common:
        return old, new
    return (
        DiffLine(old.kind, old.text, old.number, begin, len(old.text) - common),
        DiffLine(new.kind, new.text, new.number, begin, len(new.text) - common),
    )
