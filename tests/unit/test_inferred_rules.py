# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules that are inferred from a change, before patchgen runs them to test them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.newvariant.accepted_rules import is_progress
from patchgen.newvariant.call_rules import infer_call_rules
from patchgen.newvariant.changed_tokens import ChangedFile
from patchgen.newvariant.statement_rules import infer_statement_rules

PLACES = ["f(dev, 0);", "x = f(get(dev), 1);", "if (f(a, b + 1))\n\t\treturn;"]


def change(*pairs: tuple[str, str]) -> list[ChangedFile]:
    """Return a file in which a function has each of these changes."""
    before, after = (
        "".join(f"void f{n}(void)\n{{\n\t{pair[side]}\n}}\n\n" for n, pair in enumerate(pairs))
        for side in (0, 1)
    )
    return [ChangedFile(PurePosixPath("a.c"), before.encode(), after.encode())]


def calls(*pairs: tuple[str, str]) -> list[str]:
    return [rule.text for rule in infer_call_rules(change(*pairs))]


def test_a_renamed_call_is_one_rule_for_any_arguments():
    [rule] = calls(*((place, place.replace("f(", "g(", 1)) for place in PLACES[:2]))
    assert rule == "@rename_f@\nposition p;\n@@\n-f@p\n+g\n (...)\n"


def test_a_new_argument_is_the_same_text_in_all_calls():
    [rule] = calls(
        ("f(dev, 0);", "f(dev, 0, GFP_KERNEL);"), ("y = f(p->x, n);", "y = f(p->x, n, GFP_KERNEL);")
    )
    assert "expression e1, e2;" in rule
    assert "@@\n f@p(\n e1 , e2\n+, GFP_KERNEL\n )\n" in rule


def test_calls_with_different_new_arguments_make_separate_rules():
    first, second = calls(("f(a);", "f(a, ONE);"), ("f(b);", "f(b, TWO);"))
    assert " a\n+, ONE\n" in first and " b\n+, TWO\n" in second


def test_a_dropped_argument_is_stated_if_it_is_the_same_in_all_calls():
    [rule] = calls(("f(a, NULL);", "g(a);"), ("f(b->c, NULL);", "g(b->c);"))
    assert "expression e1;" in rule and "-f@p\n+g\n (\n e1\n-, NULL\n )\n" in rule
    [rule] = calls(("f(a, 1);", "f(a);"), ("f(b->c, 2);", "f(b->c);"))
    assert "expression e1, e2;" in rule and " e1\n-, e2\n" in rule


def test_exchanged_arguments_are_passed_on():
    [rule] = calls(("f(a, b);", "f(b, a);"), ("f(c, d);", "f(d, c);"))
    assert "expression e1, e2;" in rule and "+" in rule and "a" not in rule.split("@@")[1]


def test_the_names_of_metavariables_do_not_occur_in_the_code():
    [rule] = calls(("f(e1, p);", "f(e1, p, e2);"))
    assert "expression e1_2, e2_2;\nposition p_2;" in rule


@pytest.mark.parametrize(
    "pair",
    [
        ("f(a) == 0;", "f(a);"),
        ("kfree(p);\n\tp = NULL;", "kfree_and_null(p);"),
        ("return (a);", "return (b);"),
        ("x = a;", "x = b;"),
    ],
)
def test_a_hunk_that_changes_more_than_calls_makes_no_rule_for_calls(pair):
    assert calls(pair) == []


def test_statements_that_differ_in_names_are_one_rule():
    [rule] = infer_statement_rules(
        change(
            ("put(x);\n\tx = NULL;", "put_null(&x);"), ("put(it);\n\tit = NULL;", "put_null(&it);")
        )
    )
    assert rule.text == (
        "@statements@\nexpression e1;\nposition p;\n@@\n-put@p(e1);\n-e1 = NULL;\n+put_null(&e1);\n"
    )


def test_statements_with_equal_names_at_different_places_make_separate_rules():
    pairs = (("a = b + c;", "g(a, b);"), ("a = a + c;", "g(a, c);"))
    assert len(infer_statement_rules(change(*pairs))) == 2


def test_a_rule_has_the_whole_statement():
    [rule] = infer_statement_rules(change(("if (a)\n\t\treturn 1;", "if (a)\n\t\tgoto out;")))
    assert "-if (a@p)\n-\treturn 1;\n+if (a)\n+\tgoto out;\n" in rule.text


@pytest.mark.parametrize(
    "pair",
    [
        ("f(a);", "f( a );"),
        ("/* old */ f(a); /* old */ g(b);", "/* new */ f(b); /* new */ g(c);"),
        ("#ifdef A\n\tf(a);", "#ifdef B\n\tf(b);"),
    ],
)
def test_layout_comments_and_directives_make_no_rule_for_statements(pair):
    assert infer_statement_rules(change(pair)) == []


def test_code_of_a_commit_cannot_become_a_script_of_a_semantic_patch():
    """A string of C may continue on a line that SmPL would read as the head of a rule."""
    script = '"a\\\n@script:python@\\\n@@\\\nprint(1)\\\n"'
    files = change(("g(1);", f"g(1, {script});"), ("h(1);", f"k({script});\n\tl();"))
    assert infer_call_rules(files) == infer_statement_rules(files) == []


def test_declarations_outside_of_functions_make_no_rule_for_statements():
    file = ChangedFile(PurePosixPath("a.c"), b"int x;\n", b"int y;\n")
    assert infer_statement_rules([file]) == []


def test_many_changes_of_a_single_place_make_no_rules():
    pairs = [(f"x = a{n} {sign} b;", f"y(a{n});") for n, sign in enumerate("+-*/%&|^<>")]
    assert infer_statement_rules(change(*pairs)) == []
    assert len(infer_statement_rules(change(*pairs[:8]))) == 8


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (b"a\nB\nc\nd\n", True),
        (b"a\nB\nc\nD\n", True),
        (b"A\nB\nc\nd\n", False),
        (b"a\nx y z\nc\nd\n", False),
        (b"a\nb\nc\nd\n", False),
    ],
)
def test_a_result_is_progress_if_it_is_nearer_and_changes_only_the_lines_to_change(
    result, expected
):
    assert is_progress(b"a\nb\nc\nd\n", result, b"a\nB\nc\nD\n") == expected
