"""A real kernel, configured and linked as small as it goes, boots in QEMU."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.kernel.boot import (
    CONFIG_NEEDED,
    build_initramfs,
    compare_logs,
    config_fragment,
    pretend_kvm,
    run_qemu,
)
from tests.support.kernels import REQUIRED

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]


@pytest.fixture
def qemu() -> None:
    if shutil.which("qemu-system-x86_64") is None:
        if "kernel" in REQUIRED:
            pytest.fail("kernel tests are required, but there is no qemu-system-x86_64")
        pytest.skip("KERNEL TEST NOT RUN: apt-get install qemu-system-x86")


def make(source: Path, output: Path, *words: str) -> None:
    argv = ["make", "-s", f"O={output}", f"-j{os.cpu_count()}", *words]
    done = subprocess.run(argv, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture
def vmlinux(qemu, kernel_6_1, git, tmp_path) -> Path:
    source, output = tmp_path / "source", tmp_path / "out"
    git(tmp_path, "clone", "-q", "--shared", "-b", "master", kernel_6_1, source)
    fragment = tmp_path / "fragment"
    fragment.write_text(config_fragment((source / "arch/x86/Kconfig").read_text()))
    make(source, output, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig")
    config = (output / ".config").read_text()
    for option in (*CONFIG_NEEDED, "INTEL_TDX_GUEST", "PVH"):
        assert f"CONFIG_{option}=y\n" in config
    make(source, output, "vmlinux")
    return output / "vmlinux"


def test_a_kernel_boots_and_says_the_same_each_time(vmlinux, tmp_path):
    initramfs = build_initramfs(tmp_path)
    log = run_qemu(vmlinux, initramfs)
    assert log.reached_init, log.lines[-5:]
    assert log.trouble == ()
    assert run_qemu(vmlinux, initramfs).lines == log.lines

    # Taken for KVM, it runs KVM's guest code; its features are none, so little else changes.
    assert pretend_kvm(vmlinux, tmp_path / "kvm")
    guest = run_qemu(tmp_path / "kvm", initramfs)
    assert guest.reached_init, guest.lines[-5:]
    assert guest.trouble == ()
    diff = compare_logs(log.lines, guest.lines)
    assert "Hypervisor detected: KVM" in diff.gained
    assert diff.lost == ("Booting paravirtualized kernel on bare hardware",)

    # Without an init the kernel panics, and that is not taken for a boot.
    empty = tmp_path / "empty.cpio"
    empty.write_bytes(initramfs.read_bytes().replace(b"init\0", b"exit\0", 1))
    failed = run_qemu(vmlinux, empty)
    assert not failed.reached_init
    assert any("Kernel panic" in line for line in failed.trouble)
