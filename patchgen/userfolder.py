# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own folders (XDG Base Directory Specification)."""

from __future__ import annotations

import os
from pathlib import Path

from patchgen.errors import PatchgenError


def user_folder(variable: str, default: str) -> Path:
    """Return the folder that a variable names, else the default, a path below the home directory.

    Raises PatchgenError if neither the environment nor the user database names a home.
    """
    folder = Path(os.environ.get(variable, ""))
    # "If an implementation encounters a relative path [...] it should consider the path invalid
    # and ignore it." (XDG Base Directory Specification)
    if folder.is_absolute():
        return folder
    try:
        return Path.home() / default
    except RuntimeError:
        raise PatchgenError(
            "the home directory cannot be determined",
            code="home-unknown",
            hint=f"set HOME or {variable}",
        ) from None
