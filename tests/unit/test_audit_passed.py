# SPDX-License-Identifier: GPL-2.0-or-later
"""A function that a call passes on is called where the code shows that, not where it is stored."""

from __future__ import annotations

import pytest

from tests.support.small_kernel import PATH, SITE, audit_files, early

IRQ = """\
struct desc { void (*handle)(int); };
struct desc table[4];
void set_handler(int irq, void (*handle)(int))
{
	struct desc *desc = &table[irq];

	desc->handle = handle;
}
"""
RAISE = "void raise(struct desc *desc) { desc->handle(1); }\n"


def pass_on(definitions: str, call: str) -> bool:
    return early(f"{definitions}void console_init(void)\n{{\n\t{call}\n}}\n")


@pytest.mark.parametrize(
    ("definitions", "call", "expected"),
    [
        ("void each(void (*f)(void)) { f(); }\n", "each(site);", True),
        ("void each(void (*f)(void)) { f(); }\n", "each(&site);", True),
        ("void each(int n, cb_t f) { if (n) f(n); }\n", "each(1, site);", True),
        (
            "void inner(void (*f)(void)) { f(); }\nvoid each(void (*f)(void)) { inner(f); }\n",
            "each(site);",
            True,
        ),
        ("void each(void (*f)(void)) { void (*g)(void) = f; g(); }\n", "each(site);", True),
        ("void each(void (*f)(void)) { outside(f); }\n", "each(site);", True),
        ("", "outside(site);", True),
        (IRQ, "set_handler(1, site);", True),
        (f"{IRQ}{RAISE}", "set_handler(1, site);", False),
        (f"{IRQ}{RAISE}", "set_handler(1, site);\n\traise(table);", True),
        (f"{IRQ}{RAISE}", "raise(table);\n\tset_handler(1, site);", True),
        (
            f"{IRQ}{RAISE}"
            "static inline void set(int irq, void (*h)(int)) { set_handler(irq, h); }\n",
            "set(1, site);",
            False,
        ),
        (
            "struct work { struct desc d; };\nstruct work w;\n"
            f"{IRQ}{RAISE}#define SET(d, f) do {{ (d)->handle = (f); start(d); }} while (0)\n",
            "SET(&table[1], site);",
            False,
        ),
        (
            "struct saved { void *func; };\n"
            "#define SAVED(func) ((struct saved) { __raw_##func })\n"
            "struct ops { struct saved x; };\nstruct ops ops;\n",
            "ops.x = SAVED(site);",
            False,
        ),
        (
            "struct apic { void (*wake)(void); };\nstruct apic *apic;\n"
            "#define update(_callback, _fn) { apic->_callback = _fn; pr_info(#_callback, 1); }\n"
            "void run(void) { apic->wake(); }\n",
            "update(wake, site);",
            False,
        ),
        (
            "struct apic { void (*wake)(void); };\nstruct apic *apic;\n"
            "#define update(_callback, _fn) { apic->_callback = _fn; pr_info(#_callback, 1); }\n",
            "update(wake, site);\n\tapic->wake();",
            True,
        ),
        ("#define TRY(l, lock) do { if (l) lock(l); } while (0)\n", "TRY(0, site);", True),
        ("void each(void (*f)(void)) { each(f); }\n", "each(site);", False),
    ],
    ids=[
        "called",
        "called by its address",
        "called by a type's name",
        "called below",
        "called by a local variable",
        "passed to a function that was not read",
        "of a function that was not read",
        "stored where no code calls it",
        "stored where other code calls it",
        "stored, and then called",
        "called, and then stored",
        "stored below",
        "stored by a macro",
        "made a value by a macro",
        "stored by a macro in a member that it names",
        "stored by a macro in a member, and then called",
        "called by a macro",
        "passed to itself only",
    ],
)
def test_a_passed_function_is_called_or_stored(definitions, call, expected):
    assert pass_on(definitions, call) is expected


@pytest.mark.parametrize(
    ("definitions", "call", "expected"),
    [
        (
            "struct ops { void (*go)(int); };\nstruct ops mine = { .go = site };\n"
            "#define CALL(op) ((op)->go(1))\n",
            "use(&mine);\n\tCALL(find());",
            True,
        ),
        (
            "struct init { void (*go)(int); };\nstruct init_ops { struct init hyper; };\n"
            "struct init_ops init = { .hyper.go = site };\n#define CALL() init.hyper.go(1)\n",
            "CALL();",
            True,
        ),
        ("#define CALL(kind) do_##kind(1)\nvoid do_x(int n) { site(); }\n", "CALL(x);", True),
        (
            "#define CALL(kind) do_##kind##_now(1)\nvoid do_x_now(int n) { site(); }\n",
            "CALL(x);",
            True,
        ),
        (
            "struct ops { void (*go)(int); };\nstruct ops mine = { .go = site };\n"
            "#define CALL(f) f(1)\n",
            "use(&mine);\n\tCALL(find()->go);",
            False,
        ),
        (
            "struct ops { void (*go)(int); };\nstruct ops mine = { .go = site };\n"
            "#define CALL(f) f(1)\n",
            "struct ops *p = &mine;\n\tCALL(p->go);",
            True,
        ),
    ],
    ids=[
        "member",
        "members of a variable",
        "joined name",
        "joined name with an end",
        "member of a result",
        "member that is an argument",
    ],
)
def test_the_calls_of_a_macro_are_followed(definitions, call, expected):
    assert pass_on(definitions, call) is expected


