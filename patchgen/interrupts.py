# SPDX-License-Identifier: GPL-2.0-or-later
"""Defer interrupts while a step runs that must not be cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# The signals that unwind the stack like Ctrl-C (patchgen/cli/main.py).
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Deferral:
    """Whether a block defers signals, whether one is pending, and what blocks have written."""

    is_active: bool = False
    is_pending: bool = False
    written: str = ""


_deferral = _Deferral()


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

    def defer(number: int, frame: object) -> None:
        if _deferral.is_pending:
            raise KeyboardInterrupt
        _deferral.is_pending = True

    numbers = [number for number in INTERRUPTS if signal.getsignal(number) is not signal.SIG_IGN]
    _deferral.is_active, _deferral.is_pending = True, False
    handlers = {number: signal.signal(number, defer) for number in numbers}
    try:
        yield
        _deferral.written = written or _deferral.written
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _deferral.is_active = False
    if _deferral.is_pending:
        raise KeyboardInterrupt


def describe_written() -> str:
    """Return what this run has written permanently, to report on an interrupt; "" for nothing."""
    return _deferral.written
