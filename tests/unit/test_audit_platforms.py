# SPDX-License-Identifier: GPL-2.0-or-later
"""On which platforms a change of page status runs and notifies, by the conditions in the code."""

from __future__ import annotations

import pytest

from patchgen.audit import describe_notifiers
from patchgen.audit.parse_c import parse_source
from patchgen.audit.result import Platform, StatusChange
from tests.support.small_kernel import audit_files

SEV, ES, TDX = Platform.SEV, Platform.SEV_ES, Platform.TDX
HEADER = """\
struct x86_guest { int (*enc_status_change_finish)(unsigned long v, int n, bool enc); };
struct x86_platform_ops { struct x86_guest guest; };
extern struct x86_platform_ops x86_platform;
"""
SET_MEMORY = """\
static int __set_memory_enc_dec(unsigned long addr, int numpages, bool enc)
{
	pgprot_t new = pte_pgprot(*lookup_address(addr, 0));

	FIRST
	pgprot_val(new) |= _PAGE_ENC;
	set_pte_atomic(addr, new);
	return x86_platform.guest.enc_status_change_finish(addr, numpages, enc);
}
int set_memory_decrypted(unsigned long addr, int numpages)
{
	return __set_memory_enc_dec(addr, numpages, false);
}
int set_memory_encrypted(unsigned long addr, int numpages)
{
	return __set_memory_enc_dec(addr, numpages, true);
}
"""
BACKENDS = """\
static int sev_finish(unsigned long v, int n, bool enc)
{
	return hcall(KVM_HC_MAP_GPA_RANGE, v, n, enc);
}
static int tdx_finish(unsigned long v, int n, bool enc)
{
	if (TDX_ONLY)
		tdx_hypercall(TDVMCALL_MAP_GPA, v, n);
	return 0;
}
void __init early_one(void)
{
	x86_platform.guest.enc_status_change_finish = sev_finish;
	INSTALL
		x86_platform.guest.enc_status_change_finish = tdx_finish;
}
"""


def change(
    asking: str,
    first: str = "",
    tdx_only: str = "true",
    install: str = "if (cpu_feature_enabled(X86_FEATURE_TDX_GUEST))",
    more: str = "",
) -> StatusChange:
    """Return the change that console_init() asks for; `asking` is its body."""
    backends = BACKENDS.replace("TDX_ONLY", tdx_only).replace("INSTALL", install)
    body = f"{more}void console_init(void)\n{{\n\t{asking}\n}}\n"
    files = {
        "arch/x86/include/asm/guest.h": HEADER,
        "arch/x86/mm/set_memory.c": SET_MEMORY.replace("FIRST", first),
        "arch/x86/kernel/backends.c": backends,
        "arch/x86/kernel/asking.c": body,
    }
    main = audit_files({}).window
    assert main
    extra = {**files, "init/main.c": MAIN}
    (result,) = audit_files(extra).early_changes
    return result


MAIN = """\
asmlinkage __visible void __init start_kernel(void)
{
	early_one();
	setup_arch();
	console_init();
	arch_cpu_finalize_init();
}
"""


def list_notified(result: StatusChange) -> set[Platform]:
    return {platform for notifier in result.notifiers for platform in notifier.platforms}


def test_without_conditions_all_platforms_are_notified():
    result = change("set_memory_decrypted(start(), 1);")
    assert list_notified(result) == {SEV, ES, TDX}
    assert result.platforms == tuple(Platform)
    assert result.silent_on == ()


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        ("if (sev_active())\n\t\tset_memory_decrypted(start(), 1);", {SEV, ES}),
        ("if (!sev_active())\n\t\treturn;\n\tset_memory_decrypted(start(), 1);", {SEV, ES}),
        (
            "if (cc_vendor != CC_VENDOR_AMD ||\n\t    !cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))"
            "\n\t\treturn;\n\tset_memory_decrypted(start(), 1);",
            {SEV, ES},
        ),
        ("if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT) && set_memory_decrypted(s(), 1))", {ES}),
        ("sev_active() ? set_memory_decrypted(s(), 1) : 0;", {SEV, ES}),
        ("sev_active() || set_memory_decrypted(s(), 1);", {TDX}),
        (
            "switch (cc_vendor) {\n\tcase CC_VENDOR_INTEL:\n\t\tset_memory_decrypted(s(), 1);\n"
            "\t\tbreak;\n\tdefault:\n\t\tbreak;\n\t}",
            {TDX},
        ),
        (
            "switch (cc_vendor) {\n\tcase CC_VENDOR_INTEL:\n\t\tbreak;\n\tdefault:\n"
            "\t\tset_memory_decrypted(s(), 1);\n\t}",
            {SEV, ES},
        ),
        ("if (boot_cpu_has(X86_FEATURE_TDX_GUEST))\n\t\tset_memory_decrypted(s(), 1);", {TDX}),
        (
            "bool mine = sev_active();\n\tif (!mine)\n\t\treturn;\n\tset_memory_decrypted(s(), 1);",
            {SEV, ES},
        ),
        (
            "if (!(RIP_REL_REF(sev_status) & MSR_AMD64_SEV_SNP_ENABLED))\n\t\treturn;\n"
            "\tset_memory_decrypted(start(), 1);",
            {ES},
        ),
        ("if (other)\n\t\tset_memory_decrypted(start(), 1);", {SEV, ES, TDX}),
    ],
)
def test_a_platform_that_a_condition_excludes_is_not_notified(asking, expected):
    result = change(asking)
    assert list_notified(result) == expected
    assert set(result.protected) == expected
    assert all(not notifier.doubts for notifier in result.notifiers)


