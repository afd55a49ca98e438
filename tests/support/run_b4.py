# SPDX-License-Identifier: GPL-2.0-or-later
"""Run `b4 am` on many mailboxes with one start of Python: INTERPRETER run_b4.py < JOBS.

Each line of JOBS is a mailbox, a message-id, and the file for the patches that b4 writes; what it
prints is in the same file with ".log". Each run is a process of its own.
"""

from __future__ import annotations

import os
import sys
import traceback

import b4.command


def run(box: str, message_id: str, output: str) -> None:
    """Run `b4 am` in a new process, and wait for it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    status = 1
    try:
        for path, descriptor in ((output, 1), (f"{output}.log", 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
        sys.argv = ["b4", "--offline-mode", "am", "-m", box, "-o", "-", message_id]
        b4.command.cmd()
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


for line in sys.stdin.read().splitlines():
    run(*line.split("\t"))
