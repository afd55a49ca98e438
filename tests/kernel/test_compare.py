# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen compare` on Debian's 6.1 without the op: the table, read from machine code."""

from __future__ import annotations

import json

import pytest

from tests.support.prepared import WITHOUT_OP

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

NAMES = ("pvops", "vmmcall-default", "sev-hypercall", "x86-platform")


def test_the_table_of_the_variants_that_the_thread_discussed(without_op, patchgen, git):
    refs = git(without_op, "for-each-ref")
    result = patchgen("compare", *NAMES, "--tree", without_op, "--base", WITHOUT_OP, "--json")
    assert result.code == 0, result.err
    table = {variant["name"]: variant for variant in json.loads(result.out)["variants"]}
    assert tuple(table) == ("(base)", *NAMES)
    assert git(without_op, "for-each-ref") == refs

    def cell(name: str, row: str, platform: str) -> tuple[list[str], str]:
        entry = table[name][row][platform]
        return entry["instructions"], entry["outcome"]

    before = "hypercall_before_alternatives"
    for name in ("(base)", "pvops", "sev-hypercall", "x86-platform"):
        assert cell(name, before, "VT-x") == (["vmcall"], "works")
        assert cell(name, before, "SVM") == (["vmcall"], "works (#UD, emulated)")
        assert cell(name, before, "SEV") == (["vmcall"], "dies (#UD)")
        # 6.1 has hypercalls by TDCALL, and kvm_hypercall*() uses them in a TDX guest.
        assert cell(name, before, "TDX") == (["tdcall"], "works")
    assert cell("vmmcall-default", before, "VT-x") == (["vmmcall"], "works (#UD, emulated)")
    assert cell("vmmcall-default", before, "SEV-ES/SNP") == (["vmmcall"], "works (#VC, emulated)")
    assert cell("vmmcall-default", before, "TDX") == (["tdcall"], "works")

    report = "early_page_status_report"
    assert cell("(base)", report, "SEV") == ([], "does not tell the host")
    for name in NAMES:
        assert cell(name, report, "SEV") == (["vmmcall"], "works")
        assert cell(name, report, "TDX") == (["tdcall"], "works")
        assert table[name]["patches"] >= 3 and table[name]["insertions"] > 50
        kvm = "arch/x86/kernel/kvm.o"
        assert table[name]["text_bytes"][kvm] > table["(base)"]["text_bytes"][kvm]


def test_names_the_variant_that_the_base_cannot_have(kernel_6_12, patchgen):
    result = patchgen("compare", "sev-hypercall", "--tree", kernel_6_12)
    assert (result.code, result.out) == (1, "")
    assert "the base already reports through pv_ops" in result.err
    assert patchgen("compare", "sev-hypercal", "--tree", kernel_6_12).code == 2


def test_the_kernels_document_lists_vmcall_as_ve_and_not_vmmcall(kernel_6_12, git):
    text = git(kernel_6_12, "show", "HEAD:Documentation/arch/x86/tdx.rst")
    raises_ve = text.split("Instruction-based #VE")[1].split("Instruction-based #GP")[0]
    instructions = set(raises_ve.replace(",", " ").split())
    assert "VMCALL" in instructions and "VMMCALL" not in instructions
