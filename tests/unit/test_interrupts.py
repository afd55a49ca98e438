# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that an interruption must not divide."""

from __future__ import annotations

import os
import signal

import pytest

from patchgen import interrupts
from patchgen.interrupts import INTERRUPTS, done_before, put_off_interrupts


@pytest.fixture(autouse=True)
def interrupting(monkeypatch):
    """Have all signals unwind as the command line has them, and nothing done before."""
    monkeypatch.setattr(interrupts, "_waiting", interrupts._Waiting())
    before = {each: signal.signal(each, signal.default_int_handler) for each in INTERRUPTS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", INTERRUPTS)
def test_the_first_signal_waits_for_the_outermost_block(number):
    steps = []
    with pytest.raises(KeyboardInterrupt), put_off_interrupts("all of it"):
        send(number)
        with put_off_interrupts("the ref"):
            steps.append("inner")
        steps.append("outer")
        assert done_before() == "the ref"
    assert steps == ["inner", "outer"] and done_before() == "all of it"
    with pytest.raises(KeyboardInterrupt):
        send(number)


def test_the_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt), put_off_interrupts("all of it"):
        send(signal.SIGINT)
        send(signal.SIGTERM)
        pytest.fail("it waited")
    assert done_before() == ""


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with put_off_interrupts("all of it"):
        send(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_what_failed_is_not_done():
    with pytest.raises(ValueError, match="no"), put_off_interrupts("all of it"):
        raise ValueError("no")
    assert done_before() == ""
