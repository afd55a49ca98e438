# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that are started from threads, and what happens to them when patchgen is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from patchgen.errors import ToolError
from patchgen.process import map_parallel, run, stream


def test_results_are_in_the_order_of_the_items_and_so_is_the_first_error():
    assert map_parallel(lambda n: n * n, range(5), workers=2) == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        map_parallel(lambda n: 1 // (n - 1), range(5), workers=2)


def test_the_output_of_a_program_at_its_time_limit_is_returned():
    result = run(["sh", "-c", "echo said; exec sleep 60"], timeout_s=0.5)
    assert (result.timed_out, result.stdout) == (True, b"said\n")
    with pytest.raises(ToolError, match="failed with exit code 3: why"):
        run(["sh", "-c", "echo why >&2; exit 3"])


def test_only_a_newline_ends_a_line_of_output():
    names = "a\x0bb\n\ncd\u2028\ne\udcff"
    for end in ("", "\n"):
        completed = run(["printf", "%s", f"{names}{end}"])
        assert completed.lines == names.split("\n")
    assert run(["true"]).lines == []


def test_pieces_come_while_the_program_runs_and_closing_ends_it():
    begun = time.monotonic()
    pieces = stream(["sh", "-c", "echo $$; exec sleep 60.125"])
    pid = int(next(pieces))
    pieces.close()
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(stream(["sh", "-c", "echo said; exit 1"], ok=(0, 1))) == [b"said\n"]
    with pytest.raises(ToolError, match="failed with exit code 3: why"):
        list(stream(["sh", "-c", "echo why >&2; exit 3"]))
    with pytest.raises(ToolError, match="cannot be started"):
        list(stream(["no-such-program"]))


INTERRUPTED = """\
from patchgen.process import map_parallel, run
print("begun", flush=True)
map_parallel(lambda n: run(["sleep", f"6{n}.25"], ok=None), range(9), workers=2)
"""


def test_an_interrupt_ends_what_threads_wait_for():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None and process.stdout.readline() == b"begun\n"
    time.sleep(1)
    # To Python alone, as `kill` does; a terminal would send it to the programs, too.
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    process.stdout.close()
    assert process.returncode != 0
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 60.25" not in running.stdout and "sleep 61.25" not in running.stdout
