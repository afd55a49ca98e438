# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain why git cannot write a ref: often another git's lock, or one left by a killed git."""

from __future__ import annotations

import re

_LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")


def explain_ref_failure(message: str) -> tuple[str, str | None]:
    """Return git's message without its advice (lockfile.c), and a hint if a lock is the reason."""
    found = _LOCK.search(message)
    if found is None:
        return message, None
    hint = f"another git is running there, or one was killed; if none runs, remove {found[1]}"
    return message.partition("\n\n")[0], hint
