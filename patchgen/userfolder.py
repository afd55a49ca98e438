# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own folders (XDG Base Directory Specification)."""

from __future__ import annotations

import os
from pathlib import Path

from patchgen.errors import PatchgenError


def user_folder(variable: str, default: str) -> Path:
    """Return the folder that a variable names, else the default, which is below the home.

    Raises PatchgenError where neither the environment nor the system's user list names a home.
    """
    named = Path(os.environ.get(variable, ""))
    # The specification: "If an implementation encounters a relative path [it] should ignore it."
    if named.is_absolute():
        return named
    try:
        return Path.home() / default
    except RuntimeError:
        raise PatchgenError(
            "the home directory cannot be determined", hint=f"set HOME or {variable}"
        ) from None
