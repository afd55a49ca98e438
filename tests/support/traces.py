# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of a kernel that run, in the order of their first entry.

QEMU emulates the processor and logs the code that it translates (-d in_asm), which it does before
the code runs for the first time. So the log has the first instruction of a function when the
function is first entered, and the kernel needs no change for that.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from patchgen.kernel.x86_boot import MARKER, find_qemu

_MACHINE = (
    "-nodefaults -no-user-config -display none -serial stdio -no-reboot -m 256 -accel tcg -cpu max"
)
_COMMAND_LINE = "console=ttyS0 earlyprintk=serial panic=-1 reboot=k"
_INSTRUCTION = re.compile(rb"^0x(?P<at>[0-9a-f]+): ")
# Before it sets up its page tables, the kernel runs at physical addresses
# (__START_KERNEL_map in arch/x86/include/asm/page_64_types.h).
_MAP = 0xFFFFFFFF80000000
_PHYSICAL = 1 << 30


def trace_functions(
    vmlinux: Path, initramfs: Path, folder: Path, *, parameters: str = "", timeout_s: float = 240
) -> list[str]:
    """Boot a kernel until init runs, and return the functions in the order of first entry."""
    log = folder / f"{vmlinux.name}.trace"
    argv = [find_qemu(), *_MACHINE.split(), "-d", "in_asm", "-D", str(log)]
    argv += ["-kernel", str(vmlinux), "-initrd", str(initramfs)]
    argv += ["-append", f"{_COMMAND_LINE} {parameters}"]
    result = subprocess.run(argv, capture_output=True, check=False, timeout=timeout_s)
    assert result.returncode == 0, result.stderr[-2000:]
    assert MARKER.encode() in result.stdout, result.stdout[-2000:]
    names = _read_symbols(vmlinux)
    order: dict[str, None] = {}
    with log.open("rb") as lines:
        for line in lines:
            if match := _INSTRUCTION.match(line):
                at = int(match["at"], 16)
                for name in names.get(at + _MAP if at < _PHYSICAL else at, ()):
                    order[name] = None
    log.unlink()
    return list(order)


def _read_symbols(vmlinux: Path) -> dict[int, list[str]]:
    """Return the functions that begin at each address: aliases share one."""
    argv = ["nm", "--defined-only", str(vmlinux)]
    names: dict[int, list[str]] = {}
    for line in subprocess.run(argv, capture_output=True, check=True, text=True).stdout.split("\n"):
        address, _, symbol = line.partition(" ")
        if symbol[:1] in ("t", "T", "w", "W"):
            names.setdefault(int(address, 16), []).append(symbol[2:])
    return names
