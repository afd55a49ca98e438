# SPDX-License-Identifier: GPL-2.0-or-later
"""A static call that ends in a hypercall is a hypercall, whoever selects the instruction."""

from __future__ import annotations

import pytest

from patchgen.audit.result import Audit, EffectOutcome, Form, Hypercall, Platform
from patchgen.audit.tables import load_tables
from tests.support.small_kernel import audit_files

XEN = {
    "arch/x86/include/asm/xen/hypercall.h": """\
#define __HYPERCALL __ADDRESSABLE_xen_hypercall __stringify(call STATIC_CALL_TRAMP(xen_hypercall))
static inline int HYPERVISOR_version(int command)
{
	asm volatile(__HYPERCALL : : "a" (command) : "memory");
	return 0;
}
""",
    "arch/x86/xen/xen-head.S": """\
SYM_FUNC_START(xen_hypercall_hvm)
	call choose
	jz xen_hypercall_amd
	jmp xen_hypercall_intel
SYM_FUNC_END(xen_hypercall_hvm)
SYM_FUNC_START(xen_hypercall_amd)
	vmmcall
	RET
SYM_FUNC_END(xen_hypercall_amd)
SYM_FUNC_START(xen_hypercall_intel)
	vmcall
	RET
SYM_FUNC_END(xen_hypercall_intel)
SYM_FUNC_START(xen_hypercall_pv)
	syscall
	RET
SYM_FUNC_END(xen_hypercall_pv)
.macro xen_hypercall_iret
	syscall
.endm
SYM_CODE_START(xen_iret)
	xen_hypercall_iret
SYM_CODE_END(xen_iret)
SYM_CODE_START(xen_restore)
	jmp xen_iret
SYM_CODE_END(xen_restore)
""",
    "arch/x86/xen/enlighten.c": """\
DEFINE_STATIC_CALL(xen_hypercall, xen_hypercall_hvm);
void choose(void)
{
	void *func;

	if (amd)
		func = xen_hypercall_amd;
	else
		func = xen_hypercall_intel;
	static_call_update_early(xen_hypercall, func);
}
void pv(void)
{
	static_call_update_early(xen_hypercall, xen_hypercall_pv);
}
void console_init(void)
{
	HYPERVISOR_version(XENVER_version);
}
void late(void)
{
	HYPERVISOR_version(XENVER_late);
}
""",
}
HYPERV = {
    "arch/x86/include/asm/mshyperv.h": """\
static inline u64 hv_do_hypercall(u64 control, void *input)
{
	return static_call_mod(hv_hypercall)(control, input);
}
""",
    "arch/x86/hyperv/hv_init.c": """\
void *hv_hypercall_pg;
static u64 fail(void)
{
	return 0;
}
DEFINE_STATIC_CALL(__hv_hypercall, fail);
u64 hv_std_hypercall(u64 control)
{
	asm volatile("call " STATIC_CALL_TRAMP_STR(__hv_hypercall) : "+c" (control));
	return control;
}
DEFINE_STATIC_CALL(hv_hypercall, hv_std_hypercall);
static void set(void *address)
{
	hv_hypercall_pg = address;
	if (!address)
		address = &fail;
	static_call_update(__hv_hypercall, (hv_hypercall_f)address);
}
u64 hv_snp_hypercall(u64 control)
{
	asm volatile("vmmcall" : "+c" (control));
	return control;
}
u64 hv_tdx_hypercall(u64 control)
{
	return __tdx_hypercall(control);
}
u64 __tdx_hypercall(u64 control)
{
	asm volatile("tdcall" : "+c" (control));
	return control;
}
void choose(void)
{
	if (snp)
		static_call_update(hv_hypercall, hv_snp_hypercall);
	else
		static_call_update(hv_hypercall, hv_tdx_hypercall);
}
void console_init(void)
{
	hv_do_hypercall(HVCALL_X, 0);
}
""",
}


def find(audit: Audit, function: str) -> Hypercall:
    (hypercall,) = [site for site in audit.hypercalls if site.function == function]
    return hypercall


