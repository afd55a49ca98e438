# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a small kernel of x86 in QEMU, and compare what two kernels print while they boot.

QEMU emulates the processor (TCG), so nothing of the host is needed. Its clock counts instructions
(-icount): the same kernel prints the same bytes in each run. TCG has no SEV and no TDX, and does
not identify itself as KVM; pretend_kvm() works around the latter.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import ToolError
from patchgen.process import run

MARKER = "patchgen: init reached"
HINT = "apt-get install --no-install-recommends qemu-system-x86, or set QEMU to its path"
_INIT_FLAGS = ("-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-Os", "-s")
_COMMAND_LINE = "console=ttyS0 earlyprintk=serial panic=-1 reboot=k"
# The options that a guest needs to reach user space; all others are off (make allnoconfig). PVH
# lets QEMU start vmlinux itself, so that no bzImage has to be built.
_CONFIG = """\
EXPERT 64BIT SMP CC_OPTIMIZE_FOR_SIZE UNWINDER_GUESS INIT_STACK_NONE HYPERVISOR_GUEST PARAVIRT PVH
KVM_GUEST AMD_MEM_ENCRYPT X86_X2APIC PRINTK EARLY_PRINTK BUG TTY SERIAL_8250 SERIAL_8250_CONSOLE
BLK_DEV_INITRD BINFMT_ELF
"""
# The options under test; a kernel without them would prove little.
CONFIG_NEEDED = ("PARAVIRT", "KVM_GUEST", "AMD_MEM_ENCRYPT", "SERIAL_8250_CONSOLE")
_TDX = re.compile(r"^config INTEL_TDX_GUEST\n(?:[\t ].*\n|\n)*", re.MULTILINE)
_KVM_SIGNATURE = b"KVMKVMKVM\0\0\0"
_TCG_SIGNATURE = b"TCGTCGTCGTCG"
_TROUBLE = re.compile(
    r"BUG[: ]|WARNING: |Oops|Kernel panic|PANIC: |general protection fault|unable to handle"
    r"|Call Trace:"
)


@dataclass(frozen=True, slots=True)
class BootLog:
    """The output of a kernel. `trouble` are lines that no sound kernel prints."""

    lines: tuple[str, ...]
    seconds: float
    timed_out: bool

    @property
    def reached_init(self) -> bool:
        """Whether user space was reached."""
        return MARKER in self.lines

    @property
    def trouble(self) -> tuple[str, ...]:
        """The lines that report a bug or a crash."""
        return tuple(line for line in self.lines if _TROUBLE.search(line))


@dataclass(frozen=True, slots=True)
class LogDiff:
    """The lines that only one of two logs has, compared after normalisation."""

    lost: tuple[str, ...]
    gained: tuple[str, ...]


def build_config_fragment(kconfig: str) -> str:
    """Return the options to set, for `make KCONFIG_ALLCONFIG=FILE allnoconfig` and then `vmlinux`.

    `kconfig` is the tree's arch/x86/Kconfig. TDX is on if the tree has it; from v6.3 on that needs
    an EFI stub, and so ACPI.
    """
    options = _CONFIG.split()
    if tdx := _TDX.search(kconfig):
        options.append("INTEL_TDX_GUEST")
        options += ["ACPI", "EFI", "EFI_STUB"] if "EFI_STUB" in tdx[0] else []
    return "".join(f"CONFIG_{option}=y\n" for option in options)


def pretend_kvm(vmlinux: Path, target: Path) -> bool:
    """Write a copy of a kernel that recognises TCG as KVM, so that its KVM guest code runs.

    The copy looks for TCG's signature in CPUID leaf 0x40000000, which announces no features: the
    platform's init hooks run, and code that depends on a feature does not. Returns False, and
    writes nothing, unless the kernel has KVM's signature exactly once.
    """
    content = vmlinux.read_bytes()
    if content.count(_KVM_SIGNATURE) != 1:
        return False
    target.write_bytes(content.replace(_KVM_SIGNATURE, _TCG_SIGNATURE))
    return True


