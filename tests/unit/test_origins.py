# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of a patch are template text and which a rule made."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import given, strategies as st

from patchgen.coccinelle import describe_texts
from patchgen.coccinelle.markers import fill_markers
from patchgen.edit.origins import LineOrigin, count_lines, follow_lines, start_origins
from patchgen.model.base import Oid, TreeFile
from patchgen.model.outcome import FileResult
from patchgen.model.plan import InsertLines, NewFile, RunRules
from patchgen.model.series import LineCount
from patchgen.model.smpl import SemanticPatch

PATH = PurePosixPath("a.c")
FILE = TreeFile(PATH, "100644", Oid(""))


def rules(**definitions: str) -> RunRules:
    return RunRules(SemanticPatch("a.cocci", "", definitions=definitions), (FILE,), {})


def count(before: bytes, after: bytes, edit, texts: frozenset[int] = frozenset()) -> LineCount:
    result = FileResult(PATH, after, from_texts=texts)
    origins = follow_lines(before, after, start_origins(before), edit, result)
    return count_lines(before, origins)


def test_lines_of_a_rule_and_of_a_marker_s_text_have_different_origins():
    patch = SemanticPatch("a.cocci", "", texts={"BODY": "one();\n\ntwo();\n"})
    after, texts = fill_markers(b"f()\n{\n\t/* patchgen: BODY */\n\treturn 0;\n}\n", patch)
    assert after == b"f()\n{\n\tone();\n\n\ttwo();\n\treturn 0;\n}\n"
    before = b"f()\n{\n\treturn;\n}\n"
    assert count(before, after, rules(), texts) == LineCount(templates=3, rules=1, removed=1)


def test_a_carriage_return_within_a_line_does_not_move_the_lines_of_a_text():
    patch = SemanticPatch("a.cocci", "", texts={"BODY": "one();\n"})
    before = b"/* a\rb */\nf()\n{\n}\n"
    marked = before.replace(b"}", b"\trule();\n\t/* patchgen: BODY */\n}")
    after, texts = fill_markers(marked, patch)
    origins = follow_lines(
        before, after, start_origins(before), rules(), FileResult(PATH, after, from_texts=texts)
    )
    assert count_lines(before, origins) == LineCount(templates=1, rules=1)
    assert origins[3:5] == [LineOrigin.RULE, LineOrigin.TEMPLATE]


def test_an_old_line_that_a_text_repeats_is_not_counted_as_added():
    before, after = b"a\n}\n", b"a\nnew\n}\n}\n"
    assert count(before, after, rules(), frozenset({1, 2})).removed == 0


def test_a_line_with_the_value_of_a_virtual_identifier_is_template_text():
    edit = rules(CONDITION="is_sev() &&\n\t!is_tdx()")
    after = b"if (is_sev() && !is_tdx())\n\tg();\n"
    assert count(b"", after, edit) == LineCount(templates=1, rules=1)


def test_lines_for_kconfig_and_new_files_are_template_text():
    insert = InsertLines(FILE, b"x\ny\n", ("a",), before=False)
    assert count(b"a\n", b"a\nx\ny\n", insert) == LineCount(templates=2)
    new = NewFile(PATH, b"x\n")
    origins = follow_lines(None, b"x\n", start_origins(None), new, None)
    assert count_lines(None, origins) == LineCount(templates=1)


def test_a_later_edit_takes_out_what_an_earlier_one_of_the_patch_added():
    first, second = b"a\nx\ny\n", b"a\ny\nz\n"
    insert = InsertLines(FILE, b"x\ny\n", ("a",), before=False)
    origins = follow_lines(b"a\n", first, start_origins(b"a\n"), insert, None)
    result = FileResult(PATH, second)
    origins = follow_lines(first, second, origins, rules(), result)
    assert count_lines(b"a\n", origins) == LineCount(templates=1, rules=1)


LINES = st.lists(st.sampled_from([b"a", b"b", b"", b"}"]), max_size=12)


@given(LINES, LINES)
def test_no_line_is_counted_twice_and_none_is_forgotten(old, new):
    before, after = (b"".join(line + b"\n" for line in lines) for lines in (old, new))
    found = count(before, after, rules())
    assert found.templates == 0 and found.rules - found.removed == len(new) - len(old)
    assert found.rules <= len(new) and found.removed <= len(old)
    assert count(before, before, rules()) == LineCount()


@given(st.text("/* patchgen:NAME\n\t", max_size=60), st.text("ab\n", max_size=8))
def test_lines_of_filled_markers_are_lines_of_the_file(content, text):
    content = content.replace("NAME", "/* patchgen: NAME */")
    patch = SemanticPatch("a.cocci", "", texts={"NAME": text})
    filled, texts = fill_markers(content.encode(), patch)
    assert all(0 <= line <= filled.count(b"\n") for line in texts)


def test_readers_see_comments_with_the_number_of_lines_in_place_of_markers():
    texts = {"ONE": "x\n", "TWO": "x\ny\n"}
    patch = SemanticPatch("a.cocci", "+/* patchgen: ONE */\n+\t/* patchgen: TWO */\n", texts=texts)
    assert describe_texts(patch) == (
        "+/* ONE: 1 line of template text */\n+\t/* TWO: 2 lines of template text */\n"
    )
