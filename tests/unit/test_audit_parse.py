# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading C: what the parser is spared, what it gives, and what it may not lose."""

from __future__ import annotations

import pytest

from patchgen.audit.assembly import parse_assembly
from patchgen.audit.facts import FileFacts, Function
from patchgen.audit.parse_c import parse_source


def parse(text: str) -> FileFacts:
    facts = parse_source(text.encode())
    assert facts.lost == ()
    return facts


def parse_one(text: str) -> Function:
    (function,) = parse(text).functions
    return function


@pytest.mark.parametrize(
    "head",
    [
        "static int __init f(int a)",
        "static __always_inline void f(void)",
        "noinstr void f(void)",
        "asmlinkage __visible void __init __no_sanitize_address f(void)",
        "static __printf(1, 2) int f(const char *fmt)",
        "struct page *__ref f(void)",
        "int\nf(int a)",
        "static void __cpuidle f(void) __acquires(x)",
        "DEFINE_IDTENTRY_RAW(f)",
        "DEFINE_IDTENTRY_ERRORCODE(f)",
    ],
)
def test_functions_after_attributes_and_macros_are_read(head):
    function = parse_one(f"int before;\n{head}\n{{\n\tg(1);\n}}\n")
    assert (function.name, [call.name for call in function.calls]) == ("f", ["g"])


def test_an_attribute_inside_of_a_longer_name_is_part_of_the_name():
    function = parse_one("int setup__init(void)\n{\n\tkick__free(a);\n\tMYEXPORT_A(b);\n}\n")
    assert function.name == "setup__init"
    assert [call.name for call in function.calls] == ["kick__free", "MYEXPORT_A"]


@pytest.mark.parametrize(
    "text",
    [
        "DEFINE_IDTENTRY(f)\n{\n\tg();\n}\n",
        "#define A 1\nint f(void)\n{\n}\n",
        'early_param("a", g);\nint f(void)\n{\n}\n',
    ],
)
def test_the_first_line_of_a_file_is_read_like_the_others(text):
    for before in ("", "\n"):
        facts = parse(before + text)
        assert [function.name for function in facts.functions] == ["f"]
        assert [use.name for use in facts.invocations] == ["early_param"] * ("early" in text)
        assert [macro.name for macro in facts.macros] == ["A"] * ("#" in text)


def test_a_function_after_unparsable_text_is_read_alone():
    text = "@@@ = {{{ (((\nint f(void)\n{\n\tg();\n}\n"
    assert [function.name for function in parse_source(text.encode()).functions] == ["f"]


def test_directives_and_comments_do_not_shift_lines():
    text = "/* a\n   b */\n#define X(y) \\\n\tz(y)\nint f(void)\n{\n\t/* c\n\t*/ g();\n}\n"
    function = parse_one(text)
    assert (function.line, function.calls[0].line) == (5, 8)
    (macro,) = parse(text).macros
    assert (macro.name, macro.parameters, macro.calls) == ("X", ("y",), (("z", 4),))


def test_branches_that_cut_through_braces_leave_one_of_them():
    text = (
        "int f(void)\n{\n#ifdef CONFIG_A\n\tif (a()) {\n#else\n\tif (b()) {\n#endif\n"
        "\t\tc();\n\t}\n"
        "\treturn 0;\n}\nint g(void)\n{\n\treturn 0;\n}\n"
    )
    facts = parse(text)
    assert [function.name for function in facts.functions] == ["f", "g"]
    assert [call.name for call in facts.functions[0].calls] == ["a", "c"]


def test_asm_is_read_with_its_template_and_operands():
    asm_text = 'asm volatile(ALTERNATIVE("a", "b", X)\n\t\t: : "r" (p) : "memory");'
    text = f"void f(void)\n{{\n\t{asm_text}\n}}\n"
    (asm,) = parse_one(text).asms
    assert (asm.line, asm.text) == (3, 'ALTERNATIVE("a", "b", X)')
    assert '"r" (p)' in asm.operands


def test_calls_through_members_locals_and_variables():
    text = """\
void f(struct ops *o, void (*cb)(void))
{
	void (*local)(void) = o->inner.first;

	x86_init.hyper.init_platform();
	o->second();
	local();
	cb();
	(*table[1])();
	static_call(name)(1);
}
"""
    accesses = [
        (call.access.base, call.access.members) for call in parse_one(text).calls if call.access
    ]
    assert accesses == [
        ("x86_init", ("hyper", "init_platform")),
        ("o", ("second",)),
        ("o", ("inner", "first")),
        ("cb", ()),
        ("table", ()),
        ("static_call", ("name",)),
    ]
    types = {call.access.base: call.access.type for call in parse_one(text).calls if call.access}
    assert (types["o"], types["cb"]) == ("ops", "(parameter)")