def build_initramfs(folder: Path) -> Path:
    """Compile the init that prints MARKER and restarts; pack it. Raises ToolError without gcc."""
    init = folder / "init"
    source = Path(__file__).with_name("init.c")
    compiler = os.environ.get("CC") or "gcc"
    args = [compiler, *_INIT_FLAGS, f'-DMARKER="{MARKER}"', "-o", str(init), str(source)]
    run(args, env={**os.environ, "TMPDIR": str(folder)})
    packed = folder / "initramfs.cpio"
    packed.write_bytes(
        _pack_entry("dev", 0o40755)
        + _pack_entry("dev/console", 0o20600, device=(5, 1))
        + _pack_entry("init", 0o100755, init.read_bytes())
        + _pack_entry("TRAILER!!!", 0)
    )
    return packed


def _pack_entry(
    name: str, mode: int, data: bytes = b"", *, device: tuple[int, int] = (0, 0)
) -> bytes:
    """Return an entry (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return b"".join(part + b"\0" * (-len(part) % 4) for part in (head, data))


def find_qemu() -> str:
    """Return the path of $QEMU or qemu-system-x86_64. Raises ToolError if it is not installed."""
    name = os.environ.get("QEMU") or "qemu-system-x86_64"
    if (path := shutil.which(name)) is None:
        raise ToolError(
            f"{name} is not installed (needed to boot kernels)", code="program-missing", hint=HINT
        )
    return path


def read_qemu_version() -> str:
    """Return the first line of the emulator's --version. Raises ToolError if it is missing."""
    return run([find_qemu(), "--version"]).stdout.decode("utf-8", "replace").partition("\n")[0]


def run_qemu(
    kernel: Path, initramfs: Path, *, timeout_s: float = 60, processor: str = "max"
) -> BootLog:
    """Boot a vmlinux with PVH, or a bzImage, until init restarts it or the time is up."""
    machine = "-nodefaults -no-user-config -display none -serial stdio -no-reboot -m 256"
    # 32 ns per instruction: with less, delays take many instructions; with more, time is coarse.
    clock = "-accel tcg -icount shift=5,sleep=off -rtc base=2021-08-20,clock=vm"
    argv = [find_qemu(), *machine.split(), *clock.split(), "-cpu", processor]
    argv += ["-kernel", str(kernel), "-initrd", str(initramfs), "-append", _COMMAND_LINE]
    completed = run(argv, timeout_s=timeout_s, ok=None)
    if completed.returncode != 0 and not completed.timed_out:
        raise ToolError(
            f"{argv[0]} failed with exit code {completed.returncode}: {completed.errors}",
            code="program-failed",
        )
    text = completed.stdout.decode("utf-8", "replace").replace("\r", "")
    lines = (line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).splitlines())
    return BootLog(tuple(line for line in lines if line), completed.seconds, completed.timed_out)


def compare_logs(base: Sequence[str], tip: Sequence[str]) -> LogDiff:
    """Return the lines that only one of two logs has, in order.

    Lines are compared as normalise_line() returns them, and by how often they occur, not by their
    position: kernel threads may run in another order.
    """
    return LogDiff(_find_missing(tip, base), _find_missing(base, tip))


def _find_missing(log: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(map(normalise_line, log))
    missing = []
    for line in other:
        counts[normalise_line(line)] -= 1
        if counts[normalise_line(line)] < 0:
            missing.append(line)
    return tuple(missing)


_SAME = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^\[ *\d+\.\d+\](\[[ TC\d]+\])? ", ""),
        (r"^Linux version .*", "Linux version"),
        (r"\b0x[0-9a-f]+\b|\b[0-9a-f]{16}\b", "ADDRESS"),
        (r"\b[0-9a-f]{40}\b", "ID"),
        (r"(sched_clock: Marking stable) .*", r"\1"),
        (r"\b\d+\.\d+ (MHz|BogoMIPS|seconds)", r"N \1"),
        (r"\b(lpj=|max_idle_ns: |shift: |mult: )\d+", r"\1N"),
        (r"(?<=[ (/:-])\d+(\.\d+)?(?= ?([kKMG]i?B?|bytes|pages|pages/cpu)\b)", "N"),
        (r"\b(s|r|d|u)\d+(?= (r|d|u)\d|$)", r"\1N"),
        (r"\b(pages: )\d+", r"\1N"),
        (r"\b(order: )-?\d+", r"\1N"),
    )
]


def normalise_line(line: str) -> str:
    """Return a kernel's line without time, addresses, sizes, frequencies and build."""
    for pattern, replacement in _SAME:
        line = pattern.sub(replacement, line)
    return line
