# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions are cut with their headers, and that no other code moves."""

from __future__ import annotations

import pytest

from patchgen.coccinelle.formula import parse_formula
from patchgen.sweep.slices import restore, slice_source

NEEDS = (parse_formula("kfree"),)
USER = b"\nvoid last(void *p)\n{\n\tkfree(p);\n}\n"


def idle(name: str, before: bytes = b"\n", returns: str = "static int") -> bytes:
    return before + f"{returns} {name}(struct foo *a)\n{{\n\tidle(a);\n\tidle(a);\n}}\n".encode()


def cut(source: bytes) -> str:
    source = b"int a;\n" + source
    found = slice_source(source, NEEDS)
    assert restore(found.text, found.parts) == source
    assert found.text.count(b"\n") == source.count(b"\n")
    assert found.text.endswith(USER[1:]) and b"idle(a)" not in found.text
    return found.text.decode()


def test_one_comment_stands_for_a_run_but_its_ends():
    source = b"".join(map(idle, ["one", "two", "three", "four", "five"])) + USER
    assert cut(source) == (
        "int a;\n\n"
        "static int one(struct foo *a)\n{/*pg0\n\n*/\n}\n"
        "/*pg1" + 17 * "\n" + "*/\n\n"
        "static int five(struct foo *a)\n{/*pg2\n\n*/\n}\n" + USER.decode()
    )


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\n/* two(): a call of two() */\n",
        b"\n/**\n * two() - it ** does\n *\n * @a: foo /\n **/\n",
        b"EXPORT_SYMBOL_GPL(one);\n\n",
        b"\n// two, it's\n\n\n",
        b"\n" + 200 * b"/" + b"\n\n",
    ],
)
def test_comments_and_exports_are_no_use_of_a_name(before):
    source = idle("one") + idle("two", before) + idle("three") + USER
    assert "two" not in cut(source) and "three(" in cut(source)


@pytest.mark.parametrize(
    "use",
    [
        b"static int two(struct foo *a);\n",
        b"#define old_name two\n",
        b"static const struct ops it = {\n\t.go = two, .free = kfree,\n};\n",
        b"void *g(void)\n{\n\tkfree(two());\n}\n",
        b'#include "two"\n',
    ],
)
def test_a_function_named_in_the_remaining_text_keeps_its_header(use):
    run = idle("one") + idle("two") + idle("three")
    assert "static int two(" in cut(use + run + USER)
    assert "static int two(" in cut(run + b"\n" + use + USER)
    # What is cut uses nothing.
    table = b"static const struct ops it = {\n\t.go = two,\n};\n"
    assert "static int two(" not in cut(run + b"\n" + table + USER)


@pytest.mark.parametrize(
    "between",
    [
        b"\n#ifdef CONFIG_X\n",
        b"\nstatic int count;\n",
        b"\nmodule_init(one);\n",
        b"\n" + 40 * (200 * b"/" + b"\n") + b"int a;\n",
        b"\n/* a comment */ int b; /* and another */\n",
        b"\n/* EXPORT_SYMBOL(x); */ EXPORT_SYMBOL(x) \n",
    ],
)
def test_text_between_two_functions_keeps_both(between):
    text = cut(idle("one") + idle("two") + between + idle("three") + idle("four") + USER)
    assert between.decode() in text
    assert all(f"static int {name}(" in text for name in ("one", "two", "three", "four"))


def test_a_header_that_is_not_plain_is_not_cut():
    odd = b"\nstatic int (*two(struct foo *a))(int)\n{\n\tidle(a);\n}\n"
    assert "(*two(struct foo *a))(int)" in cut(idle("one") + odd + idle("three") + USER)


def test_the_header_that_first_shows_a_type_is_not_cut():
    run = idle("one") + idle("two", returns="static u64") + idle("three") + idle("four")
    asks = b"\nvoid f(void)\n{\n\tkfree((u64)(x));\n}\n"
    assert "static u64 two(" in cut(run + asks + USER)
    assert "static u64 two(" not in cut(run + asks.replace(b"(u64)", b"") + USER)
    assert "static u64 two(" not in cut(b"extern u64 x;\n" + run + asks + USER)


@pytest.mark.parametrize("text", [b'"https://x"', b'"/sys/*"'])
def test_comment_marks_in_strings_hide_no_use_of_a_name(text):
    run = idle("one") + idle("two") + idle("three")
    use = b"\nint k(void)\n{\n\tkfree(" + text + b", two(3)); /* done */\n}\n"
    assert "static int two(" in cut(run + use + USER)
