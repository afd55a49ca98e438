# SPDX-License-Identifier: GPL-2.0-or-later
"""Ctrl-C, SIGTERM and SIGHUP unwind the stack, but do not interrupt steps that must be completed.

A signal that the caller ignores (nohup) is still ignored.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The exit code: 128 and the number of SIGINT, as in a shell.
EXIT_INTERRUPTED = 130
# Threads end much sooner, unless one hangs.
_END_OF_THREADS_S = 5.0

_Handler = Callable[[int, FrameType | None], Any]


@dataclass(slots=True)
class _Deferral:
    """Whether a block defers signals, whether one is pending, and what blocks have written."""

    is_active: bool = False
    is_pending: bool = False
    written: str = ""


_deferral = _Deferral()


def unwind_on_interrupts() -> None:
    """Let all of these signals raise KeyboardInterrupt, so that scratch folders are removed."""
    _set_handlers(signal.default_int_handler)


def ignore_late_interrupts(status: int = EXIT_INTERRUPTED) -> None:
    """Ignore signals while this process ends; after some seconds, a signal ends it at once.

    The process reports an error, and Python waits for threads, which may be removing their scratch
    folders: an interrupt would print a traceback. `status` is the exit code.
    """
    start = time.monotonic()

    def end(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - start > _END_OF_THREADS_S:
            os._exit(status)

    _set_handlers(end)


@contextmanager
def defer_interrupts(written: str = "") -> Iterator[None]:
    """Defer the first Ctrl-C, SIGTERM or SIGHUP until the outermost such block has ended.

    A second one takes effect at once, because the block may wait for something that hangs. Raises
    KeyboardInterrupt. After the block has finished, `describe_written` returns `written`.
    """
    if threading.current_thread() is not threading.main_thread() or _deferral.is_active:
        yield
        _deferral.written = written or _deferral.written
        return

    def defer(number: int, frame: FrameType | None) -> None:
        if _deferral.is_pending:
            raise KeyboardInterrupt
        _deferral.is_pending = True

    _deferral.is_active, _deferral.is_pending = True, False
    handlers = _set_handlers(defer)
    try:
        yield
        _deferral.written = written or _deferral.written
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _deferral.is_active = False
    if _deferral.is_pending:
        raise KeyboardInterrupt


@contextmanager
def report_interrupt(report: Callable[[], None]) -> Iterator[None]:
    """Call `report` on the first Ctrl-C, SIGTERM or SIGHUP, before it unwinds the block.

    Meant for a block that takes a while to end: it waits for programs and removes its files.
    """
    is_reported = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_reported
        if not is_reported:
            is_reported = True
            # The signal may have come while the same stream was written.
            with suppress(RuntimeError):
                report()
        raise KeyboardInterrupt

    handlers = _set_handlers(interrupt)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def leave_interrupts_to_program() -> Iterator[None]:
    """Do nothing on Ctrl-C while a program has the terminal, such as a pager, which handles it."""
    # A program would inherit SIG_IGN.
    handler = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def describe_written() -> str:
    """Return what this run has written permanently, to report on an interrupt; "" for nothing."""
    return _deferral.written


def _set_handlers(handler: _Handler) -> dict[signal.Signals, Any]:
    """Handle the signals, unless the caller ignores them; return the handlers replaced."""
    handled = [number for number in INTERRUPTS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in handled}
