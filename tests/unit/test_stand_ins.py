# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for macros keep every line and column, and always give the source back."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.sweep.macro_kinds import MacroKind, MacroUse
from patchgen.sweep.stand_ins import disguise

USES = {
    b"__free": MacroUse(MacroKind.ATTRIBUTE),
    b"__init_or_module": MacroUse(MacroKind.ATTRIBUTE, has_parameters=False),
    b"assert_it": MacroUse(MacroKind.ATTRIBUTE),
    b"each": MacroUse(MacroKind.ITERATOR),
    b"PM_OPS": MacroUse(MacroKind.FIELDS),
    b"BPF_CALL_2": MacroUse(MacroKind.FUNCTION, 0),
    b"AUTO_FREE": MacroUse(MacroKind.DECLARATOR, 0),
    b"typeof_one": MacroUse(MacroKind.TYPE),
    b"for_each_one": MacroUse(MacroKind.ITERATOR),
}


def _disguise(text: str) -> str:
    disguised = disguise(text.encode(), USES)
    assert disguised is not None
    assert disguised.reveal(disguised.text) == text.encode()
    return disguised.text.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\tchar *p __free(kfree) = f();\n", "\tchar *p /*pGq0-----*/ = f();\n"),
        ("} __attribute__((aligned(8)));\n", "} /*pGq0-------------------*/;\n"),
        ("int x __free(\n\tkfree(1)) = 1;", "int x /*pGq0-\n\t-------*/ = 1;"),
        ("\tstruct path path __free(put) = {};\n", "\tstruct path path /*pGq0---*/ = {};\n"),
        ("u8 __init_or_module (*x)[2];\n", "u8 /*pGq0--------*/ (*x)[2];\n"),
        ("void __free(void *x)\n{\n", "void __free(void *x)\n{\n"),
        ("int f(void) __free(x, y)\n{\n", "int f(void) /*pGq0----*/\n{\n"),
        ("\tassert_it(f(x));\n", "\tassert_it(f(x));\n"),
        ("\tPM_OPS(a, b)\n\t.x = 1,\n", "\tPM_OPS(a, b)\n\t.x = 1,\n"),
        ("x = {\n\tPM_OPS(a, b)\n\t.y = 1,\n", "x = {\n\tPM_OPS(a, b),/*pGq0*/\n\t.y = 1,\n"),
        (
            "BPF_CALL_2(f, struct a *, b)\n{\n",
            "int f()/*pGq0-------------*/\n{\n",
        ),
        ("BPF_CALL_2(f)\n{\n", "int f()/*pGq0*/\n{\n"),
        ("\tDECLARE_BITMAP(map, 8) = { };\n", "\tint pGq0/*----------*/ = { };\n"),
        ("static DECLARE(map, 8) =\n\tx;\n", "static int pGq0/*---*/ =\n\tx;\n"),
        ("\tper_cpu(map, 8) = x;\n", "\tper_cpu(map, 8) = x;\n"),
        ('x = {\n#include "list.h"\n};\n', "x = {\n/*pGq0---------*/\n};\n"),
        ("#define each(x) \\\n\tfor (;;)\n", "#define each(x) \\\n\tfor (;;);/*pGq0*/\n"),
        (
            "#define X {\t\\\n\t.a = 1, \\\n}\n",
            "#define X()/*pGq0*/ {\t\\\n\t.a = 1, \\\n}\n",
        ),
        (
            "#define X(a) \\\n\t.a = 1, \\\n\t.b = 2\n",
            "#define X(a){/*pGq0*/ \\\n\t.a = 1, \\\n\t.b = 2/*pGq1*/}\n",
        ),
        ("#define X(a) {\\\n\t.a = 1 }\n", "#define X(a) {\\\n\t.a = 1 }\n"),
        (
            "#define X(a) \\\nstatic int a(void) { return 1; }\\\nEXPORT(a)\n",
            "#define X(a) \\\nstatic int a(void) { return 1; }\\\nEXPORT(a);/*pGq0*/\n",
        ),
        ("\tchar AUTO_FREE(buf);\n", "\tchar *buf/*pGq0--*/;\n"),
        ("\tx = AUTO_FREE(buf);\n", "\tx = AUTO_FREE(buf);\n"),
        ("\ttypeof_one(struct a) x;\n", "\tpGq0/*------------*/ x;\n"),
        ("\tf(typeof_one(struct a));\n", "\tf(typeof_one(struct a));\n"),
        ("\t} for_each_one(a, b);\n", "\t}while/*pGq0*/(a, b);\n"),
        ("\t}\n\tfor_each_one(a, b);\n", "\t}\n\tfor_each_one(a, b);\n"),
        (
            "#define X(a) \\\n\t{ a, 1 }, \\\n\tY(a)\n",
            "#define X(a){0,/*pGq0*/ \\\n\t{ a, 1 }, \\\n\tY(a)/*pGq1*/}\n",
        ),
        ("#define X(a) \\\n\tf(a); g(a, 1)\n", "#define X(a) \\\n\tf(a); g(a, 1)\n"),
        (
            "#define X(a) \\\nstruct b a[] = { \\\n\t1 \\\n}\n",
            "#define X(a) \\\nstruct b a[] = { \\\n\t1 \\\n};/*pGq0*/\n",
        ),
        ("#define X(a) [a] = 1,\n", "#define X(a) [a] = 1,\n"),
        ("#define STATIC static\n", "#define STATIC static\n"),
        ("#define X(a) int a(void) { }\n", "#define X(a) int a(void) { }\n"),
        ("#define X \\\n\tf(1)\n", "#define X \\\n\tf(1)\n"),
        ('f("__free(x)"); /* __free(x) */\n', 'f("__free(x)"); /* __free(x) */\n'),
        ("#define A __free(kfree)\n", "#define A __free(kfree)\n"),
        ("__free(x; y)\n__free(", "__free(x; y)\n__free("),
    ],
)
def test_stand_ins(text, expected):
    assert _disguise(text) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"/*pGq0-----*/", b""),
        lambda text: text.replace(b"/*pGq0-----*/", b"/*pGq0----*/"),
        lambda text: text + b"/*pGq0-----*/",
        lambda text: (
            text.replace(b"pGq0", b"pGqx").replace(b"pGq1", b"pGq0").replace(b"pGqx", b"pGq1")
        ),
    ],
    ids=["missing", "changed", "doubled", "moved"],
)
def test_an_output_in_which_a_stand_in_is_not_where_it_was_is_not_used(change):
    disguised = disguise(b"char *p __free(kfree) = f(), *q __free(vfree);\n", USES)
    assert disguised.reveal(change(disguised.text)) is None


def test_a_source_that_looks_like_a_stand_in_has_none():
    assert disguise(b"int pGq1; /* __free(kfree) */\n", USES) is None


_PIECES = st.sampled_from(
    [name.decode() for name in USES]
    + [
        "(",
        ")",
        "{",
        "}",
        ";",
        ",",
        "=",
        " ",
        "\n",
        "\t",
        '"',
        "'",
        "/*",
        "*/",
        "//",
        "#include",
        "\\",
    ]
    + [
        '#include "a.h"',
        "#define each(x)",
        "__attribute__((x))",
        "x",
        "DECLARE(x, 1) = {",
        "static",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_the_source_always_comes_back_and_lines_stay(text):
    disguised = disguise(text.encode(), USES)
    assert disguised is not None
    assert disguised.reveal(disguised.text) == text.encode()
    assert disguised.text.count(b"\n") == text.encode().count(b"\n")
