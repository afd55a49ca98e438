# SPDX-License-Identifier: GPL-2.0-or-later
"""Hints about what a parse error is due to: words that are not declared, an open disjunction."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import RunnableSmpl, apply_to_file, find_needs, find_spatch
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch, SourceLine

RECORDED = Path(__file__).parent.parent / "data" / "spatch"

# The body of a rule whose metavariables are on line 2; the words, their lines, and the declaration.
UNDECLARED = {
    "-(u16)e\n+e\n": ("the type u16 (line 4)", "typedef u16;"),
    "-f(e)\n+(__le16)f(e)\n": ("the type __le16 (line 5)", "typedef __le16;"),
    "f(uint a)\n{\n-g();\n ...\n}\n": ("the type uint (line 4)", "typedef uint;"),
    "-f(e)\n+g(const u32 *, e)\n": ("the type u32 (line 5)", "typedef u32;"),
    "-f((u16)1, (u32)2)\n+f(1)\n": (
        "the type u16 (line 4) and the type u32 (line 4)",
        "typedef u16, u32;",
    ),
    "-list_for_each(i, e) S\n+walk(i, e);\n": (
        "the loop macro list_for_each (line 4)",
        "iterator name list_for_each;",
    ),
    "-list_for_each(i, e)\n+walk(i, e);\n S\n": (
        "the loop macro list_for_each (line 4)",
        "iterator name list_for_each;",
    ),
    "scoped_guard(mutex, &m) {\n ...\n-f(e);\n}\n": (
        "the loop macro scoped_guard (line 4)",
        "iterator name scoped_guard;",
    ),
    "-for (i = 0; i < e; i++)\n+for_each_foo(i, e)\n S\n": (
        "the loop macro for_each_foo (line 5)",
        "iterator name for_each_foo;",
    ),
    "-static DEFINE_MUTEX(i);\n": (
        "the declaring macro DEFINE_MUTEX (line 4)",
        "declarer name DEFINE_MUTEX;",
    ),
    "static struct foo i __initdata = {\n- .a = 1,\n};\n": (
        "the attribute __initdata (line 4)",
        "attribute name __initdata;",
    ),
}
# Without their semicolon, operator or spelling, these could be loops, types and attributes.
OTHER_CAUSES = {
    "a semicolon": "-foo(e)\n-bar(e);\n",
    "a semicolon in plus code": "-foo(e);\n+foo(e)\n+bar(e);\n",
    "a comma": "-foo(e i);\n",
    "an operator": "-foo(bar baz);\n",
    "a semicolon after a declaration": "f(...) {\n ...\n-u16 j\n ...\n}\n",
    "a parenthesis": "-foo(e)\n+(u16)foo(e;\n",
    "a misspelt statement": "-retrun 1;\n",
    "a misspelt loop": "-wihle (e) {\n+while (e) {\n ...\n }\n",
    "a loop without parentheses": "while foo(e) {\n-bar();\n }\n",
    "too many parentheses": "-foo(e)\n+foo(e))\n",
    "an attribute": "-typeof(x) __percpu *i;\n",
    "the name of an expression": "-foo();\n+u16 e = foo();\n",
    "a known type": "-foo((known)1 e);\n",
    "three words": "-x y z\n",
}


def refuse(text: str) -> SpecError:
    with pytest.raises(SpecError) as raised:
        find_needs(find_spatch(), RunnableSmpl(SemanticPatch("x.cocci", text)))
    return raised.value


def write_rule(body: str, added: str = "") -> str:
    return f"@r@\nidentifier i; expression e; statement S; typedef known; {added}\n@@\n{body}"


@pytest.mark.parametrize("body", UNDECLARED)
def test_names_the_words_that_are_not_declared(body):
    words, declaration = UNDECLARED[body]
    error = refuse(write_rule(body))
    assert error.code == "smpl-refused"
    assert error.hint == (
        f"spatch probably does not know {words}: add the line `{declaration}` to the "
        "metavariables of r"
    )
    find_needs(find_spatch(), RunnableSmpl(SemanticPatch("x", write_rule(body, declaration))))


@pytest.mark.parametrize("cause", OTHER_CAUSES)
def test_other_errors_get_no_such_hint(cause):
    error = refuse(write_rule(OTHER_CAUSES[cause]))
    assert "parse error" in error.message
    assert error.hint is None


@pytest.mark.parametrize("path", sorted(RECORDED.glob("smpl-*.cocci")), ids=lambda path: path.stem)
def test_recorded_errors_get_no_such_hint(path):
    assert "does not know" not in (refuse(path.read_text()).hint or "")


def test_the_line_is_that_of_the_template():
    text = "@@\nexpression e;\n@@\n-(u16)e\n+e\n"
    origin = tuple(SourceLine("x.j2", 10 + i, line) for i, line in enumerate(text.splitlines()))
    patch = SemanticPatch("x.cocci", text, origin=origin)
    with pytest.raises(SpecError) as raised:
        apply_to_file(find_spatch(), patch, PurePosixPath("a.c"), b"int a = (u16)1;\n")
    assert raised.value.hint == (
        "spatch probably does not know the type u16 (line 13): add the line `typedef u16;` to the "
        "metavariables of the rule on line 10"
    )


@pytest.mark.parametrize("end", ["", "\n", "\n@@\nexpression e;\n@@\n-g(e)\n+h(e)\n"])
def test_a_disjunction_without_its_end_has_a_hint_of_its_own(end):
    text = f"@@\nexpression e;\n@@\n(\n-f(e)\n+g(e)\n|\n-h(e)\n+i(e)\n{end}"
    origin = tuple(SourceLine("x.j2", 10 + i, line) for i, line in enumerate(text.splitlines()))
    with pytest.raises(SpecError) as raised:
        find_needs(find_spatch(), RunnableSmpl(SemanticPatch("x.cocci", text, origin=origin)))
    assert raised.value.hint == "the disjunction that begins in line 13 has no `)`"
    assert raised.value.place is not None and raised.value.place.line == 13


def test_an_error_in_an_included_file_gets_no_hint():
    patch = SemanticPatch("x.cocci", '#include "y.cocci"\n')
    included = {"y.cocci": write_rule("-(u16)e\n+e\n")}
    with pytest.raises(SpecError) as raised:
        find_needs(find_spatch(), RunnableSmpl(patch, companions=included))
    assert raised.value.hint is None
