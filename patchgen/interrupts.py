# SPDX-License-Identifier: GPL-2.0-or-later
"""Put off interrupts while a step runs that must not be cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# The signals that unwind the stack like Ctrl-C (patchgen/cli/main.py).
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class _Waiting:
    """Depth of nested blocks, whether a signal arrived meanwhile, and what blocks have done."""

    depth: int = 0
    has_come: bool = False
    done: str = ""


_waiting = _Waiting()


@contextmanager
def put_off_interrupts(done: str = "") -> Iterator[None]:
    """Put off the first Ctrl-C, SIGTERM or SIGHUP until the outermost such block has ended.

    A second one takes effect at once, because the block may wait for something that hangs. Raises
    KeyboardInterrupt. After the block has finished, `done_before` returns `done`.
    """
    if threading.current_thread() is not threading.main_thread() or _waiting.depth:
        yield
        _waiting.done = done or _waiting.done
        return

    def note(number: int, frame: object) -> None:
        if _waiting.has_come:
            raise KeyboardInterrupt
        _waiting.has_come = True

    heeded = [
        signal_number
        for signal_number in INTERRUPTS
        if signal.getsignal(signal_number) is not signal.SIG_IGN
    ]
    _waiting.depth, _waiting.has_come = 1, False
    before = {signal_number: signal.signal(signal_number, note) for signal_number in heeded}
    try:
        yield
        _waiting.done = done or _waiting.done
    finally:
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
        _waiting.depth = 0
    if _waiting.has_come:
        raise KeyboardInterrupt


def done_before() -> str:
    """Return what this run has written permanently, to report on an interrupt; "" for nothing."""
    return _waiting.done
