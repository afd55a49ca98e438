# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fixture `patchgen` runs is the program as users run it."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest
from pydantic import BaseModel

from tests.support import TOP
from tests.support.fork_server import _preload

CALLS = (
    ("--version",),
    ("nope",),
    ("variants",),
    ("show", "pvops", "--json"),
    ("apply", "--variant", "nope"),
    ("audit", "--tree", "gone"),
    ("doctor",),
)


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_forked_call_prints_and_ends_as_the_program_does(patchgen, monkeypatch, tmp_path, words):
    # Each call is in its own folder, and finds other programs than the server.
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SPATCH", "/no/spatch")
    program = subprocess.run(
        [sys.executable, "-m", "patchgen", *words],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )
    forked = patchgen(*words, cwd=tmp_path)
    assert (forked.code, forked.out, forked.err) == (
        program.returncode,
        program.stdout,
        program.stderr,
    )


def test_a_signal_that_ends_a_forked_call_is_its_exit_code(patchgen, monkeypatch, tmp_path):
    spatch = tmp_path / "spatch"
    spatch.write_text("#!/bin/sh\nkill -KILL $PPID\n")
    spatch.chmod(0o755)
    monkeypatch.setenv("SPATCH", str(spatch))
    assert patchgen("doctor").code == -signal.SIGKILL
    assert patchgen("--version").code == 0


def print_state() -> None:
    """Import all of patchgen as the server does, and print the state that a child would inherit."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    environment = dict(os.environ)
    _preload()
    modules = [module for name, module in sys.modules.items() if name.startswith("patchgen")]
    values = [value for module in modules for value in vars(module).values()]
    values += [v for value in values if isinstance(value, type) for v in vars(value).values()]
    caches = [value for value in values if isinstance(value, functools._lru_cache_wrapper)]
    assert caches
    print([cache for cache in caches if cache.cache_info().currsize])
    print([number for number in handlers if signal.getsignal(number) != handlers[number]])
    print(threading.active_count(), os.environ == environment, tempfile.tempdir)


def print_unprepared() -> None:
    """Print whether GitPython is imported, and the models whose schemas are not built."""
    _preload()
    models = [value for module in list(sys.modules.values()) for value in vars(module).values()]
    classes = {
        model for model in models if isinstance(model, type) and issubclass(model, BaseModel)
    }
    own = {model for model in classes if model.__module__.startswith("patchgen.")}
    assert len(own) > 20
    print("git" in sys.modules, [model for model in own if not model.__pydantic_complete__])


def test_the_server_has_imported_and_built_what_takes_long():
    program = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import print_unprepared; print_unprepared()"],
        cwd=TOP,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (program.stdout, program.stderr) == ("True []\n", "")


def test_importing_leaves_no_state_that_one_call_could_hide_from_another():
    program = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import print_state; print_state()"],
        cwd=TOP,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (program.stdout, program.stderr) == ("[]\n[]\n1 True None\n", "")