def test_a_call_of_xen_ends_in_the_instructions_of_the_static_call():
    audit = audit_files(XEN)
    site = find(audit, "console_init")
    assert (site.instruction.form, site.instruction.hypervisor) == (Form.STATIC_CALL, "xen")
    assert site.instruction.ends == (Form.SYSCALL, Form.VMCALL, Form.VMMCALL)
    assert (site.call, site.purpose) == ("HYPERVISOR_version", "XENVER_version")
    assert site.early is not None
    assert find(audit, "late").early is None
    assert Form.PAGE not in {site.instruction.form for site in audit.hypercalls}


def test_the_instructions_of_a_static_call_run_when_it_does():
    audit = audit_files(XEN)
    sites = {name: find(audit, f"xen_hypercall_{name}") for name in ("amd", "intel")}
    assert {name: site.instruction.form for name, site in sites.items()} == {
        "amd": Form.VMMCALL,
        "intel": Form.VMCALL,
    }
    assert all(site.early for site in sites.values())
    # An instruction in an assembler macro is the symbol's that uses the macro.
    assert find(audit, "xen_iret").instruction.form is Form.SYSCALL
    path = "arch/x86/xen/enlighten.c"
    uncalled = {path: XEN[path].replace("version(", "x(")}
    assert find(audit_files({**XEN, **uncalled}), "xen_hypercall_amd").early is None


@pytest.mark.parametrize(
    ("platform", "outcome"),
    [
        (Platform.VTX, EffectOutcome.WORKS),
        (Platform.SVM, EffectOutcome.WORKS),
        (Platform.SEV, EffectOutcome.WORKS),
        (Platform.SEV_ES, EffectOutcome.EMULATED),
        (Platform.TDX, EffectOutcome.FATAL),
    ],
)
def test_a_static_call_has_the_effect_of_the_instruction_that_suits_the_platform(platform, outcome):
    assert find(audit_files(XEN), "console_init").effects[platform].outcome is outcome


def test_a_call_of_hyper_v_ends_in_the_page_or_the_instruction_of_the_isolation():
    audit = audit_files(HYPERV, {"CONFIG_X86_64": "y"})
    site = find(audit, "console_init")
    assert (site.instruction.form, site.instruction.hypervisor) == (Form.STATIC_CALL, "hyperv")
    assert site.instruction.ends == (Form.PAGE, Form.TDCALL, Form.VMMCALL)
    assert (site.call, site.purpose) == ("hv_do_hypercall", "HVCALL_X")
    assert site.early is not None
    assert site.effects[Platform.TDX].outcome is EffectOutcome.WORKS
    assert find(audit, "hv_std_hypercall").instruction.form is Form.PAGE


def test_a_static_call_of_a_function_that_makes_a_hypercall_is_an_ordinary_call():
    source = (
        "static void send(void) { kvm_hypercall1(KVM_HC_SEND_IPI, 0); }\n"
        "DEFINE_STATIC_CALL(apic_call_send, send);\n"
        "void console_init(void) { static_call(apic_call_send)(); }\n"
    )
    audit = audit_files({"arch/x86/kernel/kvm.c": source})
    assert [site.function for site in audit.early_hypercalls] == ["send"]


@pytest.mark.parametrize(
    "trampoline", ["STATIC_CALL_TRAMP(go)", "STATIC_CALL_TRAMP_STR(go)", "__SCT__go"]
)
@pytest.mark.parametrize("instruction", ["call", "jmp"])
def test_a_trampoline_in_assembly_leads_to_the_function_of_the_static_call(trampoline, instruction):
    files = {
        "arch/x86/kernel/kvm.c": "void site(void) { kvm_hypercall1(KVM_HC_X, 0); }\n"
        "DEFINE_STATIC_CALL(go, site);\n",
        "arch/x86/kernel/head_64.S": "SYM_CODE_START(startup_64)\n"
        f"\t{instruction} {trampoline}\nSYM_CODE_END(startup_64)\n",
    }
    assert [site.function for site in audit_files(files).early_hypercalls] == ["site"]


def test_a_trampoline_in_inline_assembly_leads_to_the_function_of_the_static_call():
    source = (
        "void site(void) { kvm_hypercall1(KVM_HC_X, 0); }\nDEFINE_STATIC_CALL(go, site);\n"
        '#define GO() asm volatile("call " STATIC_CALL_TRAMP_STR(go) : : : "memory")\n'
        "void console_init(void) { GO(); }\n"
    )
    (site,) = audit_files({"arch/x86/kernel/kvm.c": source}).early_hypercalls
    assert site.function == "site"
    assert site.early.steps[-1].via == "static_call.go"


