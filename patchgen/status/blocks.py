"""Conflicts that are none: both sides did the same, or one removed all that the other changed.

git's merge stops wherever two sides touch neighbouring lines. It writes down what each side had
there (`merge.conflictStyle=diff3`, git-merge(1)), and that tells more:

- each change of the patch is among what upstream has there, beside something else: it is *in*;
- upstream has nothing there, and the lines are nowhere else in the file: they are *gone*.

All else is for a person to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Lines = tuple[bytes, ...]

_OURS, _BASE, _THEIRS, _END = b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> "
# A line of no more characters than these, say a brace, is everywhere.
_SHORT = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Lines between markers: what upstream has, what both had, and what the patch makes of it."""

    ours: Lines
    base: Lines
    theirs: Lines


@dataclass(frozen=True, slots=True)
class Settled:
    """A file whose conflicts are none: its content, and how many changes are gone in it."""

    content: bytes
    gone: int


def settle(marked: bytes, before: bytes, upstream: bytes) -> Settled | None:
    """Return the file with upstream's side where that is right, None where a person has to look.

    `marked` is the file with its conflicts between markers, `before` what both sides come from.
    """
    parts = split_blocks(marked)
    if parts is None:
        return None
    blocks = [part for part in parts if isinstance(part, Block)]
    lost = _count(before.split(b"\n"))
    lost.subtract(_count(upstream.split(b"\n")))
    gone = 0
    for block in blocks:
        if is_in(block):
            continue
        if not _is_removed(block, lost):
            return None
        gone += len(_changes(block.base, block.theirs))
    lines = [line for part in parts for line in (part.ours if isinstance(part, Block) else (part,))]
    return Settled(b"\n".join(lines), gone)


def split_blocks(marked: bytes) -> list[bytes | Block] | None:
    """Return the lines of a file, conflicts as blocks; None where markers cannot be told."""
    parts: list[bytes | Block] = []
    sides: list[list[bytes]] = []
    for line in marked.split(b"\n"):
        if line.startswith(_OURS) and not sides:
            sides = [[]]
        elif line.startswith(_BASE) and len(sides) == 1:
            sides.append([])
        elif line == _THEIRS and sides:
            # A line of the file's own that looks like it would be the third.
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


def is_in(block: Block) -> bool:
    """Tell whether upstream has all of the patch's changes in a block, beside its own.

    What the patch adds is there, and what it removes is not; where it only removes, the lines
    before and after have become neighbours. White space and where lines break do not count, unless
    the patch is about nothing else: spatch breaks lines in its own way.
    """
    base, theirs, ours = (_squeeze(side) for side in (block.base, block.theirs, block.ours))
    between = b""
    if base == theirs:
        base, theirs, ours, between = block.base, block.theirs, block.ours, b"\n"
    text = between.join(ours)
    for low, high, first, last in _changes(base, theirs):
        added = between.join(theirs[first:last])
        if len(added) > _SHORT:
            there = added in text
        else:
            there = first > 0 and last < len(theirs) and _has(ours, theirs[first - 1 : last + 1])
        kept = any(line in ours and line not in added for line in base[low:high] if line)
        if kept or not there:
            return False
    return True


def _is_removed(block: Block, lost: Counter[bytes]) -> bool:
    """Tell whether upstream has nothing in a block, and the file has lost what was there.

    Lines that only went to another place of the file are as many as before.
    """
    if any(_squeeze(block.ours)):
        return False
    changes = _changes(block.base, block.theirs)
    removed = [line for low, high, *_ in changes for line in block.base[low:high]]
    here = _count(removed) or _count(block.base)
    return bool(here) and all(lost[line] >= number for line, number in here.items())


def _changes(base: Lines, theirs: Lines) -> list[tuple[int, int, int, int]]:
    """Return what the patch changes: from and to which line, before and after."""
    matcher = SequenceMatcher(None, base, theirs, autojunk=False)
    return [(i, j, k, n) for tag, i, j, k, n in matcher.get_opcodes() if tag != "equal"]


def _has(lines: Lines, wanted: Lines) -> bool:
    """Tell whether lines stand one after the other in others."""
    size = len(wanted)
    return any(lines[at : at + size] == wanted for at in range(len(lines) - size + 1))


def _squeeze(lines: Lines) -> Lines:
    return tuple(b"".join(line.split()) for line in lines)


def _count(lines: Sequence[bytes]) -> Counter[bytes]:
    """Count the lines that say something: a brace or an empty line is everywhere."""
    return Counter(line for line in _squeeze(tuple(lines)) if len(line) > _SHORT)