@pytest.mark.parametrize(
    ("definitions", "call", "via"),
    [
        ("#define CALL(op) ((op)->go(1))\n", "CALL(find());", ".go"),
        ("#define CALL(f) f(1)\n", "void (*p)(int) = x;\n\tCALL(p);", "p"),
        ("#define CALL(f) f(1)\n", "CALL(o->go);", "o->go"),
    ],
)
def test_the_unresolved_calls_of_a_macro_are_listed(definitions, call, via):
    source = f"{SITE}{definitions}void console_init(void)\n{{\n\t{call}\n}}\n"
    unresolved = audit_files({PATH: source}).unresolved
    assert via in {pointer.via for pointer in unresolved}


def test_an_undefined_name_that_a_macro_joins_is_listed():
    source = "#define CALL(kind) do_##kind(1)\nvoid console_init(void) { CALL(x); }\n"
    assert "do_x" in audit_files({PATH: source}).coverage.unread


GUARDS = """\
#define DEFINE_LOCK_GUARD_1(_name, _type, _lock, _unlock, ...) __DEFINE_UNLOCK(_name, _unlock)
DEFINE_LOCK_GUARD_1(raw_lock, raw_lock_t,
\t\t    take(_T->lock),
\t\t    give(_T->lock))
DEFINE_CLASS(file, struct file *, put_file(_T), get_file(n), int n)
void give(void *lock) { site(); }
void get_file(int n) { site(); }
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("guard(raw_lock)(&lock);", True),
        ("scoped_guard(raw_lock, &lock) {\n\t\tother();\n\t}", True),
        ("CLASS(file, f)(1);", True),
        ("guard(other)(&lock);", False),
        ("other();", False),
    ],
)
def test_a_guard_calls_what_its_class_calls(call, expected):
    assert pass_on(GUARDS, call) is expected


def test_a_guard_is_not_an_unresolved_pointer():
    source = f"{SITE}{GUARDS}void console_init(void) {{ guard(raw_lock)(&lock); }}\n"
    assert "console_init" not in {p.function for p in audit_files({PATH: source}).unresolved}


def test_an_operand_of_inline_assembly_is_not_a_call():
    source = 'void console_init(void) { alternative_io("a", "b", OUT("=r" (v), "=m" (*p))); }\n'
    assert "console_init" not in {p.function for p in audit_files({PATH: source}).unresolved}


def test_a_cast_is_not_a_call():
    source = "typedef __u32 u32;\nint u32;\nvoid console_init(int v) { use((u32)(v)); }\n"
    audit = audit_files({PATH: source})
    assert "console_init" not in {p.function for p in audit.unresolved}
    assert "u32" not in audit.coverage.unread


@pytest.mark.parametrize(
    ("instruction", "listed"),
    [
        ("call *%rax", ["%rax"]),
        ("jmp *(%rdi)", ["(%rdi)"]),
        ("CALL_NOSPEC rdi", ["rdi"]),
        ("movq counter(%rip), %rax", []),
        ("ret", []),
        ("i = i + 1", []),
    ],
)
def test_assembly_lists_the_branches_that_are_not_resolved(instruction, listed):
    files = {
        PATH: "int counter;\nint ret;\nint i;\n",
        "arch/x86/kernel/head_64.S": f"SYM_CODE_START(startup_64)\n\t{instruction}\n"
        "SYM_CODE_END(startup_64)\n",
    }
    unresolved = audit_files(files).unresolved
    assert [p.via for p in unresolved if p.function == "startup_64"] == listed


def test_a_pointer_that_assembly_loads_is_followed():
    files = {
        PATH: f"{SITE}",
        "arch/x86/kernel/head_64.S": "SYM_CODE_START(startup_64)\n"
        "\tpushq initial_code(%rip)\n\tlretq\nSYM_CODE_END(startup_64)\n"
        "SYM_DATA(initial_code, .quad begin)\n",
        "arch/x86/kernel/begin.c": "void begin(void) { kvm_hypercall1(KVM_HC_X, 0); }\n",
    }
    assert "begin" in {site.function for site in audit_files(files).early_hypercalls}
