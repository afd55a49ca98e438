# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps that an interruption must not divide."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from patchgen import interrupts
from patchgen.interrupts import INTERRUPTS, defer_interrupts, describe_written


@pytest.fixture(autouse=True)
def interrupting(monkeypatch):
    """Let all signals unwind as under the command line, with nothing written before."""
    monkeypatch.setattr(interrupts, "_deferral", interrupts._Deferral())
    handlers = {number: signal.signal(number, signal.default_int_handler) for number in INTERRUPTS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", INTERRUPTS)
def test_the_first_signal_waits_for_the_outermost_block(number):
    steps = []
    with pytest.raises(KeyboardInterrupt), defer_interrupts("all of it"):
        send(number)
        with defer_interrupts("the ref"):
            steps.append("inner")
        steps.append("outer")
        assert describe_written() == "the ref"
    assert steps == ["inner", "outer"] and describe_written() == "all of it"
    with pytest.raises(KeyboardInterrupt):
        send(number)


def test_the_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt), defer_interrupts("all of it"):
        send(signal.SIGINT)
        send(signal.SIGTERM)
        pytest.fail("it waited")
    assert describe_written() == ""


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with defer_interrupts("all of it"):
        send(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_block_that_fails_reports_nothing_as_written():
    with pytest.raises(ValueError, match="no"), defer_interrupts("all of it"):
        raise ValueError("no")
    assert describe_written() == ""


LATE = """
import os, signal, sys, threading
from patchgen.cli import endings, main

def interrupt():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)

%s
main.main()
"""
IN_A_THREAD = """
def run(**options):
    def write():
        # The main thread joins this one after it has ended everything else.
        joined.wait(10)
        interrupt()
        print("thread ended")
    threading.Thread(target=write).start()
    return 3
joined = threading.Event()
threading._register_atexit(joined.set)
main.patchgen.main = run
"""
IN_THE_REPORT = """
def run(**options):
    raise KeyboardInterrupt
def describe_written():
    interrupt()
    return "the report is complete"
main.patchgen.main, endings.describe_written = run, describe_written
"""


@pytest.mark.parametrize(
    ("setup", "status", "output"),
    [(IN_A_THREAD, 3, "thread ended"), (IN_THE_REPORT, 130, "the report is complete")],
)
def test_a_late_signal_interrupts_neither_the_report_nor_the_end_of_threads(setup, status, output):
    argv = [sys.executable, "-c", LATE % setup]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert result.returncode == status, result.stderr
    assert output in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
