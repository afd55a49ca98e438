# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the files in which a change concerns code of other files, too: their declarations.

A change within functions leaves other files as they are. One of a type, a parameter or a name does
not: with the patches of some git trees only, the kernel may not build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from patchgen.linediff import find_line_changes
from patchgen.model.series import FileEdit
from patchgen.sweep.bodies import find_bodies

# The bodies of a macro and of a function in one line.
_MACRO = re.compile(rb"(\s*#\s*define\s+\w+(?:\([^()]*\))?).*", re.S)
_SHORT_FUNCTION = re.compile(rb"(.*\))\s*\{.*\}\s*")
_INCLUDE = re.compile(rb"\s*#\s*include\b")
# What no other file can use, if it is in a .c file. The braces of a type are on its first line.
_LOCAL = re.compile(rb"static\b|#|typedef\b|(?:struct|union|enum)\b[^(=;]*\{")
_FIRST_LINE = re.compile(rb"[#A-Za-z_]")


def find_changed_declarations(edits: Iterable[FileEdit]) -> Iterator[PurePosixPath]:
    """Yield the files with changes that other files may depend on.

    Code in a layout other than the kernel's is not recognised as a function, so this may yield too
    many files.
    """
    return (edit.path for edit in edits if _changes_declarations(edit))


def _changes_declarations(edit: FileEdit) -> bool:
    old, new = (edit.before or b"").split(b"\n"), edit.after.split(b"\n")
    changes = find_line_changes(old, new)
    is_source = edit.path.suffix == ".c"
    before = _Declarations(old, is_source=is_source)
    after = _Declarations(new, is_source=is_source)
    return any(
        before.list(change.old_start, change.old_end)
        != after.list(change.new_start, change.new_end)
        for change in changes
    )


class _Declarations:
    """The lines of a file without the bodies of its functions, tables and macros."""

    def __init__(self, lines: Sequence[bytes], *, is_source: bool):
        self._lines = lines
        self._is_source = is_source
        self._hidden = _list_body_lines(lines)

    def list(self, first: int, end: int) -> list[bytes]:
        """Return the declarations in the lines from `first` to before `end`."""
        numbers = [number for number in range(first, end) if self._is_visible(number)]
        return [_cut_body(self._lines[number]) for number in numbers]

    def _is_visible(self, number: int) -> bool:
        line = self._lines[number]
        if number in self._hidden or not line.strip() or _INCLUDE.match(line):
            return False
        if number and self._lines[number - 1].endswith(b"\\"):
            return False
        return not (self._is_source and _LOCAL.match(self._find_first_line(number)))

    def _find_first_line(self, number: int) -> bytes:
        """Return the first line of the item that a line belongs to."""
        above = (self._lines[at] for at in range(number, -1, -1))
        return next((line for line in above if _FIRST_LINE.match(line)), b"")


def _list_body_lines(lines: Sequence[bytes]) -> set[int]:
    """Return the numbers of the lines in bodies of functions and tables."""
    source = b"\n".join(lines)
    numbers: set[int] = set()
    line = at = 0
    for body in find_bodies(source):
        line += source.count(b"\n", at, body.begin)
        last = line + source.count(b"\n", body.begin, body.end)
        numbers.update(range(line + 1, last + 1))
        line, at = last, body.end
    return numbers


def _cut_body(line: bytes) -> bytes:
    found = _MACRO.fullmatch(line) or _SHORT_FUNCTION.fullmatch(line)
    return found[1] if found else line
