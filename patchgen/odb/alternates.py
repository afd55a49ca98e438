# SPDX-License-Identifier: GPL-2.0-or-later
"""Object folders that a repository borrows from: objects/info/alternates.

Format (gitrepository-layout(5), and parse_alt_odb_entry() in git's object-file.c): one folder per
line; `#` begins a comment; a line that begins with `"` is a C string. A relative path starts at
the borrowing repository's `objects`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from patchgen.errors import BaseError

# Git does not follow longer chains of alternates.
_DEEPEST = 6
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LETTERS |= {b"v": b"\v"}


def quote_alternate(folder: Path) -> bytes:
    """Return the line of an alternates file for a folder, whatever bytes are in its path."""
    path = os.fsencode(folder)
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for letter, byte in _LETTERS.items():
        escaped = escaped.replace(byte, b"\\" + letter)
    return b'"' + escaped + b'"\n'


def check_alternates(objects: Path) -> None:
    """Raise BaseError if a folder that objects are borrowed from does not exist."""
    seen: set[Path] = set()
    left = [(objects, 0)]
    while left:
        folder, depth = left.pop()
        file = folder / "info" / "alternates"
        for alternate in read_alternates(folder):
            if not alternate.is_dir():
                raise BaseError(
                    f"{objects.parent} borrows objects from {alternate}, which does not exist",
                    hint=f"restore that folder, or correct its path in {file}",
                )
            if alternate not in seen and depth < _DEEPEST:
                seen.add(alternate)
                left.append((alternate, depth + 1))


def read_alternates(objects: Path) -> Iterator[Path]:
    """Yield the folders that an object folder borrows from directly."""
    try:
        lines = (objects / "info" / "alternates").read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as err:
        raise BaseError(f"{err.filename} cannot be read: {err.strerror}") from None
    for line in lines:
        if line and not line.startswith(b"#"):
            yield objects / os.fsdecode(_unquote(line))


def _unquote(line: bytes) -> bytes:
    if not (line.startswith(b'"') and line.endswith(b'"') and len(line) > 1):
        return line
    return _ESCAPE.sub(_replace_escape, line[1:-1])


def _replace_escape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)
