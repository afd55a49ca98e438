# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests to change the status of pages, and the op that notifies the hypervisor of them."""

from __future__ import annotations

from patchgen.audit.result import Platform, SiteGroup
from tests.support.small_kernel import PATH, audit_files, declare_op

OP = {
    "arch/x86/include/asm/paravirt.h": declare_op(),
    PATH: """\
static void kvm_sev_notify(unsigned long pfn, int npages, bool enc)
{
	kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, pfn << PAGE_SHIFT);
}
static void kvm_init_platform(void)
{
	pv_ops.mmu.notify_page_enc_status_changed = kvm_sev_notify;
}
struct x86_init_ops x86_init = { .hyper.init_platform = kvm_init_platform };
""",
}
MEM_ENCRYPT = """\
static void __init __set_clr_pte_enc(pte_t *kpte, int level, bool enc)
{
	pgprot_t new_prot = pte_pgprot(*kpte);

	if (enc)
		pgprot_val(new_prot) |= _PAGE_ENC;
	set_pte_atomic(kpte, pfn_pte(1, new_prot));
}
static int __init early_set_memory_enc_dec(unsigned long vaddr, unsigned long size, bool enc)
{
	pte_t *kpte;
	int level;

	kpte = lookup_address(vaddr, &level);
	__set_clr_pte_enc(kpte, level, enc);
	NOTIFY
	return 0;
}
int __init early_set_memory_decrypted(unsigned long vaddr, unsigned long size)
{
	return early_set_memory_enc_dec(vaddr, size, false);
}
"""
ASKING = """\
static void __set_percpu_decrypted(void *ptr, unsigned long size)
{
	early_set_memory_decrypted((unsigned long)ptr, size);
}
void console_init(void)
{
	__set_percpu_decrypted(&per_cpu(steal_time, cpu), 64);
}
"""


def audit_changes(notify: str):
    text = MEM_ENCRYPT.replace("NOTIFY", notify)
    extra = {"arch/x86/mm/mem_encrypt.c": text, "arch/x86/kernel/cpu/asking.c": ASKING}
    return audit_files({**OP, **extra})


def test_the_function_that_names_the_pages_makes_the_request():
    (change,) = audit_changes("").early_changes
    assert str(change.place) == "arch/x86/kernel/cpu/asking.c:7"
    assert (change.call, change.pages) == ("__set_percpu_decrypted", "&per_cpu(steal_time, cpu)")
    assert (change.to, change.notifiers, change.routed) == ("shared", (), False)


def test_the_op_notifies_with_its_platforms():
    audit = audit_changes("notify_page_enc_status_changed(vaddr >> PAGE_SHIFT, 1, enc);")
    (change,) = audit.early_changes
    assert change.routed
    (notifier,) = change.notifiers
    assert (notifier.means, notifier.functions) == ("op", ("kvm_sev_notify",))
    assert notifier.platforms == (Platform.SEV, Platform.SEV_ES)
    (call,) = audit.early_hypercalls
    assert (call.function, call.group) == ("kvm_sev_notify", SiteGroup.ROUTED)
    assert audit.notify is not None
    assert [step.function for step in audit.notify.implementations] == ["kvm_sev_notify"]


def test_a_hypercall_that_bypasses_the_op_is_not_routed():
    direct = OP[PATH].replace(
        "\tpv_ops.mmu", "\tkvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, 0);\n\tpv_ops.mmu"
    )
    hypercalls = {
        hypercall.function: hypercall
        for hypercall in audit_files({**OP, PATH: direct}).early_hypercalls
    }
    assert hypercalls["kvm_init_platform"].group is SiteGroup.UNROUTED
    assert hypercalls["kvm_init_platform"].unrouted is not None
