# SPDX-License-Identifier: GPL-2.0-or-later
"""Count the programs that a test starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_counts: list[list[str]] = []


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "subprocess.Popen":
        for started in _counts:
            started.append(" ".join(map(os.fsdecode, args[1])))  # type: ignore[call-overload]


@contextmanager
def list_programs() -> Iterator[list[str]]:
    """Collect the command lines of the programs that this process starts in the `with` body."""
    # An audit hook cannot be removed, so it is added once (sys.addaudithook).
    if not hasattr(sys, "_patchgen_counts"):
        sys.addaudithook(_note)
        sys._patchgen_counts = True  # type: ignore[attr-defined]
    started: list[str] = []
    _counts.append(started)
    try:
        yield started
    finally:
        _counts.remove(started)
