# SPDX-License-Identifier: GPL-2.0-or-later
"""Run Python code with a bound for its CPU time, to notice code of quadratic or exponential time.

The bound is CPU time, as a busy machine lets any process wait.
"""

from __future__ import annotations

import subprocess
import sys

# Linear code needs less than a tenth of it; quadratic code needs minutes.
_CPU_S = 60
_LIMIT = f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, ({_CPU_S}, {_CPU_S}))\n"


def run_bounded(code: str, subjects: object = None) -> None:
    """Run code in another process, which reads the repr() of `subjects` from standard input.

    Raises subprocess.CalledProcessError if it fails or needs more CPU time than the bound.
    """
    command = [sys.executable, "-c", _LIMIT + code]
    subprocess.run(command, input=repr(subjects), text=True, check=True)
