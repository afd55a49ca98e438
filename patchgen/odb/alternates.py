# SPDX-License-Identifier: GPL-2.0-or-later
"""Object folders that a repository borrows from: objects/info/alternates.

Format (gitrepository-layout(5), and parse_alt_odb_entry() in git's object-file.c): one folder per
line; `#` begins a comment; a line that begins with `"` is a C string. A relative path starts at
the borrowing repository's `objects`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from patchgen.errors import RefusedError
from patchgen.odb.quoting import unquote_path

# Git does not follow longer chains of alternates.
_DEEPEST = 6


def check_alternates(objects: Path) -> None:
    """Raise RefusedError if a folder that objects are borrowed from does not exist."""
    seen: set[Path] = set()
    left = [(objects, 0)]
    while left:
        folder, depth = left.pop()
        file = folder / "info" / "alternates"
        for alternate in read_alternates(folder):
            if not alternate.is_dir():
                raise RefusedError(
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
        raise RefusedError(f"{err.filename} cannot be read: {err.strerror}") from None
    for line in lines:
        if line and not line.startswith(b"#"):
            yield objects / os.fsdecode(unquote_path(line))
