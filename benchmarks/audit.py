#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Time `patchgen audit` on Debian's kernels, cold and with a cache. Nothing is asserted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.kernels import kernel_tree

PATCHGEN = str(Path(sys.executable).parent / "patchgen")


def main() -> None:
    table = Table("kernel", "", "seconds", "largest process", "all its processes", box=box.SIMPLE)
    for version in ("6.1", "6.12"):
        kernel = kernel_tree(version)
        with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
            os.environ["XDG_CACHE_HOME"] = folder
            for name in ("cold", "again"):
                seconds, largest, together = measure([PATCHGEN, "audit", "--tree", str(kernel)])
                sizes = (f"{largest // 1024} MB", f"{together // 1024} MB")
                table.add_row(version, name, f"{seconds:.1f}", *sizes)
    Console(width=100).print(table)


def measure(argv: list[str]) -> tuple[float, int, int]:
    """Return seconds, and the peak resident memory in KiB: of the largest process, and of all.

    Shared pages count for each process, so the sum is an upper bound.
    """
    begin = time.monotonic()
    largest = together = 0
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as started:
        while started.poll() is None:
            sizes = [resident(pid) for pid in family(started.pid)]
            largest = max(largest, *sizes, 0)
            together = max(together, sum(sizes))
            time.sleep(0.05)
    assert started.returncode == 0
    return time.monotonic() - begin, largest, together


def family(pid: int) -> list[int]:
    """Return a process and all its descendants (proc(5))."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


def resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) if sizes else 0


if __name__ == "__main__":
    main()
