# SPDX-License-Identifier: GPL-2.0-or-later
"""Why git cannot write a ref: often another git's lock, or one that a killed git left."""

from __future__ import annotations

import re

_LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")


def explain_ref_failure(message: str) -> tuple[str, str | None]:
    """Return git's message without its advice (lockfile.c), and a hint where a lock is there."""
    found = _LOCK.search(message)
    if found is None:
        return message, None
    hint = f"another git is at work there, or one was killed; when none runs, remove {found[1]}"
    return message.partition("\n\n")[0], hint
