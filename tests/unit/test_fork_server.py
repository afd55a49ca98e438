# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fixture `patchgen` runs is the program as users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support.prepared import TOP

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
