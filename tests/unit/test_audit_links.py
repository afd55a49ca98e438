# SPDX-License-Identifier: GPL-2.0-or-later
"""No path to a hypercall is lost by names, types and branches."""

from __future__ import annotations

import itertools

import pytest

from tests.support.small_kernel import audit_files, early

COMMON_C = "arch/x86/kernel/cpu/common.c"
OPS = "struct ops {\n\tvoid (*go)(void);\n};\n"


@pytest.mark.parametrize(("value", "expected"), [("y", True), ("n", False)])
@pytest.mark.parametrize(
    ("live", "dead", "use"),
    [
        ("#define GO() site()\n", "#define GO() idle()\n", "void console_init(void) { GO(); }\n"),
        ("\tsite();\n", "\tidle();\n", ""),
        ("\tx86_init.hyper.init_platform = site;\n", "", ""),
        (
            f"{OPS}static struct ops o = {{ .go = site }};\n",
            f"{OPS}static struct ops o = {{ .go = idle }};\n",
            "void console_init(void) { o.go(); }\n",
        ),
        (
            "DEFINE_GO(go, site)\n",
            "DEFINE_GO(go, idle)\n",
            "#define DEFINE_GO(name, called) static void name(void) { called(); }\n"
            "void console_init(void) { go(); }\n",
        ),
    ],
    ids=["macro", "call", "store", "variable", "macro at file scope"],
)
def test_code_outside_of_the_configuration_is_not_followed(live, dead, use, value, expected):
    branches = f"#ifdef CONFIG_X\n{live}#else\n{dead}#endif\n"
    if not use:
        branches = f"void identify_boot_cpu(void)\n{{\n{branches}}}\n"
    source = f"static void idle(void) {{ }}\n{branches}{use}"
    assert early(source, settings={"CONFIG_X": value}) is expected
    assert early(source) is True


@pytest.mark.parametrize(("value", "expected"), [("n", True), ("y", False)])
def test_a_function_that_is_left_out_does_not_hide_another_one(value, expected):
    source = (
        "#ifdef CONFIG_X\nstatic void other(void) { }\n#endif\n"
        "void console_init(void) { other(); }\nvoid to_site(void) { site(); }\n"
    )
    extra = {"arch/x86/kernel/other.c": "void other(void)\n{\n\tto_site();\n}\n"}
    assert early(source, extra, settings={"CONFIG_X": value}) is expected


@pytest.mark.parametrize("names", [["a_t"], ["a_t", "b_t"], ["a_t", "b_t", "c_t"]], ids=len)
def test_any_name_of_a_type_identifies_it(names):
    typedefs = f"{OPS}typedef struct ops {names[0]};\n" + "".join(
        f"typedef {first} {second};\n" for first, second in itertools.pairwise(names)
    )
    call = f"void console_init(void) {{ {names[-1]} *p = get(); p->go(); }}\n"
    assert early(f"{typedefs}static struct ops o = {{ .go = site }};\n{call}")
    inner = f"struct outer {{\n\t{names[-1]} inner;\n}};\nstatic struct outer o;\n"
    init = "void identify_boot_cpu(void) { o.inner.go = site; }\n"
    assert early(f"{typedefs}{inner}{init}void console_init(void) {{ o.inner.go(); }}\n")


@pytest.mark.parametrize("initialiser", ["{ .go = site }", "{ site }"])
@pytest.mark.parametrize(
    "walk",
    [
        # What is called is known before the call is met, and after.
        "static struct ops o = INIT;\nvoid console_init(void) { struct ops *p = &o; p->go(); }\n",
        "static struct ops o = INIT;\n"
        "void second(void) { use(&o); }\n"
        "void console_init(void) { struct ops *p; p->go(); second(); }\n",
        "static struct ops o = INIT;\n"
        "void later(void) { struct ops *p; p->go(); }\n"
        "void console_init(void) { use(&o); later(); }\n",
        "static struct ops many[] = { INIT, };\n"
        "void second(void) { use(many); }\n"
        "void console_init(void) { struct ops *p; p->go(); second(); }\n",
    ],
    ids=["inside", "after", "before", "array"],
)
def test_a_member_is_followed_however_its_struct_is_filled(initialiser, walk):
    assert early(OPS + walk.replace("INIT", initialiser))


def test_a_table_of_functions_is_followed_to_all_of_them():
    table = "static void idle(void) { }\nstatic void (*table[])(void) = { idle, site };\n"
    assert early(f"{table}void console_init(void) {{ table[i](); }}\n")
    assert not early(table)


def test_the_window_goes_up_to_the_last_call_that_leads_to_its_end():
    twice = (
        "void __init arch_cpu_finalize_init(void)\n{\n"
        "\tif (early)\n\t\talternative_instructions();\n"
        "\tbetween();\n\talternative_instructions();\n\tafter_alternatives();\n}\n"
    )
    assert early("void between(void) { site(); }\n", {COMMON_C: twice})
    assert not early("void after_alternatives(void) { site(); }\n", {COMMON_C: twice})


def test_only_pointer_calls_without_a_target_are_listed():
    source = (
        f"{OPS}struct plain {{\n\tstruct ops inner;\n}};\n"
        "static struct ops o = { .go = idle };\nstatic void idle(void) { }\n"
        "static struct ops empty;\n"
        "static void (*hook)(void);\n"
        "struct other {\n\tvoid (*stop)(void);\n};\nstatic struct other none;\n"
        "void console_init(void)\n{\n\to.go();\n\tempty.go();\n\tnone.stop();\n\thook();\n"
        "\tget(1)->halt();\n\t(*(table + 1))();\n}\n"
    )
    audit = audit_files({"arch/x86/kernel/mine.c": source})
    vias = {pointer.via for pointer in audit.unresolved if pointer.function == "console_init"}
    # "?" is a call of what an expression gives. What o.go() leads to is known by its type, and so
    # is what empty.go() may lead to.
    assert vias == {"none.stop", "hook", "get.halt", "?"}
