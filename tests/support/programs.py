# SPDX-License-Identifier: GPL-2.0-or-later
"""Install patchgen as a program, and list the programs that a test starts or patchgen runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import TOP

_counts: list[list[str]] = []


def install_patchgen(path: Path) -> Path:
    """Write a program that runs patchgen from these sources, and return its path."""
    path.write_text(f'#!/bin/sh\nPYTHONPATH={TOP} exec {sys.executable} -m patchgen "$@"\n')
    path.chmod(0o755)
    return path


def log_runs(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that gets the arguments of each run of a program of the PATH."""
    log = folder / f"{program}.log"
    wrapper = folder / "bin" / program
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {shutil.which(program)} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    return log


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
