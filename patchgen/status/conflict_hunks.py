# SPDX-License-Identifier: GPL-2.0-or-later
"""Resolve false conflicts: both sides did the same, or one removed what the other changed.

git's merge stops wherever two sides touch neighbouring lines. It writes what each side had there
(`merge.conflictStyle=diff3`, git-merge(1)), which shows more:

- upstream has each change of the patch there, next to other changes: the patch is *in*;
- upstream has no lines there, and removed the old ones from the file: they are *gone*.

A person has to look at everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.linediff import find_line_changes

Lines = tuple[bytes, ...]

_OURS, _BASE, _THEIRS, _END = b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> "
# Lines of at most this length, such as a brace, occur everywhere.
_MAX_TRIVIAL_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Lines between markers: those of upstream, of the common base, and of the patch."""

    ours: Lines
    base: Lines
    theirs: Lines


@dataclass(frozen=True, slots=True)
class ResolvedFile:
    """A file without real conflicts: its content, and how many of the patch's changes are gone."""

    content: bytes
    gone: int


def resolve_conflicts(marked: bytes, before: bytes, upstream: bytes) -> ResolvedFile | None:
    """Return the file with upstream's side if that is right, None if a person has to look.

    `marked` is the file with its conflicts between markers, `before` the common base.
    """
    parts = split_blocks(marked)
    if parts is None:
        return None
    blocks = [part for part in parts if isinstance(part, Block)]
    lost = _count(before.split(b"\n"))
    lost.subtract(_count(upstream.split(b"\n")))
    gone = 0
    for block in blocks:
        if is_applied(block):
            continue
        if not _is_removed(block, lost):
            return None
        gone += len(find_line_changes(block.base, block.theirs))
    lines = [line for part in parts for line in (part.ours if isinstance(part, Block) else (part,))]
    return ResolvedFile(b"\n".join(lines), gone)


def split_blocks(marked: bytes) -> list[bytes | Block] | None:
    """Return the lines of a file, with conflicts as blocks; None if the markers are ambiguous."""
    parts: list[bytes | Block] = []
    sides: list[list[bytes]] = []
    for line in marked.split(b"\n"):
        if line.startswith(_OURS) and not sides:
            sides = [[]]
        elif line.startswith(_BASE) and len(sides) == 1:
            sides.append([])
        elif line == _THEIRS and sides:
            # A line of the file that looks like this marker would be a second one.
            if len(sides) != 2:
                return None
            sides.append([])
        elif line.startswith(_END) and len(sides) == 3:
            ours, base, theirs = map(tuple, sides)
            parts.append(Block(ours, base, theirs))
            sides = []
        elif sides:
            sides[-1].append(line)
        else:
            parts.append(line)
    return parts if not sides else None


def is_applied(block: Block) -> bool:
    """Return whether upstream has all of the patch's changes in a block, next to its own.

    Upstream must have the added lines, and none of the removed ones; if the patch only removes
    lines, those before and after them must be adjacent. White space and line breaks are ignored,
    unless the patch changes nothing else: spatch breaks lines in its own way.
    """
    base, theirs, ours = (_squeeze(side) for side in (block.base, block.theirs, block.ours))
    between = b""
    if base == theirs:
        base, theirs, ours, between = block.base, block.theirs, block.ours, b"\n"
    text = between.join(ours)
    for low, high, first, last in find_line_changes(base, theirs):
        added = between.join(theirs[first:last])
        if len(added) > _MAX_TRIVIAL_LENGTH:
            is_present = added in text
        else:
            is_present = (
                first > 0 and last < len(theirs) and _contains(ours, theirs[first - 1 : last + 1])
            )
        removed = (line for line in base[low:high] if line and line not in added)
        if not is_present or any(line in ours for line in removed):
            return False
    return True


def _is_removed(block: Block, lost: Counter[bytes]) -> bool:
    """Return whether upstream has no lines in a block, and removed the old ones from the file.

    Lines that only moved within the file are as frequent as before.
    """
    if any(_squeeze(block.ours)):
        return False
    changes = find_line_changes(block.base, block.theirs)
    removed = [line for low, high, *_ in changes for line in block.base[low:high]]
    counts = _count(removed) or _count(block.base)
    return bool(counts) and all(lost[line] >= number for line, number in counts.items())


def _contains(lines: Lines, sequence: Lines) -> bool:
    """Return whether a sequence occurs in lines."""
    size = len(sequence)
    return any(lines[at : at + size] == sequence for at in range(len(lines) - size + 1))


def _squeeze(lines: Lines) -> Lines:
    return tuple(b"".join(line.split()) for line in lines)


def _count(lines: Sequence[bytes]) -> Counter[bytes]:
    """Count the lines, except short ones: a brace or an empty line occurs everywhere."""
    return Counter(line for line in _squeeze(tuple(lines)) if len(line) > _MAX_TRIVIAL_LENGTH)
