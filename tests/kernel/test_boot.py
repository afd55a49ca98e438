# SPDX-License-Identifier: GPL-2.0-or-later
"""A real kernel, configured and linked as small as possible, boots in QEMU."""

from __future__ import annotations

import pytest

from patchgen.kernel.x86_boot import (
    build_initramfs,
    compare_logs,
    pretend_kvm,
    run_qemu,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]


def test_a_kernel_boots_and_prints_the_same_each_time(vmlinux_6_1, tmp_path):
    initramfs = build_initramfs(tmp_path)
    log = run_qemu(vmlinux_6_1, initramfs)
    assert log.reached_init, log.lines[-5:]
    assert log.trouble == ()
    assert run_qemu(vmlinux_6_1, initramfs).lines == log.lines

    # With the signature of KVM, KVM's guest code runs; no feature is announced, so little changes.
    assert pretend_kvm(vmlinux_6_1, tmp_path / "kvm")
    guest = run_qemu(tmp_path / "kvm", initramfs)
    assert guest.reached_init, guest.lines[-5:]
    assert guest.trouble == ()
    diff = compare_logs(log.lines, guest.lines)
    assert "Hypervisor detected: KVM" in diff.gained
    assert diff.lost == ("Booting paravirtualized kernel on bare hardware",)

    # Without an init the kernel panics, and that is not reported as a boot.
    empty = tmp_path / "empty.cpio"
    empty.write_bytes(initramfs.read_bytes().replace(b"init\0", b"exit\0", 1))
    failed = run_qemu(vmlinux_6_1, empty)
    assert not failed.reached_init
    assert any("Kernel panic" in line for line in failed.trouble)
