# SPDX-License-Identifier: GPL-2.0-or-later
"""Changed lines are attributed to the rule that has their text, and to no other."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.report.diff_lines import DiffBlock, DiffLine, LineKind
from patchgen.report.rule_lines import find_rules, read_patch_rules

RULES = """\
@alloc@
expression x, e;
@@
- x = kmalloc(e, GFP_KERNEL);
+ x = kzalloc(e, GFP_KERNEL);
  ...
- memset(x, 0, e);

@check@
identifier ret, fn;
position p;
@@
  fn@p(...) { ...
+
+ if (!ret)
+	notify(ret,
+	       SIZE);
  return ret; }

@include@
@@
  #include <a.h>
+ #include <b.h>

@found@
@@
  marker();
"""


def block_of(*lines: str) -> DiffBlock:
    return DiffBlock(True, tuple(DiffLine(LineKind(line[0]), line[1:], 1) for line in lines))


def rules_of(lines: tuple[str, ...], *, has_templates: bool, text: str = RULES) -> list[str]:
    hits = {"alloc": 1, "check": 1, "include": 1, "found": 1}
    return find_rules(block_of(*lines), read_patch_rules([text], hits, has_templates=has_templates))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("-\tp->t = kmalloc(n * 2, GFP_KERNEL);", "+\tp->t = kzalloc(n * 2, GFP_KERNEL);"), 2),
        (("-\tmemset(p->t, 0, n * 2);",), 1),
        (("+\tt = kzalloc(sizeof(*t),", "+\t\t    GFP_KERNEL);"), 2),
    ],
    ids=["values of metavariables", "a line that is only removed", "another layout"],
)
def test_a_line_is_attributed_to_the_rule_with_its_text(lines, expected):
    assert rules_of(lines, has_templates=True) == ["alloc"] * expected


def test_lines_that_a_rule_adds_together_are_one_text():
    lines = ("+", "+\tif (!err)", "+\t\tnotify(err, SIZE);")
    assert rules_of(lines, has_templates=False) == ["check"] * 3
    # A template has the first of them, but not the other.
    lines = ("+\tif (!err)", "+\t\treturn;", "+\tnotify(err, SIZE);")
    assert rules_of(lines, has_templates=True) == [""] * 3


def test_each_line_of_a_block_has_its_own_rule():
    lines = ("+#include <b.h>", "+/* A template. */", "+\tt = kzalloc(n, GFP_KERNEL);")
    assert rules_of(lines, has_templates=True) == ["include", "", "alloc"]


def test_a_line_next_to_those_of_one_rule_is_that_rules_unless_templates_add_lines():
    lines = ("-\tif (t)", "-\t\tmemset(t, 0, n);", "+\tlaid_out_anew();")
    assert rules_of(lines, has_templates=False) == ["alloc"] * 3
    assert rules_of(lines, has_templates=True) == ["alloc", "alloc", ""]


SHARED = """\
@both@
expression x, a, b;
@@
(
- x |= a;
- x |= b;
+ set(x, a | b);
|
- call(x, a)
+ call_in_order(x, a)
)

@one@
expression x, a;
@@
(
- x |= (a);
+ set(x, a);
|
- init(x);
+ setup(x);
)

@other@
expression x;
@@
- x.ready = 1;
+ setup(x);
"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("-\tf |= A | B;", "+\tset(f, A | B);"), ["one"] * 2),
        (("-\tf |= A;", "-\tf |= B;", "+\tset(f, A | B);"), ["both"] * 3),
        (("+\tset(f, A);",), ["one"]),
        (("+\tsetup(&f);",), ["one or other"]),
        (("-\tf.ready = 1;", "+\tsetup(&f);"), ["other"] * 2),
        (("-\tn = call(&f,", "-\t\t arg);"), ["both"] * 2),
        (("-\tn = recall(&f, arg);", "-\tn = call_it(&f, arg);"), ["", ""]),
    ],
    ids=[
        "both sides occur, up to parentheses",
        "the longer text",
        "one side",
        "not decidable",
        "decided by the other side",
        "a value on the next line",
        "words, not parts of words",
    ],
)
def test_of_several_rules_it_is_the_one_whose_change_it_is(lines, expected):
    rules = read_patch_rules([SHARED], {}, has_templates=True)
    assert find_rules(block_of(*lines), rules) == expected


def test_a_rule_without_a_hit_made_no_line():
    block = block_of("+#include <b.h>")
    for hits, expected in (({"alloc": 1}, [""]), ({"include": 2}, ["include"]), ({}, ["include"])):
        rules = read_patch_rules([RULES], hits, has_templates=True)
        assert find_rules(block, rules) == expected
        assert "found" not in rules.names


def test_the_text_of_a_template_is_not_a_rules():
    added = "+before();\n+/* patchgen: WALK */\n+after();\n"
    text = f"@walk@\nidentifier fn = f;\n@@\n{added} fn(...) {{ ... }}\n"
    rules = read_patch_rules([text], {}, has_templates=True)
    block = block_of("+before();", "+static void walk(void)", "+{", "+}", "+after();")
    assert find_rules(block, rules) == ["walk", "", "", "", "walk"]


def test_a_line_next_to_those_of_a_rule_may_be_a_persons_if_one_edited_the_patch():
    lines = ("+\tt = kzalloc(n, GFP_KERNEL);", "+\tby_hand();", "-\tby_hand_too();")
    rules = read_patch_rules([RULES], {}, has_templates=False, is_edited=True)
    assert find_rules(block_of(*lines), rules) == ["alloc", "", ""]


CODE = st.text("ab=(),;+-@.\\ \t'\"/*{}\udcff", max_size=30)


@given(st.lists(st.tuples(st.sampled_from("+-"), CODE), min_size=1, max_size=8), CODE, CODE)
def test_any_code_is_read(lines, removed, added):
    text = f"@r@\nidentifier a;\n@@\n-{removed}\n+{added}\n"
    rules = read_patch_rules([text], {}, has_templates=False)
    found = find_rules(block_of(*(sign + code for sign, code in lines)), rules)
    assert len(found) == len(lines) and set(found) <= {"", "r"}
