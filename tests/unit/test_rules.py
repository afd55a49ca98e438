# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of a semantic patch, however they are written."""

from __future__ import annotations

from hypothesis import given, strategies as st

from patchgen.coccinelle import read_rules
from patchgen.coccinelle.plain_rules import plain_types


def test_a_dependency_with_a_comment_in_it_is_one():
    text = "@r depends on // not report\n  /* or */ patch@\n@@\n- f();\n"
    [rule] = read_rules(text)
    assert rule.depends == {"patch"}
    assert rule.may_run({"patch": True}) and not rule.may_run({"patch": False})
    plain = plain_types(text, {"patch": True})
    assert plain is not None and plain.splitlines()[1].split() == ["@"]


def test_words_after_a_dependency_are_not_part_of_it():
    [rule] = read_rules("@r depends on a && !b exists@\n@@\n- f();\n")
    assert rule.depends == {"a", "b"}


def test_a_rule_that_spatch_reads_as_a_script_is_one():
    for header in ("#spatchscript:python", " script /* a */ : python", "\nscript\n:python"):
        [rule] = read_rules(f"@{header}@\nx << r.x;\n@@\nprint(x)\n")
        assert (rule.kind, rule.language, rule.is_script) == ("script", "python", True)
        assert rule.reads == (("x", "r"),) and rule.declarations == ()


def test_no_character_in_the_regular_expression_of_a_constraint_ends_a_declaration():
    text = '@r@\nidentifier f =~ "a;b,c", g;\nstruct s *p;\n@@\n- f(g, p);\n'
    [rule] = read_rules(text)
    assert [each.names for each in rule.declarations[:2]] == [["f", "g"], ["p"]]
    assert [each.is_typed for each in rule.declarations[:2]] == [False, True]
    assert plain_types(text, {}) == text.replace("struct s *p", "expression p")


def test_a_comment_with_a_rule_in_it_is_a_comment():
    text = '/*\n@old@\n@@\n- g();\n*/\n@r@\n@@\n// - h();\n f("/*");\n@s@\n@@\n- k();\n'
    rules = read_rules(text)
    assert [(rule.name, rule.modifies) for rule in rules] == [("r", False), ("s", True)]
    assert rules[0].words == {"f"}


PIECES = st.sampled_from(
    ["@", "@@\n", "\n", "@r@\n", "/*", "*/", "//", '"', "'", "- f();", "script:python", " a;", "#"]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_rules_are_in_order_and_have_their_lines(text):
    lines = text.split("\n")
    at = 1
    for rule in read_rules(text):
        assert at <= rule.start <= rule.name_line < rule.body <= rule.end <= len(lines) + 1
        assert list(rule.lines) == lines[rule.start - 1 : rule.end - 1]
        assert (*rule.head_lines, *rule.body_lines) == rule.lines
        assert text[rule.begin] == "@" and rule.lines[0].startswith("@")
        at = rule.end
