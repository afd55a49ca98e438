"""The lines in which two versions of a file differ, and the diff of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import takewhile

from patchgen.model.series import FileEdit

_LONG = 2000


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that take the place of others, without context.

    `start` counts from 1 and is of the first line of `before`; where that is empty, it is of the
    line that `after` stands before. Lines have their line ends.
    """

    start: int
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


def find_hunks(before: bytes, after: bytes) -> Iterator[Hunk]:
    """Yield where two versions of a file differ, in the order of lines."""
    old, new = _lines(before), _lines(after)
    head = _count_equal(old, new)
    tail = _count_equal(old[head:][::-1], new[head:][::-1])
    middle = slice(head, len(old) - tail), slice(head, len(new) - tail)
    # Lines that come often are looked at only where time allows: all pairs of them are compared.
    is_long = len(old) - head - tail > _LONG
    matcher = SequenceMatcher(None, old[middle[0]], new[middle[1]], autojunk=is_long)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield Hunk(
                head + i + 1, tuple(old[head + i : head + j]), tuple(new[head + k : head + m])
            )


def format_diff(edit: FileEdit) -> str:
    """Return a diff that `git apply` takes; bytes that are no UTF-8 are surrogates in it."""
    before, after = (
        [line.decode("utf-8", "surrogateescape") for line in _lines(text)]
        for text in (edit.before or b"", edit.after)
    )
    lines = unified_diff(before, after, f"a/{edit.path}", f"b/{edit.path}")
    return f"diff --git a/{edit.path} b/{edit.path}\n" + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _count_equal(old: list[bytes], new: list[bytes]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _lines(content: bytes) -> list[bytes]:
    """Return the lines; only line feeds end them, as in git."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop().removesuffix(b"\n")
    return [*lines, last] if last else lines
