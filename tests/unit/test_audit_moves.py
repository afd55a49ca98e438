# SPDX-License-Identifier: GPL-2.0-or-later
"""Sites that a series moves or routes are paired with the sites before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from patchgen.audit import compare_audits, render_summary
from patchgen.audit.diff import ChangeKind, Difference
from patchgen.audit.result import (
    PROTECTED,
    Doubt,
    Hypercall,
    Notifier,
    Platform,
    Route,
    StatusChange,
    Step,
    TreeLocation,
)
from tests.support.small_kernel import audit_files, declare_op

PATH = "arch/x86/kernel/kvm.c"
HEAD = """\
static void kvm_sev_notify(unsigned long pfn, int npages, bool enc)
{
	kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, pfn << PAGE_SHIFT);
}
"""
TAIL = "struct x86_init_ops x86_init = { .hyper.init_platform = kvm_init_platform };\n"
# Calls the op on either side.
OTHER = "void identify_boot_cpu(void)\n{\n\tnotify_page_enc_status_changed(0, 1, true);\n}\n"
DIRECT = "kvm_sev_hypercall3(KVM_HC_MAP_GPA_RANGE, entry->addr);"
PLACE = TreeLocation("arch/x86/mm/set.c", 7)
ROUTED = "notify_page_enc_status_changed(entry->addr, 1, true);"


def kvm(body: str, more: str = "") -> str:
    """Return the file: kvm_init_platform() installs the op, then has `body`."""
    install = "\tpv_ops.mmu.notify_page_enc_status_changed = kvm_sev_notify;\n"
    function = f"static void kvm_init_platform(void)\n{{\n{install}\t{body}\n}}\n"
    return HEAD + more + function + TAIL


def helper(body: str, name: str = "kvm_reset_range") -> str:
    return f"static void {name}(struct e820_entry *entry)\n{{\n\t{body}\n}}\n"


def compare(
    before: str, after: str, path: str = PATH, later: str = PATH, root: str = ""
) -> list[Difference]:
    """Return the differences of all sites that changed."""
    op = {"arch/x86/include/asm/paravirt.h": declare_op(root), "arch/x86/mm/o.c": OTHER}
    audits = (audit_files({path: before, **op}), audit_files({later: after, **op}))
    return [e for e in compare_audits(*audits).differences if e.change_kind is not ChangeKind.STAYS]


def test_a_direct_hypercall_that_the_op_replaces_is_routed_not_removed():
    for root in ("", "pv_ops, "):
        (difference,) = compare(kvm(DIRECT), kvm(ROUTED), root=root)
        assert difference.change_kind is ChangeKind.ROUTED
        assert difference.reason == (
            f"the op is now called in its place: {PATH}:8 kvm_init_platform()"
        )
        assert isinstance(difference.before, Hypercall) and difference.after is None


def test_it_is_routed_where_a_helper_of_the_file_calls_the_op():
    after = kvm("kvm_reset_range(entry);", helper(ROUTED))
    (difference,) = compare(kvm(DIRECT), after)
    assert (difference.change_kind, difference.reason) == (
        ChangeKind.ROUTED,
        f"the op is now called in its place: {PATH}:7 kvm_reset_range()",
    )


def test_reverting_the_op_is_unrouted_not_new():
    (difference,) = compare(kvm(ROUTED), kvm(DIRECT))
    assert difference.change_kind is ChangeKind.UNROUTED
    assert "the op was called in its place" in difference.reason


def test_an_existing_call_of_the_op_does_not_replace_a_hypercall():
    (difference,) = compare(kvm(f"{DIRECT}\n\t{ROUTED}"), kvm(ROUTED))
    assert (difference.change_kind, difference.reason) == (ChangeKind.GONE, "it no longer exists")


def test_the_op_does_not_replace_another_hypercall():
    (difference,) = compare(kvm("kvm_sev_hypercall3(KVM_HC_OTHER, 0);"), kvm(ROUTED))
    assert (difference.change_kind, difference.reason) == (ChangeKind.GONE, "it no longer exists")


def test_an_unknown_replacement_is_reported_as_unknown():
    after = kvm("", helper(ROUTED)) + "void console_init(void)\n{\n\tkvm_reset_range(0);\n}\n"
    (difference,) = compare(kvm(DIRECT), after)
    assert difference.change_kind is ChangeKind.GONE
    assert difference.reason == (
        f"it no longer exists; it is unknown whether {PATH}:7 kvm_reset_range() replaces it"
    )


def test_code_that_moves_to_a_helper_is_moved():
    for before, after in (
        (kvm(DIRECT), kvm("kvm_reset_range(entry);", helper(DIRECT))),
        (kvm("kvm_reset_range(entry);", helper(DIRECT)), kvm(DIRECT)),
    ):
        (difference,) = compare(before, after)
        assert difference.change_kind is ChangeKind.MOVED
        assert difference.before is not None and difference.after is not None
        assert difference.reason.startswith(f"it was in {difference.before.function}(); ")


def test_two_functions_that_do_not_call_each_other_are_not_one_site():
    after = kvm("", helper(DIRECT)) + "void console_init(void)\n{\n\tkvm_reset_range(0);\n}\n"
    kinds = {difference.change_kind for difference in compare(kvm(DIRECT), after)}
    assert kinds == {ChangeKind.GONE, ChangeKind.NEW}


def test_a_function_that_moves_to_another_file_is_moved():
    later = "arch/x86/coco/kvm.c"
    differences = compare(kvm(DIRECT), kvm(DIRECT), later=later)
    assert {difference.change_kind for difference in differences} == {ChangeKind.MOVED}
    assert all(difference.reason.startswith(f"it was in {PATH}; ") for difference in differences)


def test_another_call_with_the_same_number_is_moved():
    before = kvm("kvm_hypercall1(KVM_HC_MAP_GPA_RANGE, entry->addr);")
    (difference,) = compare(before, kvm(DIRECT))
    assert difference.change_kind is ChangeKind.MOVED
    assert difference.reason.startswith("it called kvm_hypercall1(); ")


def test_a_line_that_moved_is_as_before():
    assert compare(kvm(DIRECT), "\n\n\n" + kvm(DIRECT)) == []


def test_a_series_that_routes_a_direct_hypercall_is_not_one_that_routes_nothing():
    op = {"arch/x86/include/asm/paravirt.h": declare_op()}
    audits = [audit_files({PATH: kvm(body), **op}) for body in (DIRECT, ROUTED)]
    text = " ".join(render_summary(compare_audits(audits[0], audits[1])).split())
    assert "The series routes 1 open-coded hypercall through the op." in text
    assert "none" not in text
    same = " ".join(render_summary(compare_audits(audits[0], audits[0])).split())
    assert "The series does not change which of them go through the op." in same


@pytest.mark.parametrize(
    ("platforms", "doubts", "expected"),
    [
        (tuple(Platform), (), "each notifies the hypervisor."),
        ((Platform.VTX,), (), "each that runs on SEV, SEV-ES/SNP or TDX notifies the hypervisor."),
        (
            (),
            (Doubt(Platform.SEV, PLACE, "special()"),),
            "each notifies the hypervisor as far as the call graph shows.",
        ),
    ],
)
def test_the_summary_claims_notification_only_of_changes_that_notify(platforms, doubts, expected):
    notifier = Notifier("callback", "guest.finish", PLACE, ("finish",), (*PROTECTED,))
    change = StatusChange(
        function="share",
        place=PLACE,
        call="set_memory_decrypted",
        pages="page",
        to="shared",
        early=Route((Step("share", PLACE),), 1),
        notifiers=() if platforms == (Platform.VTX,) else (notifier,),
        platforms=platforms,
        doubts=doubts,
    )
    audit = replace(audit_files({}), changes=(change,))
    text = " ".join(render_summary(compare_audits(audit, audit)).split())
    assert f"On the base, {expected}" in text
    assert f"With the series, 0 of 1 go through the op, and {expected}" in text
