# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that the audit calls early run before alternatives are patched in a booting kernel.

QEMU emulates the processor without KVM, so the kernel runs as on bare hardware. Then a copy of the
kernel is changed to detect QEMU's own signature as KVM's, so that KVM's guest code runs; the host
is not involved. tests/support/traces.py lists the functions that run, in order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from patchgen.kernel.x86_boot import build_initramfs, pretend_kvm
from tests.support.audits import audit_kernel, list_early
from tests.support.traces import trace_functions

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

PATCHES = "alternative_instructions"
# With the path to each. All of them run in the first boot, or in the boot as a guest of KVM.
EARLY = (
    "sme_early_init",  # x86_64_start_kernel()
    "tdx_early_init",  # x86_64_start_kernel()
    "parse_no_kvmapf",  # early_param("no-kvmapf")
    "kvm_detect",  # x86_hyper_kvm.detect
    "vmware_platform",  # x86_hyper_vmware.detect
    "init_hypervisor_platform",  # setup_arch()
    "sev_es_init_vc_handling",  # trap_init()
    "x86_late_time_init",  # late_time_init
    "apic_intr_mode_init",  # x86_init.irqs.intr_mode_init
    "timer_interrupt",  # an interrupt: they are on since the middle of start_kernel()
)
EARLY_ON_KVM = (
    "kvm_init_platform",  # x86_hyper_kvm.init.init_platform
    "kvmclock_init",  # the former
    "kvm_guest_init",  # x86_hyper_kvm.init.guest_late_init
    "kvm_smp_prepare_boot_cpu",  # smp_ops.smp_prepare_boot_cpu
    "kvm_guest_cpu_init",  # the former
    "kvm_apic_init",  # x86_platform.apic_post_init
)
LATE = (
    "mem_encrypt_init",  # arch_cpu_finalize_init(), after alternative_instructions()
    "kernel_init",  # the first process
    "kvm_setup_vsyscall_timeinfo",  # early_initcall()
    "do_init_real_mode",  # early_initcall()
    "kvm_alloc_cpumask",  # arch_initcall()
    "smp_init",  # kernel_init_freeable()
    "free_initmem",  # kernel_init()
)


@dataclass(frozen=True)
class Traced:
    """The functions that ran before alternatives were patched, and those that first ran later.

    `claimed` are those that the audit of the same .config has in the window.
    """

    early: frozenset[str]
    late: frozenset[str]
    claimed: frozenset[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("running")


@pytest.fixture(scope="module")
def initramfs(folder: Path) -> Path:
    return build_initramfs(folder)


@pytest.fixture(scope="module")
def claimed(kernel_6_1: Path, vmlinux_6_1: Path) -> frozenset[str]:
    args = ("--config", str(vmlinux_6_1.parent / ".config"))
    return frozenset(list_early(audit_kernel(kernel_6_1, *args)))


def trace(vmlinux: Path, initramfs: Path, folder: Path, claimed: frozenset[str]) -> Traced:
    order = trace_functions(vmlinux, initramfs, folder, parameters="no-kvmapf")
    at = order.index(PATCHES)
    return Traced(frozenset(order[:at]), frozenset(order[at:]), claimed)


@pytest.fixture(scope="module")
def bare(vmlinux_6_1: Path, initramfs: Path, folder: Path, claimed: frozenset[str]) -> Traced:
    return trace(vmlinux_6_1, initramfs, folder, claimed)


@pytest.fixture(scope="module")
def on_kvm(vmlinux_6_1: Path, initramfs: Path, folder: Path, claimed: frozenset[str]) -> Traced:
    copy = folder / "vmlinux-kvm"
    assert pretend_kvm(vmlinux_6_1, copy)
    return trace(copy, initramfs, folder, claimed)


@pytest.mark.parametrize("name", EARLY)
def test_early_is_before_alternatives(bare, name):
    assert name in bare.claimed
    assert name in bare.early


@pytest.mark.parametrize("name", EARLY_ON_KVM)
def test_early_on_kvm_is_before_alternatives(bare, on_kvm, name):
    assert name in on_kvm.claimed
    assert name in on_kvm.early
    # Without the signature of KVM, none of these functions runs.
    assert name not in bare.early | bare.late


@pytest.mark.parametrize("name", LATE)
def test_late_is_after_alternatives(bare, on_kvm, name):
    assert name not in bare.claimed
    assert name in bare.late & on_kvm.late


# Functions that run early and are not in the audit, by name or pattern, with the reason.
NOT_READ = {
    r"_s?text|__lock_text_start|__softirqentry_text_start|__irqentry_text_start": "begin a section",
    r"__SCT__\w+": "trampolines of static calls",
    r"memcpy_orig|__memmove|__memset|__memcpy|this_cpu_cmpxchg16b_emu": "assembly, no calls",
    r"error_return|native_irq_return_iret|common_interrupt_return": "labels inside of a function",
    r"__common_interrupt": "the body of common_interrupt, under the name that a macro gives it",
    r"__loadsegment_fs": "loads a register, by a name that a macro joins, and calls nothing",
    r"blake2s\w*|chacha\w*|_bcd2bin": "lib/crypto and lib: sums that call nothing",
    r"mc146818_\w+|rtc_tm_to_time64|mktime64": "drivers/rtc, and what that alone calls",
}


def test_each_function_that_runs_early_is_in_the_window(bare, on_kvm):
    """Each function that ran before alternatives were patched must be in the window."""
    ran = bare.early | on_kvm.early
    assert len(ran) > 1000
    # "name.constprop.0" and the like are the compiler's copies.
    names = {name.partition(".")[0] for name in ran}
    not_read = re.compile("|".join(NOT_READ))
    missing = sorted(n for n in names - bare.claimed if not not_read.fullmatch(n))
    assert missing == []
