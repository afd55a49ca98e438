# SPDX-License-Identifier: GPL-2.0-or-later
"""What the window reaches: each construct that the audit models, in a kernel of a few lines."""

from __future__ import annotations

import gc
import weakref

import pytest

from patchgen.audit.build_audit import build_audit
from patchgen.audit.reasons import build_reasons
from patchgen.audit.result import EdgeKind
from patchgen.audit.tables import load_tables
from patchgen.audit.window import follow_window
from patchgen.errors import RefusedError
from tests.support.small_kernel import (
    COMMON,
    FILES,
    PATH,
    SITE,
    account_files,
    audit_files,
    early,
    link_files,
)


@pytest.mark.parametrize(
    ("what", "source", "expected"),
    [
        ("without a caller", "", False),
        ("before the window's end", "void identify_boot_cpu(void) { site(); }", True),
        ("after the window's end", "void after_alternatives(void) { site(); }", False),
        ("after the call that leads there", "void rest_init(void) { site(); }", False),
        (
            "static initialiser",
            "struct x86_init_ops x86_init = { .hyper = { .init_platform = site } };",
            True,
        ),
        (
            "another member",
            "struct x86_init_ops x86_init = { .hyper.guest_late_init = site };",
            False,
        ),
        (
            "assigned in the window",
            "void early_two(void) { x86_init.hyper.init_platform = site; }\n"
            "void identify_boot_cpu(void) { early_two(); }",
            True,
        ),
        (
            "assigned by an initcall",
            "static int late(void) { x86_init.hyper.init_platform = site; return 0; }\n"
            "early_initcall(late);",
            False,
        ),
        (
            "another struct's member, copied over",
            "const struct vendor kvm = { .init.init_platform = site };\n"
            "void identify_boot_cpu(void) { copy_array(&kvm.init, &x86_init.hyper, 8); }",
            True,
        ),
        (
            "a struct that no early code refers to",
            "const struct vendor kvm = { .init.init_platform = site };\n"
            "void after_alternatives(void) { copy_array(&kvm.init, &x86_init.hyper, 8); }",
            False,
        ),
        ("early_param", 'static int p(char *s) { site(); }\nearly_param("x", p);', True),
        ("__setup", 'static int p(char *s) { site(); }\n__setup("x", p);', True),
        ("initcall", "early_initcall(site);", False),
        (
            "console_initcall",
            "static int con(void) { site(); return 0; }\nconsole_initcall(con);\n"
            "void console_init(void) { walk(__con_initcall_start); }",
            True,
        ),
        (
            "a variable that holds a function",
            "void (*late_time_init)(void);\nvoid console_init(void) { late_time_init = site; }",
            True,
        ),
        (
            "static_call",
            "DEFINE_STATIC_CALL(pv_clock, site);\n"
            "void console_init(void) { static_call(pv_clock)(); }",
            True,
        ),
        ("passed to a call", "void console_init(void) { on_each_cpu(site, 0); }", True),
        ("put off", "void console_init(void) { INIT_WORK(&work, site); }", False),
        (
            "PVOP",
            "struct pv_mmu { void (*flush)(void); }; struct pv { struct pv_mmu mmu; };\n"
            "struct pv pv_ops = { .mmu.flush = site };\n"
            "void console_init(void) { PVOP_VCALL1(mmu.flush, 1); }",
            True,
        ),
        (
            "hidden by a static function of the same name",
            "static void other(void) { }\nvoid console_init(void) { other(); }",
            False,
        ),
        (
            "an exception's entry",
            "static const struct idt_data idts[] = { INTG(X86_TRAP_VC, asm_exc_vc) };\n"
            "DECLARE_IDTENTRY(X86_TRAP_VC, exc_vc);\n"
            "DEFINE_IDTENTRY(exc_vc)\n{\n\tsite();\n}\n"
            "void console_init(void) { load(idts, 1); }",
            True,
        ),
        (
            "the way back to user mode",
            "void irqentry_exit_to_user_mode(void) { site(); }\n"
            "void console_init(void) { irqentry_exit_to_user_mode(); }",
            False,
        ),
        (
            "the body of a loop by a macro",
            "void console_init(void)\n{\n\tfor_each_zone(zone)\n\t\tsite();\n}",
            True,
        ),
        (
            "a loop by a macro that calls",
            "#define for_each_zone(z) for (z = first(); z; z = next(z))\n"
            "static void *first(void) { site(); return 0; }\n"
            "void console_init(void)\n{\n\tfor_each_zone(zone) {\n\t\tother();\n\t}\n}",
            True,
        ),
        (
            "a function that a macro defines",
            "#define DEFINE_SET(name) static void set_##name(int a) \\\n{ /* for\\\n it */ \\\n"
            "\tif (a) { site_##name(); } }\nDEFINE_SET(x)\n"
            "static void site_x(void) { site(); }\nvoid console_init(void) { set_x(1); }",
            True,
        ),
        (
            "a function that a macro of a macro defines",
            "#define INNER(name) static void name##_inner(void) { site(); }\n"
            "#define OUTER(name, field) static int name(void) { return field; } INNER(name)\n"
            "OUTER(tree, left)\nvoid console_init(void) { tree_inner(); }",
            True,
        ),
        (
            "a struct that a macro defines",
            "struct sched_class { void (*rq_online)(void); };\n"
            "struct rq { const struct sched_class *class; };\n"
            "DEFINE_SCHED_CLASS(fair) = {\n\t.rq_online = site,\n};\n"
            "void console_init(struct rq *rq) { use(&fair); rq->class->rq_online(); }",
            True,
        ),
        (
            "a macro handed to a macro",
            "#define LOCK(l, lock) lock(l)\n#define raw_lock(l) do { site(); } while (0)\n"
            "void console_init(void) { LOCK(0, raw_lock); }",
            True,
        ),
        (
            "a member that is a macro's argument",
            "struct ops { void (*name)(void); };\n"
            "#define call_op(h, op) ((h)->ops->op ? (h)->ops->op(h) : 0)\n"
            "const struct ops mine = { .name = site };\n"
            "void console_init(void) { use(&mine); call_op(handle, name); }",
            True,
        ),
        (
            "a timer that a macro initialises",
            "struct timer { void (*f)(void); };\nstruct pool { struct timer mix; };\n"
            "static DEFINE_PER_CPU(struct pool, pools) = {\n\t.mix = TIMER_INIT(site, 0),\n};\n"
            "void console_init(void) { start(&pools); }",
            True,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 50 else "",
)
def test_window(what, source, expected):
    extra = {"arch/x86/kernel/other.c": "void other(void)\n{\n\tsite_of_others();\n}\n"}
    shared = "struct vendor {\n\tstruct x86_hyper_init init;\n};\n"
    assert early(shared + source, extra) is expected, what


def test_code_that_assembly_starts_is_early():
    head = "SYM_CODE_START(vc_no_ghcb)\n\tcall do_vc\nSYM_CODE_END(vc_no_ghcb)\n"
    source = "void do_vc(void)\n{\n\tsite();\n}\n"
    assert early(source, {"arch/x86/kernel/head_64.S": head})


@pytest.mark.parametrize(("value", "expected"), [("y", True), ("n", False)])
def test_a_config_decides_between_branches(value, expected):
    empty = "#else\nvoid console_init(void) { }\n#endif\n"
    source = f"#ifdef CONFIG_X\nvoid console_init(void) {{ site(); }}\n{empty}"
    assert early(source, settings={"CONFIG_X": value}) is expected
    assert early(source)


def test_the_path_has_the_kind_and_the_place_of_each_step():
    source = "struct x86_init_ops x86_init = { .hyper.init_platform = site };"
    audit = audit_files({PATH: SITE + source})
    (hypercall,) = audit.early_hypercalls
    assert str(hypercall.place) == f"{PATH}:3"
    assert (hypercall.call, hypercall.purpose) == ("kvm_hypercall1", "KVM_HC_X")
    steps = [(step.function, step.edge_kind, step.via) for step in hypercall.early.steps]
    assert steps == [
        ("x86_64_start_kernel", EdgeKind.ENTRY, ""),
        ("start_kernel", EdgeKind.CALL, ""),
        ("setup_arch", EdgeKind.CALL, ""),
        ("site", EdgeKind.POINTER, "x86_init.hyper.init_platform"),
    ]
    assert str(hypercall.early.steps[-1].called) == "arch/x86/kernel/setup.c:3"
    assert (hypercall.early.paths, hypercall.early.capped) == (1, False)


def test_counts_paths_over_cycles():
    source = (
        "void a(void) { b(); c(); }\nvoid b(void) { a(); site(); }\nvoid c(void) { site(); }\n"
        "void d(void) { site(); }\nvoid console_init(void) { a(); d(); }\n"
    )
    audit = audit_files({PATH: SITE + source})
    # a and b are a cycle, which counts once: over it, over it and c, and over d.
    assert audit.early_hypercalls[0].early.paths == 3


def test_the_boot_path_is_found_by_position():
    audit = audit_files({})
    assert [step.function for step in audit.window.boot_path] == [
        "x86_64_start_kernel",
        "start_kernel",
        "arch_cpu_finalize_init",
        "alternative_instructions",
    ]
    lines = COMMON.splitlines()
    where = next(n for n, line in enumerate(lines, 1) if "alternative_instructions" in line)
    assert audit.window.boot_path[-1].called.line == where


def test_a_kernel_without_a_path_to_alternatives_is_refused():
    with pytest.raises(RefusedError, match="no calls lead from"):
        audit_files({"arch/x86/kernel/cpu/common.c": "int x;\n"})


@pytest.mark.parametrize("settings", [None, {"CONFIG_X86_64": "y"}])
def test_another_configuration_is_a_hint_only_if_one_was_followed(settings):
    with pytest.raises(RefusedError) as refused:
        audit_files({"arch/x86/kernel/cpu/common.c": "int x;\n"}, settings)
    assert ".config" not in refused.value.describe({})
    hint = refused.value.describe({"config": "--config"})
    assert ("; or name a .config that builds all files of arch/x86/" in hint) == bool(settings)


def test_the_last_reference_frees_a_window():
    window = follow_window(link_files({**FILES, PATH: SITE}), load_tables())
    assert build_audit(window).hypercalls
    assert build_reasons(window).functions
    code = weakref.ref(window.code)
    gc.disable()
    try:
        del window
        assert code() is None
    finally:
        gc.enable()


def test_unassigned_pointers_are_listed():
    pointers = {pointer.function: pointer for pointer in audit_files({}).unresolved}
    assert set(pointers) == {"setup_arch", "do_early_param", "start_kernel"}
    assert pointers["setup_arch"].via == "x86_init.hyper.init_platform"
    assert "no early code assigns x86_hyper_init.init_platform" in pointers["setup_arch"].reason


def test_code_of_the_identity_mapping_is_resolved_by_its_prefixed_name():
    head = "SYM_CODE_START(startup_64)\n\tcall __pi_startup\nSYM_CODE_END(startup_64)\n"
    files = {
        "arch/x86/kernel/head_64.S": head,
        "arch/x86/boot/startup/map.c": "void startup(void)\n{\n\tkvm_hypercall1(KVM_HC_X, 0);\n}\n",
    }
    (hypercall,) = audit_files(files).early_hypercalls
    assert hypercall.function == "startup"


@pytest.mark.parametrize(
    ("what", "source"),
    [
        (
            "static_call_cond",
            "DEFINE_STATIC_CALL(x, site);\nvoid console_init(void) { static_call_cond(x)(1); }",
        ),
        (
            "static_call_mod",
            "DEFINE_STATIC_CALL(x, site);\nvoid console_init(void) { static_call_mod(x)(1); }",
        ),
        (
            "a static call that is set in the window",
            "void identify_boot_cpu(void) { static_call_update(x, site); }\n"
            "void console_init(void) { static_call(x)(1); }",
        ),
        (
            "a static call that is set to a member",
            "struct ops { void (*go)(void); };\nstruct ops mine = { .go = site };\n"
            "void identify_boot_cpu(void) { static_call_update(x, mine.go); }\n"
            "void console_init(void) { static_call(x)(1); }",
        ),
        (
            "a static call that a macro sets by a name put together",
            "struct apic { void (*eoi)(void); };\nstruct apic mine = { .eoi = site };\n"
            "struct apic *apic = &mine;\n"
            "#define update_call(__cb) static_call_update(apic_call_##__cb, *apic->__cb)\n"
            "void identify_boot_cpu(void) { update_call(eoi); }\n"
            "void console_init(void) { static_call(apic_call_eoi)(1); }",
        ),
        (
            "a static call that a variadic macro sets",
            "struct ops { void (*go)(void); };\nstruct ops mine = { .go = site };\n"
            "#define update_call(...) static_call_update(__VA_ARGS__)\n"
            "void identify_boot_cpu(void) { update_call(x, mine.go); }\n"
            "void console_init(void) { static_call(x)(1); }",
        ),
        (
            "a member of another root",
            "struct lock_ops { void (*kick)(int); };\nstruct lock_ops pv_ops_lock = "
            "{ .kick = site };\nvoid console_init(void) { PVOP_VCALL1(pv_ops_lock, kick, 1); }",
        ),
        (
            "a member of a root with a type before it",
            "struct lock_ops { int (*kick)(int); };\nstruct lock_ops pv_ops_lock = "
            "{ .kick = site };\n"
            "int console_init(void) { return PVOP_CALL1(int, pv_ops_lock, kick, 1); }",
        ),
    ],
)
def test_static_calls_and_roots_are_followed(what, source):
    assert early(source), what


def test_setting_a_static_call_does_not_call_it():
    source = "void console_init(void) { static_call_update(x, site); }"
    assert not early(source)


@pytest.mark.parametrize(
    ("body", "via"),
    [
        ("find(1)(2);", "find()"),
        ("void (*f)(int) = find(1);\n\tf(2);", "find()"),
        ("void (*f)(int) = (void *)(address + 4);\n\tf(2);", "f"),
        ("static_call(unset)(1);", "static_call.unset"),
        ("PVOP_VCALL1(pv_ops_lock, kick, 1);", "pv_ops_lock.kick"),
        ("table[3](1);", "table"),
        ("(*(void (**)(int))address)(1);", "address"),
    ],
)
def test_a_call_that_is_not_resolved_is_listed(body, via):
    source = (
        "struct lock_ops { void (*kick)(int); };\nstruct lock_ops pv_ops_lock;\n"
        f"void (*table[4])(int);\nvoid console_init(void)\n{{\n\t{body}\n}}\n"
    )
    vias = [pointer.via for pointer in audit_files({PATH: source}).unresolved]
    assert via in vias


FORMS = """\
struct ops { void (*go)(int); struct ops *next; };
struct ops table[3] = { { .go = site_of_table } };
struct lock_ops { void (*kick)(int); };
struct lock_ops pv_ops_lock;
typedef void (*handler)(int);
#define MARK(x) (x)
#define CALL(op, x) ((op)->go(x))
static void by_parameter(void (*f)(int)) { f(1); }
void console_init(struct ops *ops, int n)
{
	void (*local)(int) = find(1);
	handler given = site;
	struct ops *mine = container_of(ops, struct ops, next);

	MARK(1);
	CALL(ops, 1);
	__builtin_expect(n, 1);
	unread_function(n);
	by_parameter(site);
	local(1);
	given(1);
	find(1)(2);
	ops->go(1);
	ops->next->next->go(1);
	mine->go(1);
	table[n].go(1);
	(*table[n].go)(1);
	(n ? ops->go : mine->go)(1);
	((handler)address)(1);
	static_call(some)(1);
	static_call_cond(other)(1);
	PVOP_VCALL1(pv_ops_lock, kick, 1);
	PVOP_VCALL1(mmu.flush, 1);
	get_ops(n)->go(1);
	for_each_thing(n)
		thing(n);
}
"""


def test_every_call_is_resolved_or_listed():
    account = account_files({PATH: SITE + FORMS})
    assert account.lost == ()
    assert account.seen == account.resolved + account.listed
    assert account.seen > 25 and account.listed > 5
