# SPDX-License-Identifier: GPL-2.0-or-later
"""pvops on bases that make the SEV hypercall outside of the op's callback, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Patchgen

INSTALL = "\tpv_ops.mmu.notify_page_enc_status_changed = kvm_sev_notify_enc_status;\n"
ENCRYPTED = "KVM_MAP_GPA_RANGE_ENCRYPTED | KVM_MAP_GPA_RANGE_PAGE_SZ_4K"
CALL = f"kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, addr << PAGE_SHIFT, nr, {ENCRYPTED});\n"
LOOP = f"\tfor (i = 0; i < 9; i++) {{\n\t\tif (!nr)\n\t\t\tcontinue;\n\t\t{CALL}\t}}\n"
DECRYPTED = "KVM_MAP_GPA_RANGE_PAGE_SZ_4K | KVM_MAP_GPA_RANGE_DECRYPTED"
STATUS = "KVM_MAP_GPA_RANGE_ENC_STAT(!i) | KVM_MAP_GPA_RANGE_PAGE_SZ_4K"

ROUTED = {
    "in a loop": (INSTALL + LOOP, "kvm_sev_notify_pfn_range(addr, nr, true);"),
    "decrypted": (
        INSTALL + "\t" + CALL.replace(ENCRYPTED, DECRYPTED),
        "kvm_sev_notify_pfn_range(addr, nr, false);",
    ),
    "either": (
        INSTALL + "\t" + CALL.replace(ENCRYPTED, STATUS),
        "kvm_sev_notify_pfn_range(addr, nr, !i);",
    ),
    "an address rounded down": (
        INSTALL + "\t" + CALL.replace("addr << PAGE_SHIFT", "ALIGN_DOWN(addr->start, PAGE_SIZE)"),
        "kvm_sev_notify_pfn_range(PFN_DOWN(addr->start), nr, true);",
    ),
    "an address made from a page frame": (
        INSTALL + "\t" + CALL.replace("addr << PAGE_SHIFT", "PFN_PHYS(addr)"),
        "kvm_sev_notify_pfn_range(addr, nr, true);",
    ),
    "installed on both ways": (
        "\tif (nr)\n\t" + INSTALL + "\telse\n\t" + INSTALL + "\t" + CALL,
        "kvm_sev_notify_pfn_range(addr, nr, true);",
    ),
}
UNSURE = "not shown to be equivalent to the op"
STAYS = {
    "before the callback is there": (LOOP + INSTALL, UNSURE),
    "maybe before the callback is there": ("\tif (nr)\n\t" + INSTALL + LOOP, UNSURE),
    "its result is used": (INSTALL + "\tnr = " + CALL, UNSURE),
    "other pages": (INSTALL + "\t" + CALL.replace("_4K", "_2M"), UNSURE),
    "an address that may lie within a page": (
        INSTALL + "\t" + CALL.replace("addr << PAGE_SHIFT", "addr"),
        UNSURE,
    ),
    "another hypercall": (
        INSTALL + "\tkvm_sev_hypercall3(KVM_HC_KICK_CPU, addr, nr, 0);\n",
        "does not change the encryption status",
    ),
}


@pytest.fixture
def base(toy, patchgen, git) -> Path:
    """The toy tree with the op and its SEV callback, and nothing in the open so far."""
    done = patchgen("apply", "--variant", "pvops", "--tree", toy, "--branch", "made")
    assert done.code == 0, done.err
    git(toy, "checkout", "-q", "made")
    return toy


def apply(patchgen: Patchgen, base: Path, git, code: str) -> dict:
    source = base / "arch/x86/kernel/kvm.c"
    assert INSTALL in source.read_text()
    source.write_text(source.read_text().replace(INSTALL, code))
    git(base, "commit", "-q", "-a", "-m", "in the open")
    done = patchgen(
        "apply", "--variant", "pvops", "--tree", base, "--json", "--force", "-o", base / "out"
    )
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize(("code", "call"), ROUTED.values(), ids=ROUTED)
def test_routes_what_the_op_would_do(patchgen, base, git, code, call):
    document = apply(patchgen, base, git, code)
    assert [p["name"] for p in document["patches"] if p["status"] == "made"] == ["direct"]
    source = git(base, "show", "patchgen/pvops-v4:arch/x86/kernel/kvm.c")
    assert call in source
    assert source.count("kvm_sev_hypercall3(") == 1
    [stays] = document["cites"]["direct"]
    assert stays["function"] == "kvm_sev_notify_enc_status"
    assert stays["reason"] == "the op calls it"
    message = git(base, "show", "-s", "--format=%B", "patchgen/pvops-v4")
    assert "kvm_sev_init_platform() reports a change without it, by the same hypercall" in " ".join(
        message.split()
    )


@pytest.mark.parametrize(("code", "reason"), STAYS.values(), ids=STAYS)
def test_leaves_and_reports_the_others(patchgen, base, git, code, reason):
    document = apply(patchgen, base, git, code)
    assert document["tip"] is None
    assert "direct" not in [p["name"] for p in document["patches"]]
    [_, other] = document["cites"]["direct"]
    assert other["function"] == "kvm_sev_init_platform"
    assert other["reason"].startswith(reason)
    done = patchgen("apply", "--variant", "pvops", "--tree", base)
    assert f"    {other['site']} kvm_sev_init_platform(): {other['reason']}\n" in done.out


# As v5.17 and later report RAM: by a loop over the entries of the e820 table.
E820 = f"""
	for (i = 0; i < e820_table->nr_entries; i++) {{
		struct e820_entry *entry = &e820_table->entries[i];

		nr = DIV_ROUND_UP(entry->size, PAGE_SIZE);

		kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, entry->addr, nr, {ENCRYPTED});
	}}
