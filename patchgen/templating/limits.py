# SPDX-License-Identifier: GPL-2.0-or-later
"""The limits of a template: processor time, memory, and the size of its result.

Jinja2's sandbox protects other objects from a template, but does not limit the resources that it
uses. Limits for each operator, filter and method would miss some. So templates are rendered in a
separate process (patchgen.templating.worker) with limits that the kernel enforces.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from collections.abc import Iterator
from types import FrameType

# The slowest template of the shipped variants takes 20 ms, and the process 60 MB.
SECONDS = 10
MEMORY_BYTES = 512 << 20
LARGEST_OUTPUT = 8 << 20

# Memory in reserve to report the error once a template has used up its memory.
_RESERVED_BYTES = 128 << 20
# Python's C code does not handle signals while it runs: SIGXCPU ends the process this much later.
_GRACE_SECONDS = 2


# Jinja2's function that rewrites the traceback of a template's error (jinja2/environment.py).
_HANDLER = "Environment.handle_exception"


class LimitError(Exception):
    """A template exceeds a limit."""


class TooLongError(LimitError):
    """A template exceeds its time. A signal handler raises it while `is_armed` is set."""

    is_armed = False


def enter_limits() -> None:
    """Limit this process permanently. limited_time() sets its processor time for each template."""
    hard_limit = MEMORY_BYTES + _RESERVED_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard_limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _interrupt)


@contextlib.contextmanager
def limited_time(seconds: int) -> Iterator[None]:
    """Raise TooLongError in the body once it has used that many seconds of processor time."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_CPU)
    spent = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds + _GRACE_SECONDS, hard_limit))
    TooLongError.is_armed = True
    # Fire again every second: a filter may catch the first error.
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    try:
        yield
    finally:
        TooLongError.is_armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def relaxed_memory() -> Iterator[None]:
    """Let the body use the memory in reserve for errors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _interrupt(_number: int, frame: FrameType | None) -> None:
    if TooLongError.is_armed and not _is_failing(frame):
        raise TooLongError("it takes too long")


def _is_failing(frame: FrameType | None) -> bool:
    """Return whether Jinja2 is computing the template's line of an error.

    An error that is raised meanwhile would replace that one, and have no line.
    """
    while frame is not None:
        if frame.f_code.co_qualname == _HANDLER:
            return True
        frame = frame.f_back
    return False
