# SPDX-License-Identifier: GPL-2.0-or-later
"""The forms of instructions that call a hypervisor, the code that uses them, and their effects."""

from __future__ import annotations

import pytest

from patchgen.audit.result import EffectOutcome, Form, Platform, SiteGroup
from tests.support.small_kernel import PATH, SITE, audit_files


@pytest.mark.parametrize(
    ("form", "hypervisor", "statement"),
    [
        (Form.VMGEXIT, "sev", 'asm volatile("rep; vmmcall\\n\\r");'),
        (Form.VMMCALL, "kvm", 'asm volatile("vmmcall" : : "a"(1));'),
        (Form.VMCALL, "kvm", '__asm__ __volatile__("mov %4, %%r8\\n" "vmcall" : : "r" (x));'),
        (Form.ALTERNATIVE, "kvm", 'asm volatile(ALTERNATIVE("vmcall", "vmmcall", F) : : );'),
        (Form.TDCALL, "tdx", 'asm volatile(".byte 0x66,0x0f,0x01,0xcc" : "+a" (x));'),
        (Form.PAGE, "hyperv", "asm volatile(CALL_NOSPEC : : THUNK_TARGET(hv_hypercall_pg));"),
        (Form.PAGE, "xen", 'asm volatile("call hypercall_page+%c[offset]" : : );'),
        (Form.IO, "vmware", 'asm("inl (%%dx)" : : "d"(VMWARE_HYPERVISOR_PORT));'),
    ],
)
def test_forms_are_recognised_by_the_assembler_s_text(form, hypervisor, statement):
    source = f"void console_init(void)\n{{\n\t{statement}\n}}\n"
    (hypercall,) = audit_files({PATH: source}).early_hypercalls
    assert (hypercall.instruction.form, hypercall.instruction.hypervisor) == (form, hypervisor)
    assert str(hypercall.place) == f"{PATH}:3"
    assert set(hypercall.effects) == set(Platform)


@pytest.mark.parametrize("statement", ['asm volatile("pause");', 'asm("mov vmcall_count, %eax");'])
def test_other_assembly_is_not_a_hypercall(statement):
    assert audit_files({PATH: f"void console_init(void)\n{{\n\t{statement}\n}}\n"}).hypercalls == ()


def test_a_macro_s_instruction_is_its_user_s():
    header = {"arch/x86/include/asm/sev.h": '#define VMGEXIT() { asm volatile("rep; vmmcall"); }\n'}
    source = "void console_init(void)\n{\n\tVMGEXIT();\n}\n"
    (hypercall,) = audit_files({PATH: source, **header}).early_hypercalls
    assert (str(hypercall.place), hypercall.instruction.form) == (f"{PATH}:3", Form.VMGEXIT)
    assert hypercall.group is SiteGroup.OWN


def test_an_assembly_function_s_instruction_is_its_callers():
    asm = {
        "arch/x86/coco/tdx/tdcall.S": "SYM_FUNC_START(__tdcall)\n\ttdcall\nSYM_FUNC_END(__tdcall)\n"
    }
    header = {
        "arch/x86/include/asm/tdx.h": "static inline int t(int a)\n{\n\treturn __tdcall(a);\n}\n"
    }
    source = "void console_init(void)\n{\n\tt(TDG_VP_INFO);\n}\n"
    (hypercall,) = audit_files({PATH: source, **asm, **header}).early_hypercalls
    assert (str(hypercall.place), hypercall.call, hypercall.purpose) == (
        f"{PATH}:3",
        "t",
        "TDG_VP_INFO",
    )
    assert str(hypercall.instruction.place) == "arch/x86/coco/tdx/tdcall.S:2"


def test_unpatched_vmcall_is_fatal_on_sev_only_where_code_is_encrypted():
    source = "void console_init(void) { site(); }"
    (hypercall,) = audit_files({PATH: SITE + source}).early_hypercalls
    outcomes = {platform: effect.outcome for platform, effect in hypercall.effects.items()}
    assert outcomes[Platform.VTX] is EffectOutcome.WORKS
    assert outcomes[Platform.SVM] is EffectOutcome.EMULATED
    assert outcomes[Platform.SEV] is EffectOutcome.FATAL
    assert hypercall.group is SiteGroup.UNROUTED