"""


def test_leaves_a_hypercall_that_can_run_after_boot(patchgen, base, git):
    source = base / "arch/x86/kernel/kvm.c"
    text = source.read_text().replace(
        "static void __init kvm_sev_init_platform", "static void kvm_sev_init_platform"
    )
    source.write_text(text)
    document = apply(patchgen, base, git, INSTALL + LOOP)
    assert document["tip"] is None
    [_, left] = document["cites"]["direct"]
    assert left["reason"].startswith(UNSURE)


def made(document: dict) -> list[str]:
    return [p["name"] for p in document["patches"] if p["status"] == "made"]


def test_corrects_the_pages_of_an_e820_entry_before_it_routes_them(patchgen, base, git):
    document = apply(patchgen, base, git, INSTALL + E820)
    assert made(document) == ["whole-pages", "direct"]
    whole, routed = (
        " ".join(git(base, "show", f"{p['commit']}:arch/x86/kernel/kvm.c").split())
        for p in document["patches"]
        if p["status"] == "made"
    )
    count = "nr = PFN_UP(entry->addr + entry->size) - PFN_DOWN(entry->addr);"
    assert count in whole and "ALIGN_DOWN(entry->addr, PAGE_SIZE)" in whole
    assert count in routed
    assert "kvm_sev_notify_pfn_range(PFN_DOWN(entry->addr), nr, true);" in routed


@pytest.mark.parametrize("fixes", [None, '123456789abc ("x86/kvm: Some commit")'])
def test_says_what_is_fixed_only_where_the_user_knows_it(patchgen, base, git, fixes):
    (base / "arch/x86/kernel/kvm.c").write_text(
        (base / "arch/x86/kernel/kvm.c").read_text().replace(INSTALL, INSTALL + E820)
    )
    git(base, "commit", "-q", "-a", "-m", "in the open")
    define = ["--define", f"fixes={fixes}"] if fixes else []
    done = patchgen(
        "apply", "--variant", "pvops", "--tree", base, "--force", "-s", "-o", base / "out", *define
    )
    assert done.code == 0, done.err
    message = git(base, "show", "-s", "--format=%B", "patchgen/pvops-v4~1")
    [block] = message.strip().split("\n\n")[-1:]
    assert block.startswith(f"Fixes: {fixes}\nSigned-off-by: " if fixes else "Signed-off-by: ")


def test_leaves_entries_alone_whose_pages_it_cannot_show_to_be_right(patchgen, base, git):
    other = E820.replace("DIV_ROUND_UP(entry->size, PAGE_SIZE)", "entry->size >> PAGE_SHIFT")
    document = apply(patchgen, base, git, INSTALL + other)
    assert document["tip"] is None
    [_, left] = document["cites"]["direct"]
    assert left["reason"].startswith(UNSURE)