def test_initialisers_assign_functions_to_members():
    text = """\
const struct hypervisor_x86 x86_hyper_kvm = {
	.name = "KVM",
	.detect = kvm_detect,
	.init.init_platform = kvm_init_platform,
	.nested = { .cb = &inner },
};
static struct entry list[] = { { "a", first }, { .f = second } };
void (*late_time_init)(void);
int prototype(void);
"""
    variables = {variable.name: variable for variable in parse(text).variables}
    assert set(variables) == {"x86_hyper_kvm", "list", "late_time_init"}
    stores = [(store.target.members, store.names) for store in variables["x86_hyper_kvm"].stores]
    assert stores == [
        (("detect",), ("kvm_detect",)),
        (("init", "init_platform"), ("kvm_init_platform",)),
        (("nested", "cb"), ("inner",)),
    ]
    assert [store.target.members for store in variables["list"].stores] == [("*",), ("f",)]


@pytest.mark.parametrize(
    ("body", "forwards"),
    [
        ("g(vaddr);", True),
        ("g((unsigned long)ptr);", True),
        ("p = lookup_address(vaddr, &level); g(p);", True),
        ("g(p); p = vaddr;", True),
        ("g(PFN_DOWN(__pa(vaddr)));", True),
        ("lookup(vaddr, &pfn); g(pfn);", True),
        ("lookup(cpu, &pfn); g(pfn);", False),
        ("lookup(vaddr, &level); g(level);", False),
        ("g(&per_cpu(reason, cpu));", False),
        ("p = alloc(vaddr); g(p);", False),
        ("g(1);", False),
    ],
)
def test_an_address_from_a_parameter_differs_from_a_local_one(body, forwards):
    locals_ = "void *p; int level; unsigned long pfn;"
    head = f"void f(unsigned long vaddr, void *ptr, int cpu)\n{{\n\t{locals_}\n\t"
    calls = {call.name: call for call in parse_one(f"{head}{body}\n}}\n").calls}
    assert calls["g"].forwards is forwards


def test_macros_at_file_scope_are_not_functions():
    facts = parse(
        'early_param("nopv", parse_nopv);\nDEFINE_STATIC_CALL(a, b);\n'
        "DEFINE_PER_CPU(struct kvm_steal_time, steal_time);\nint f(void)\n{\n\treturn 0;\n}\n"
    )
    assert [(invocation.name, invocation.arguments) for invocation in facts.invocations][:2] == [
        ("early_param", ('"nopv"', "parse_nopv")),
        ("DEFINE_STATIC_CALL", ("a", "b")),
    ]
    assert [(variable.name, variable.type) for variable in facts.variables] == [
        ("steal_time", "kvm_steal_time")
    ]


def test_the_conditional_part_of_a_macro_is_a_separate_function():
    facts = parse_assembly(
        b".macro MODULE_CALL host:req ret=0\n.if \\host\n\tseamcall\n.else\n\ttdcall\n.endif\n"
        b".endm\nSYM_FUNC_START(__tdcall)\n\tMODULE_CALL host=0 ret=1\nSYM_FUNC_END(__tdcall)\n"
    )
    asms = {function.name: [asm.text for asm in function.asms] for function in facts.functions}
    assert asms["MODULE_CALL"] == []
    assert asms["MODULE_CALL host=1"] == ["seamcall"]
    assert asms["MODULE_CALL host=0"] == ["tdcall"]
    symbol = facts.functions[-1]
    assert "MODULE_CALL host=0" in {call.name for call in symbol.calls}


def test_a_function_that_the_parser_cannot_read_is_read_by_its_identifiers():
    text = "static int f(void)\n{\n\tif (a) ) { g(1);\n\t@ h();\n}\n"
    (function,) = parse(text).functions
    assert (function.name, function.static) == ("f", True)
    assert {"g", "h"} <= {call.name for call in function.calls}


def test_assembly_gives_symbols_calls_and_instructions():
    facts = parse_assembly(
        b".macro MODULE_CALL\n\ttdcall\n.endm\n"
        b"SYM_FUNC_START(__tdcall)\n\tMODULE_CALL\n\tcall helper\n\tRET\nSYM_FUNC_END(__tdcall)\n"
        b"SYM_DATA(initial_vc_handler, .quad handle_vc_boot_ghcb)\n"
    )
    macro, symbol = facts.functions
    assert (macro.name, [asm.text for asm in macro.asms]) == ("MODULE_CALL", ["tdcall"])
    assert (symbol.name, symbol.line) == ("__tdcall", 4)
    assert {"MODULE_CALL", "helper"} <= {call.name for call in symbol.calls}
    (variable,) = facts.variables
    assert variable.stores[0].names == ("handle_vc_boot_ghcb",)
