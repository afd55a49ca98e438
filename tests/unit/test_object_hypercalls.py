# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypercalls of an object, as its machine code and its .altinstructions show them."""

from __future__ import annotations

import subprocess

import pytest

from patchgen.audit import HypercallSite, read_machine_code

SOURCE = """\
	.text
	.globl	later, fixed, report, spare, other
later:
1:	vmcall
	ret
fixed:
	vmmcall
	ret
report:
	mov	$0xc, %eax
	vmcall
	mov	$0x10001, %r11d
	tdcall
	ret
spare:
	call	tdx_kvm_hypercall@PLT
2:	vmcall
	ret
other:
	mov	$0xc, %ebx
	ret

	.section .altinstr_replacement, "ax"
3:	vmmcall

	.section .altinstructions, "a"
	.long	1b - .
	.long	3b - .
	.long	2b - .
	.long	3b - .
"""


@pytest.fixture
def code(tmp_path):
    (tmp_path / "a.S").write_text(SOURCE)
    subprocess.run(["gcc", "-c", tmp_path / "a.S", "-o", tmp_path / "a.o"], check=True)
    return read_machine_code(tmp_path / "a.o")


def test_sites_have_the_executed_instruction_and_whether_it_is_patched_later(code):
    assert code.sites == (
        HypercallSite("later", "vmcall", patched=True, reports=False),
        HypercallSite("fixed", "vmmcall", patched=False, reports=False),
        HypercallSite("report", "vmcall", patched=False, reports=True),
        HypercallSite("report", "tdcall", patched=False, reports=True),
        HypercallSite("spare", "vmcall", patched=True, reports=False, spares_tdx=True),
    )


def test_the_number_of_map_gpa_and_the_size_are_read(code):
    assert code.requests_map_gpa
    assert code.size == 45
