# SPDX-License-Identifier: GPL-2.0-or-later
"""What a template may use: time, memory, and the size of its result.

Jinja2's sandbox keeps a template from other people's objects, not from using up a machine. Each
operator, filter and method could be bounded on its own, and one would be forgotten. So templates
are rendered in a process of their own (patchgen.templating.worker), which the kernel bounds.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import time
from collections.abc import Iterator

# Shipped variants take 20 ms for their slowest template, and 60 MB.
SECONDS = 10
MEMORY_BYTES = 512 << 20
LARGEST_OUTPUT = 8 << 20

# What is left for the error itself once the memory is used up.
_SPARE_BYTES = 128 << 20
# C code does not look at signals: the kernel ends the process so much later (SIGXCPU).
_SPARE_SECONDS = 2


class LimitError(Exception):
    """A template uses more than it may."""


class TooLongError(LimitError):
    """A template's time is up. Raised by a signal, as long as it is `wanted`."""

    wanted = False


def enter_limits() -> None:
    """Bound this process for good. Only its processor time is renewed (renew_time())."""
    most = MEMORY_BYTES + _SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _interrupt)


@contextlib.contextmanager
def limited_time(seconds: int) -> Iterator[None]:
    """Raise TooLongError in the body where it takes that many seconds of processor time."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    spent = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds + _SPARE_SECONDS, most))
    TooLongError.wanted = True
    # Again each second: a filter may catch what the first one raises.
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    try:
        yield
    finally:
        TooLongError.wanted = False
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def relaxed_memory() -> Iterator[None]:
    """Give the body the memory that is set aside for an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _interrupt(*_: object) -> None:
    if TooLongError.wanted:
        raise TooLongError("it takes too long")
