# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths as the user reads them."""

from __future__ import annotations

import os
from pathlib import Path


def absolute_path(path: Path) -> Path:
    """Return an absolute path without `..`, as a shell would complete it.

    Symbolic links stay: os.path.realpath() would name places that the user does not know. So does
    a `..` after one, which leads elsewhere than to the folder that has the link.
    """
    absolute = path.absolute()
    plain = Path(os.path.normpath(absolute))
    try:
        return plain if plain.samefile(absolute) else absolute
    except OSError:
        return absolute


def name_recorded(name: str) -> str:
    """Return a recorded semantic patch for a command: PATH/NAME if only its name is recorded."""
    is_found = "/" in name or not name.endswith(".cocci") or Path(name).is_file()
    return name if is_found else f"PATH/{name}"
