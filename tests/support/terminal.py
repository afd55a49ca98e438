# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a program on a terminal of its own."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import TOP


@dataclass(frozen=True)
class Shown:
    """What a program wrote to the terminal, and its exit code."""

    text: str
    code: int


def run_on_terminal(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    rows: int = 24,
    columns: int = 80,
    typed: str = "",
) -> Shown:
    """Run a program whose standard streams are a terminal of that size, and return the result.

    The terminal echoes the typed text, which is there before the program reads it.
    """
    pid, leader = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(cwd or Path.cwd())
            variables = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(TOP), **(env or {})}
            for name in ("LINES", "COLUMNS"):
                variables.pop(name, None)
            os.execvpe(argv[0], list(map(str, argv)), variables)
        finally:
            os._exit(99)
    os.write(leader, typed.encode())
    text = b""
    while piece := _read(leader):
        text += piece
    os.close(leader)
    status = os.waitpid(pid, 0)[1]
    return Shown(
        text.decode(errors="replace").replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)
    )


def patchgen_on_terminal(*args: str | Path, **options: object) -> Shown:
    """Run patchgen on a terminal. A traceback fails the test."""
    shown = run_on_terminal([sys.executable, "-m", "patchgen", *args], **options)  # type: ignore[arg-type]
    assert "Traceback" not in shown.text, shown.text
    return shown


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 1 << 16)
    except OSError as err:
        # Linux reports the end of a terminal as an error.
        if err.errno == errno.EIO:
            return b""
        raise