def test_a_condition_in_a_caller_counts():
    more = "static void deep(void)\n{\n\tset_memory_decrypted(start(), 1);\n}\n"
    assert list_notified(change("if (sev_active())\n\t\tdeep();", more=more)) == {SEV, ES}
    both = "if (sev_active())\n\t\tdeep();\n\tdeep();"
    assert list_notified(change(both, more=more)) == {SEV, ES, TDX}


def test_a_function_that_returns_a_condition_stands_for_it():
    more = "static bool mine(void)\n{\n\treturn !cc_platform_has(CC_ATTR_MEM_ENCRYPT);\n}\n"
    result = change("if (mine())\n\t\treturn;\n\tset_memory_decrypted(start(), 1);", more=more)
    assert list_notified(result) == {SEV, ES, TDX}
    assert result.platforms == (SEV, ES, TDX)


def test_a_condition_where_pages_are_changed_counts():
    result = change("set_memory_decrypted(start(), 1);", "if (!sev_active())\n\t\treturn 0;")
    assert list_notified(result) == {SEV, ES}
    assert result.protected == (SEV, ES)


@pytest.mark.parametrize(
    ("only", "call", "expected"),
    [
        ("enc", "set_memory_decrypted", {SEV, ES}),
        ("!enc", "set_memory_decrypted", {SEV, ES, TDX}),
        ("enc", "set_memory_encrypted", {SEV, ES, TDX}),
        ("!enc && other()", "set_memory_encrypted", {SEV, ES}),
    ],
)
def test_a_callback_for_one_direction_does_not_notify_in_the_other(only, call, expected):
    result = change(f"{call}(start(), 1);", tdx_only=only)
    assert list_notified(result) == expected
    assert result.silent_on == (() if TDX in expected else (TDX,))


def test_a_callback_counts_only_where_it_is_installed():
    result = change("set_memory_decrypted(start(), 1);", install="if (sev_es_active())")
    assert list_notified(result) == {SEV, ES}
    assert describe_notifiers(result).endswith("; does not notify it on TDX")


def test_an_unknown_condition_is_reported_with_its_place():
    result = change("if (snp_special())\n\t\tset_memory_decrypted(start(), 1);")
    assert list_notified(result) == {SEV, ES, TDX}
    assert result.platforms == ()
    assert {(d.platform, str(d.place)) for d in result.doubts if d.platform is TDX} == {
        (TDX, "arch/x86/kernel/asking.c:3")
    }
    callback = change("set_memory_decrypted(start(), 1);", tdx_only="tdx_special()")
    assert list_notified(callback) == {SEV, ES}
    expected = "TDX under a condition that audit cannot decide: arch/x86/kernel/backends.c:7"
    assert expected in describe_notifiers(callback)
    assert callback.silent_on == ()


def test_an_unknown_condition_does_not_matter_if_both_paths_notify():
    more = "tdx_special() && n) { tdx_hypercall(TDVMCALL_MAP_GPA, v, n); } else if (n"
    result = change("set_memory_decrypted(start(), 1);", tdx_only=more)
    assert result.silent_on == ()


def test_after_a_label_a_condition_is_not_certain():
    result = change(
        "if (other)\n\t\tgoto out;\n\tif (!sev_active())\n\t\treturn;\nout:\n"
        "\tset_memory_decrypted(start(), 1);"
    )
    assert [doubt.platform for doubt in result.doubts if doubt.platform is TDX] == [TDX]


def test_an_assigned_parameter_is_not_the_argument_of_the_caller():
    source = "static void f(bool enc, bool other)\n{\n\tenc = g();\n\tif (enc)\n\t\th();\n}\n"
    (function,) = parse_source(source.encode()).functions
    assert function.parameters == ("", "other")


def test_a_macro_s_condition_counts():
    more = "#define MAP(x) ({ if (sev_active()) set_memory_decrypted(x, 1); x; })\n"
    assert list_notified(change("MAP(start());", more=more)) == {SEV, ES}


def test_the_value_of_a_pointer_is_not_that_of_its_members():
    source = (
        "static void f(void)\n{\n\tstruct snp_desc *d = ghcb->buffer;\n\tint now = d->now;\n"
        "\twhile (d->now <= d->end && now)\n\t\tg();\n}\n"
    )
    (function,) = parse_source(source.encode()).functions
    assert [guard.text for guard in function.guards] == ["(d->now <= d->end && (d->now))"]
