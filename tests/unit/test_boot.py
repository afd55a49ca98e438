# SPDX-License-Identifier: GPL-2.0-or-later
"""Booting: what goes into QEMU, what is made of what comes out, and what counts as a difference."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.errors import ToolError
from patchgen.kernel.x86_boot import (
    MARKER,
    build_config_fragment,
    build_initramfs,
    compare_logs,
    normalise_line,
    pretend_kvm,
    run_qemu,
)

SAME = [
    ("[    0.000000] Movable zone", "[    1.234567][    T1] Movable zone"),
    ("Linux version 5.15.85+ (root@vm) #1 SMP Mon", "Linux version 5.15.85-00004-g12ab #7 SMP Tue"),
    ("last_pfn = 0xffe0 max_arch_pfn = 0x400000000", "last_pfn = 0xfff max_arch_pfn = 0x1"),
    ("RIP: ffffffff81000001", "RIP: ffffffff81fe0420"),
    (
        "Memory: 239620K/261624K available (6145K kernel code, 0K cma-reserved)",
        "Memory: 239612K/261624K available (6149K kernel code, 0K cma-reserved)",
    ),
    ("percpu: Embedded 43 pages/cpu s147456 r0 d28672", "percpu: Embedded 44 pages/cpu s1 r2 d3"),
    ("tsc: Detected 2600.005 MHz processor", "tsc: Detected 999.9 MHz processor"),
    ("frequency.. 5200.01 BogoMIPS (lpj=10400020)", "frequency.. 2.02 BogoMIPS (lpj=104)"),
    ("sched_clock: Marking stable (1, 2)->(3, -4)", "sched_clock: Marking stable (5, 6)->(7, 8)"),
    (
        "Write protecting the kernel read-only data: 8192k",
        "Write protecting the kernel read-only data: 10k",
    ),
    ("Dentry cache: 32768 (order: 6, 262144 bytes)", "Dentry cache: 32768 (order: 7, 52 bytes)"),
]
OTHER = [
    ("smp: Brought up 1 node, 1 CPU", "smp: Brought up 1 node, 2 CPUs"),
    ("Booting paravirtualized kernel on KVM", "Booting paravirtualized kernel on bare hardware"),
    ("NR_IRQS: 4352, nr_irqs: 48", "NR_IRQS: 4352, nr_irqs: 49"),
    ("BIOS-e820: [mem 0x0-0x1] usable", "BIOS-e820: [mem 0x0-0x1] reserved"),
    (
        "KVM_HC_MAP_GPA_RANGE: pfn 0x12, 3 pages: -22",
        "KVM_HC_MAP_GPA_RANGE: pfn 0x12, 3 pages: -38",
    ),
]


@pytest.mark.parametrize(("line", "other"), SAME)
def test_what_differs_from_build_to_build_counts_as_the_same(line, other):
    assert normalise_line(line) == normalise_line(other)


@pytest.mark.parametrize(("line", "other"), OTHER)
def test_what_a_change_could_do_counts_as_a_difference(line, other):
    assert normalise_line(line) != normalise_line(other)


def test_compares_by_lines_and_their_number():
    base = ["a 0x1", "b", "once", "b"]
    tip = ["b", "a 0x2", "new 0x3", "b", "b"]
    diff = compare_logs(base, tip)
    assert diff.lost == ("once",)
    assert diff.gained == ("new 0x3", "b")
    assert compare_logs(base, base) == compare_logs([], [])


def test_tdx_is_enabled_if_the_tree_has_it():
    assert "TDX" not in build_config_fragment("config X86\n\tbool\n")
    tdx = "config INTEL_TDX_GUEST\n\tbool\n\tdepends on X86_X2APIC\n\n"
    assert "CONFIG_INTEL_TDX_GUEST=y\n" in build_config_fragment(tdx)
    assert "EFI" not in build_config_fragment(tdx + "config EFI_STUB\n")
    assert "CONFIG_EFI_STUB=y\n" in build_config_fragment(tdx + "\tdepends on EFI_STUB\n")


def test_pretends_kvm_in_a_copy(tmp_path):
    kernel, copy = tmp_path / "vmlinux", tmp_path / "copy"
    kernel.write_bytes(b"a KVMKVMKVM\0\0\0 b")
    assert pretend_kvm(kernel, copy)
    assert copy.read_bytes() == b"a TCGTCGTCGTCG b"
    for content in (b"no signature", kernel.read_bytes() * 2):
        kernel.write_bytes(content)
        assert not pretend_kvm(kernel, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_cpio_reads_the_initramfs(tmp_path):
    packed = build_initramfs(tmp_path)
    assert packed.read_bytes() == build_initramfs(tmp_path).read_bytes()
    assert MARKER.encode() in packed.read_bytes()
    if shutil.which("cpio"):
        argv = ["cpio", "-itv", "--quiet"]
        listed = subprocess.run(argv, input=packed.read_bytes(), capture_output=True, check=True)
        assert b"crw-------" in listed.stdout and b"5,   1" in listed.stdout
        assert b"-rwxr-xr-x" in listed.stdout and b" init\n" in listed.stdout


def boot(tmp_path: Path, monkeypatch, script: str, timeout_s: float = 20):
    """Boot in a stand-in for QEMU that does what a shell script says."""
    qemu = tmp_path / "qemu"
    qemu.write_text(f"#!/bin/sh\n{script}\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("QEMU", str(qemu))
    return run_qemu(tmp_path / "vmlinux", tmp_path / "initramfs.cpio", timeout_s=timeout_s)


def test_the_output_of_the_kernel_is_read(tmp_path, monkeypatch):
    log = boot(tmp_path, monkeypatch, f"printf '\\033[2Jone\\r\\n\\r\\n two \\r\\n{MARKER}\\r\\n'")
    assert log.lines == ("one", " two", MARKER)
    assert (log.reached_init, log.trouble, log.timed_out) == (True, (), False)


def test_a_crash_is_seen(tmp_path, monkeypatch):
    warning = "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2"
    log = boot(
        tmp_path, monkeypatch, f"echo fine; echo '{warning}'; echo 'PANIC: early exception 0x0e'"
    )
    assert not log.reached_init
    assert log.trouble == (warning, "PANIC: early exception 0x0e")


def test_a_kernel_that_hangs_is_ended(tmp_path, monkeypatch):
    log = boot(tmp_path, monkeypatch, "echo begun; exec sleep 60", timeout_s=0.5)
    assert log.timed_out and not log.reached_init
    assert log.lines == ("begun",)


def test_a_failure_of_qemu_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(ToolError, match="could not load kernel"):
        boot(tmp_path, monkeypatch, "echo 'could not load kernel' >&2; exit 1")
    monkeypatch.setenv("QEMU", "no-such-qemu")
    with pytest.raises(ToolError, match="no-such-qemu is not installed") as caught:
        run_qemu(tmp_path, tmp_path)
    assert "apt-get install" in str(caught.value.hint)
