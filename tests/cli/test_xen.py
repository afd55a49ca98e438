# SPDX-License-Identifier: GPL-2.0-or-later
"""pvops on bases whose Xen PV guests replace pv_ops.mmu, in each way that kernels have done it."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Patchgen

XEN = "arch/x86/xen/mmu_pv.c"
DEFAULT = ".notify_page_enc_status_changed = paravirt_nop,"

# Up to v5.17, up to v6.17, and later: one member after the other, which leaves the default.
TABLE = """\
static const struct pv_mmu_ops other_name __initconst = {
	.exit_mmap = xen_exit_mmap,
	.set_fixmap = xen_set_fixmap,
};

void __init xen_init_mmu_ops(void)
{
	pv_ops.mmu = other_name;
}
"""
NESTED = """\
static const typeof(pv_ops) xen_mmu_ops __initconst = {
	.mmu = {
		.exit_mmap = xen_exit_mmap,
		.set_fixmap = xen_set_fixmap,
	},
};

void __init xen_init_mmu_ops(void)
{
	pv_ops.mmu = xen_mmu_ops.mmu;
}
"""
MEMBERS = """\
void __init xen_init_mmu_ops(void)
{
	pv_ops.mmu.exit_mmap = xen_exit_mmap;
}
"""
WITHOUT_ANCHOR = TABLE.replace("\t.exit_mmap = xen_exit_mmap,\n", "")


def apply(patchgen: Patchgen, toy, git, code: str | None):
    if code is None:
        git(toy, "rm", "-q", XEN)
    else:
        (toy / XEN).write_text(code)
    git(toy, "commit", "-q", "-a", "-m", "xen")
    return patchgen("apply", "--variant", "pvops", "--tree", toy, "--json", "-o", toy / "out")


@pytest.mark.parametrize("code", [TABLE, NESTED], ids=["mmu table", "table of all"])
def test_a_table_that_replaces_all_mmu_operations_has_the_default_too(patchgen, toy, git, code):
    done = apply(patchgen, toy, git, code)
    assert done.code == 0, done.err
    op = json.loads(done.out)["patches"][0]["commit"]
    assert DEFAULT in git(toy, "show", f"{op}:{XEN}")
    assert "Xen PV" in git(toy, "show", "-s", "--format=%B", op)


@pytest.mark.parametrize("code", [MEMBERS, None], ids=["members", "no Xen PV"])
def test_nothing_is_changed_or_claimed_where_no_table_replaces_them(patchgen, toy, git, code):
    done = apply(patchgen, toy, git, code)
    assert done.code == 0, done.err
    op = json.loads(done.out)["patches"][0]["commit"]
    assert git(toy, "diff", "--name-only", f"{op}~", op, "--", "arch/x86/xen") == ""
    assert "Xen" not in git(toy, "show", "-s", "--format=%B", op)


def test_a_table_that_the_rule_cannot_change_is_refused(patchgen, toy, git):
    done = apply(patchgen, toy, git, WITHOUT_ANCHOR)
    assert (done.code, done.out) == (1, "")
    assert XEN in done.err and "op_xen" in done.err