TDX = {
    "arch/x86/coco/tdx/tdcall.S": """\
SYM_FUNC_START(__tdcall_saved_ret)
	tdcall
SYM_FUNC_END(__tdcall_saved_ret)
""",
    "arch/x86/coco/tdx/tdx.c": """\
u64 __tdx_hypercall(struct tdx_module_args *args)
{
	args->rcx = TDVMCALL_EXPOSE_REGS_MASK;
	if (__tdcall_saved_ret(TDG_VP_VMCALL, args))
		failed();
	return args->r10;
}
static inline void tdcall(u64 fn, struct tdx_module_args *args)
{
	if (__tdcall_saved_ret(fn, args))
		failed();
}
u64 vm_rd(u64 field)
{
	struct tdx_module_args args = { .rdx = field };

	return __tdcall_saved_ret(TDG_VM_RD, &args);
}
void halt(void)
{
	struct tdx_module_args args = { .r10 = 0, .r11 = hcall_func(EXIT_REASON_HLT) };

	__tdx_hypercall(&args);
}
void late(void)
{
	struct tdx_module_args args = {};

	args.r11 = TDVMCALL_GET_QUOTE;
	__tdx_hypercall(&args);
}
void console_init(void)
{
	struct tdx_module_args args = {};

	halt();
	tdcall(TDG_VP_INFO, &args);
}
""",
    "arch/x86/hyperv/ivm.c": """\
void hv_read(void)
{
	struct tdx_module_args args = { .r11 = EXIT_REASON_MSR_READ };

	__tdx_hypercall(&args);
}
""",
}


@pytest.mark.parametrize(
    ("function", "call", "purpose", "hypervisor", "early"),
    [
        ("halt", "__tdx_hypercall", "EXIT_REASON_HLT", "tdx", True),
        ("late", "__tdx_hypercall", "TDVMCALL_GET_QUOTE", "tdx", False),
        ("vm_rd", "__tdcall_saved_ret", "TDG_VM_RD", "tdx", False),
        ("console_init", "tdcall", "TDG_VP_INFO", "tdx", True),
        ("hv_read", "__tdx_hypercall", "EXIT_REASON_MSR_READ", "hyperv", False),
    ],
)
def test_the_code_that_makes_a_request_of_tdx_determines_its_purpose(
    function, call, purpose, hypervisor, early
):
    site = find(audit_files(TDX), function)
    assert (site.call, site.purpose) == (call, purpose)
    assert (site.instruction.form, site.instruction.hypervisor) == (Form.TDCALL, hypervisor)
    assert (site.early is not None) is early
    assert site.through == (() if call == "__tdcall_saved_ret" else ("__tdcall_saved_ret",))


def test_a_function_that_only_passes_on_its_arguments_is_not_a_site():
    functions = [site.function for site in audit_files(TDX).hypercalls]
    assert sorted(functions) == ["console_init", "halt", "hv_read", "late", "vm_rd"]


@pytest.mark.parametrize(
    ("path", "hypervisor"),
    [("arch/x86/hyperv/ivm.c", "hyperv"), ("arch/x86/coco/sev/core.c", "sev")],
)
def test_a_vmgexit_calls_the_hypervisor_of_the_code_that_uses_it(path, hypervisor):
    header = {"arch/x86/include/asm/sev.h": '#define VMGEXIT() { asm volatile("rep; vmmcall"); }\n'}
    site = find(audit_files({**header, path: "void ask(void) { VMGEXIT(); }\n"}), "ask")
    assert (site.instruction.form, site.instruction.hypervisor) == (Form.VMGEXIT, hypervisor)


def test_each_form_of_an_instruction_has_its_effects_and_each_effect_a_form():
    tables = load_tables()
    forms = {rule.form for rule in tables.forms}
    assert forms == tables.effects.keys() == set(Form) - {Form.STATIC_CALL, Form.VARIANT}
    assert all(set(effects) == set(Platform) for effects in tables.effects.values())
