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
