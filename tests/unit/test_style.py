# SPDX-License-Identifier: GPL-2.0-or-later
"""Changed lines get the kernel's style; other lines, tokens and comments do not change."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from patchgen.coccinelle.style import restyle
from patchgen.ctokens import split_tokens

HEAD = "int f(void)\n{\n\tint ret;\n\n"


def styled(before: str, after: str) -> str:
    """Return a function's statements as they are laid out after a rule changed them."""
    texts = (f"{HEAD}{each}\n}}\n".encode() for each in (before, after))
    return restyle(*texts).decode().removeprefix(HEAD).removesuffix("\n}\n")


@pytest.mark.parametrize(
    ("before", "after", "right"),
    [
        (
            "\told_name(first, second,\n\t\t third);",
            "\ta_longer_name(first, second,\n\t\t third);",
            "\ta_longer_name(first, second,\n\t\t      third);",
        ),
        (
            "\told_name(first,\n\t\t second);",
            "\tnew(first,\n\t\t second);",
            "\tnew(first,\n\t    second);",
        ),
        (
            "\told_name(first,\n\t\tsecond);",
            "\ta_longer_name(first,\n\t\tsecond);",
            "\ta_longer_name(first,\n\t\tsecond);",
        ),
        (
            "\tret = old_name(first, inner(a,\n\t\t\t\t    b));",
            "\tret = new_long_name(first, inner(a,\n\t\t\t\t    b));",
            "\tret = new_long_name(first, inner(a,\n\t\t\t\t\t b));",
        ),
    ],
    ids=["longer", "shorter", "not aligned before", "nested"],
)
def test_a_continuation_line_stays_aligned_when_the_name_changes(before, after, right):
    assert styled(before, after) == right


def test_spaces_for_tabs_become_tabs():
    before = "\t\told_call(first,\n\t\t\t second);"
    after = "\t\tnew_call(first,\n\t\t         second);"
    assert styled(before, after) == "\t\tnew_call(first,\n\t\t\t second);"


def test_a_file_that_is_indented_with_spaces_keeps_them():
    before = "        old_call(first,\n                 second);"
    after = "        new_call_(first,\n                 second);"
    assert styled(before, after) == "        new_call_(first,\n                  second);"


def test_a_call_that_was_on_one_line_stays_on_one_if_it_fits():
    assert styled("\tstrlcpy(a, b, c);", "\tstrscpy(a,\n\t\t b,\n\t\t c);") == "\tstrscpy(a, b, c);"


def test_a_call_that_was_broken_only_for_its_length_is_joined_when_it_fits():
    name, argument = "x" * 40, "y" * 30
    before = f"\t{name}({argument},\n\t\t{argument});"
    assert styled(before, before.replace(name, "new")) == f"\tnew({argument}, {argument});"


def test_one_argument_on_each_line_stays_so():
    before = "\told(a,\n\t    b,\n\t    c);"
    assert styled(before, "\tlonger(a, b, c);") == "\tlonger(a,\n\t       b,\n\t       c);"


def test_a_line_over_80_columns_is_broken_after_a_comma_as_it_was_none_before():
    arguments = "a" * 28, "b" * 28
    before = f"\tret = old({', '.join(arguments)});"
    after = before.replace("old", "a_much_longer_name")
    assert styled(before, after) == (
        f"\tret = a_much_longer_name({arguments[0]},\n\t\t\t\t {arguments[1]});"
    )


def test_a_condition_is_broken_at_its_operator_first():
    before = f"\tif (ready && old({'a' * 28}, {'b' * 16}))\n\t\treturn;"
    after = before.replace("old", "a_much_longer_name")
    assert styled(before, after) == (
        f"\tif (ready &&\n\t    a_much_longer_name({'a' * 28}, {'b' * 16}))\n\t\treturn;"
    )


def test_a_line_that_was_longer_than_80_columns_may_be():
    before = f'\tdev_err(dev, "{"x" * 60}", first);'
    assert len(before) > 80
    after = before.replace("dev_err", "dev_warn")
    assert styled(before, after) == after


def test_statements_that_the_rule_did_not_touch_do_not_change():
    other = "\tother(a,\n\t  b ,c);  \n    odd( x );\n"
    before, after = f"{other}\told(a);\n{other}", f"{other}\tnew(a,\n\t    b);\n{other}"
    assert styled(before, after) == f"{other}\tnew(a, b);\n{other}"


@pytest.mark.parametrize("inserted", ["ONE(f);\nTWO(f);\nTHREE(f);\n", "\n\n\nint g(void);\n"])
def test_what_a_rule_inserts_after_a_changed_function_does_not_change_its_other_statements(
    inserted,
):
    text = f"{HEAD}\told(a);\n\tother(a,\n\t  b ,c);\n}}\nEXPORT(f);\n"
    after = text.replace("old", "new").replace("EXPORT", f"{inserted}EXPORT")
    assert restyle(text.encode(), after.encode()).decode() == after


def test_a_change_over_the_end_of_a_function_does_not_change_its_other_statements():
    text = "\tif (x && (y ||\n\t    z)) {"
    after = f"\tnew(a, b);\n{text}\n}}\n\tnew(a, b);"
    assert restyle(text.encode(), after.encode()).decode() == after


@pytest.mark.parametrize(
    "statement",
    [
        "\tnew(a, /* of the\n\t\t * old */\n\t      b);",
        "\tnew(a, // one\n\t\tb);",
        "\tnew(a,\n#ifdef B\n\t\tb,\n#endif\n\t\tc);",
        "\tnew(({ int x = 1;\n\t\tx; }), b);",
        "#define NEW(a, b) \\\n\tnew(a, \\\n\t\tb)",
        '\tnew("text "\n\t\t"more", b);',
    ],
    ids=["comment", "line comment", "directive", "statement in expression", "macro", "string"],
)
def test_what_must_not_move_remains_as_spatch_printed_it(statement):
    before = statement.replace("new", "older").replace("NEW", "OLD")
    assert styled(before, statement) == statement


def test_a_comment_between_arguments_stays_where_it_is():
    before = "\told(a, /* one */ b,\n\t    c); /* all */"
    after = "\tlonger(a, /* one */ b,\n\t    c); /* all */"
    assert styled(before, after) == "\tlonger(a, /* one */ b,\n\t       c); /* all */"


def test_white_space_at_the_end_of_a_changed_line_is_removed():
    assert styled("\told(a);", "\tnew(a); \n \t\n\tmore(a);") == "\tnew(a);\n\n\tmore(a);"


def test_an_empty_argument_gets_no_space():
    assert styled("\told();", "\tnew(a,b,);") == "\tnew(a, b,);"


def test_lines_with_carriage_returns_do_not_change():
    before, after = b"\told(a,\r\n\t    b);\r\n", b"\tlonger(a,\r\n\t    b);\r\n"
    assert restyle(before, after) == after


def test_a_deleted_argument_leaves_no_break_after_the_parenthesis():
    before = f"\told({'a' * 60},\n\t    {'b' * 30}, c);"
    assert styled(before, f"\told({'b' * 30}, c);") == f"\told({'b' * 30}, c);"


def test_new_statements_are_aligned_as_their_neighbours():
    before = "\tfirst(a);\n\tlast(a);"
    after = f"\tfirst(a);\n        made({'b' * 40},\n             {'c' * 30});\n\tlast(a);"
    assert styled(before, after) == (
        f"\tfirst(a);\n\tmade({'b' * 40},\n\t     {'c' * 30});\n\tlast(a);"
    )


def code(text: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"".join(gap.split()), token) for gap, token in split_tokens(text)]


LINES = st.lists(
    st.sampled_from(
        [
            *(
                "\tcall(a,",
                "\t     b);",
                "\tif (x && (y ||",
                "\t    z)) {",
                "\t}",
                "}",
                "{",
                "#if A",
            ),
            *("#endif", "/* a", " * b */", "\tx = a ? b : c;", '\ts("long", ', "        b, c,", ""),
            *(
                "\tfor (i = 0; i < n;",
                "\t     i++)",
                "\t#define A(x) \\",
                "// x",
                "\t'",
                '\t"',
                "(",
                ")",
            ),
        ]
    ),
    max_size=12,
)


# Repeated lines with open parentheses have several differences: the examples are always the same.
@settings(derandomize=True)
@given(LINES, LINES)
def test_only_white_space_changes_whatever_the_text(before, after):
    old, new = ("\n".join(lines).encode() for lines in (before, after))
    result = restyle(old, new, keep_braces=True)
    assert code(result) == code(new)
    assert restyle(old, result, keep_braces=True) == result


@settings(derandomize=True)
@given(LINES, LINES)
def test_only_pairs_of_braces_disappear_whatever_the_text(before, after):
    old, new = ("\n".join(lines).encode() for lines in (before, after))
    result = restyle(old, new)
    assert [pair for pair in code(result) if pair[1] not in b"{}"] == [
        pair for pair in code(new) if pair[1] not in b"{}"
    ]
    removed = new.count(b"{") - result.count(b"{")
    assert removed >= 0
    assert new.count(b"}") - result.count(b"}") == removed


@given(LINES, LINES, LINES, LINES)
def test_functions_around_the_change_do_not_change(head, old, new, tail):
    first, last = "\n".join([*head, "}", ""]), "\n".join(["{", *tail])
    before, after = (
        "\n".join([first, *lines, "", "int g(void)", last]).encode() for lines in (old, new)
    )
    result = restyle(before, after).decode()
    assert result.startswith(f"{first}\n")
    assert result.endswith(f"\n{last}")


def test_a_continuation_of_removed_parentheses_joins_the_line():
    before = f"\tret = wrap({'a' * 40} +\n\t\t   {'b' * 40});"
    after = f"\tret = {'a' * 40} + {'b' * 20};"
    assert styled(before, after) == after


def test_a_continuation_line_that_was_not_aligned_moves_with_its_statement():
    before = "\tif (x)\n\t\told(a,\n\t\t\tb);"
    assert styled(before, "\tnew(a,\n\t\t\tb);") == "\tnew(a,\n\t\tb);"


@pytest.mark.parametrize("indent", ["\t\t       ", "\t\t", "\t\t\t\t\t\t  "])
def test_a_call_on_a_line_of_its_own_has_its_arguments_aligned(indent):
    """They were aligned to the outer parenthesis, or not at all."""
    call = f"IN_FROM_REG(data->in_crit[attr->index-11],\n{indent}data)"
    before = f'\treturn sprintf(buf, "%u", {call});'
    after = before.replace("sprintf", "sysfs_emit_at")
    assert styled(before, after) == (
        '\treturn sysfs_emit_at(buf, "%u",\n'
        "\t\t\t     IN_FROM_REG(data->in_crit[attr->index-11],\n"
        "\t\t\t\t\t data));"
    )


@pytest.mark.parametrize("indent", ["\t\t", "\t    "], ids=["a tab", "aligned"])
def test_an_operand_that_becomes_an_argument_gets_the_column_of_arguments(indent):
    size, number, flags = "sizeof(*sensor->frequencies)", "(sensor->info->count * 2)", "GFP"
    before = f"\told(device,\n{indent}{size} *\n\t\t\t\t{number},\n{indent}{flags});"
    after = f"\told(device,\n\t    {number},\n\t    {size},\n\t    {flags});"
    assert styled(before, after) == (f"\told(device,\n{indent}{number}, {size},\n{indent}{flags});")


def test_time_is_linear_in_the_number_of_changes_and_in_the_length_of_a_call():
    lines = [f"\tx{number} = old(a, b);" for number in range(4000)]
    text = "\n".join(lines)
    begun = time.monotonic()
    assert styled(text, text.replace("old", "new")) == text.replace("old", "new")
    call = "\told(" + ",\n\t    ".join(f"argument{number}" for number in range(4000)) + ");"
    assert styled(call, call.replace("old", "new")) == call.replace("old", "new")
    one_line = call.replace("\n\t   ", "")
    assert styled(one_line, one_line.replace("old", "new")) == one_line.replace("old", "new")
    assert time.monotonic() - begun < 20


def test_arguments_after_a_long_string_go_to_a_line_of_their_own():
    text = f'"{"x" * 70}\\n"'
    before = f"\tdev_dbg(dev, {text}, a,\n\t\tb);"
    after = f"\ttrace_dbg(dev, {text}, a, b);"
    assert styled(before, after) == f"\ttrace_dbg(dev, {text},\n\t\t  a, b);"
    aligned = f"\tdev_dbg(dev, {text},\n\t\tb, c);"
    assert styled(aligned, f"\ttrace_dbg(dev,\n\t\t\t{text},\n\t\t\tb, c);") == (
        f"\ttrace_dbg(dev, {text},\n\t\t  b, c);"
    )


def test_a_string_that_was_on_a_line_of_its_own_stays_there():
    text = f'"{"x" * 66}\\n"'
    before = f"\told_call(dev,\n\t\t {text},\n\t\t a);"
    after = f"\tnew_calls(dev, {text}, a);"
    assert styled(before, after) == f"\tnew_calls(dev,\n\t\t  {text},\n\t\t  a);"


def test_a_line_is_broken_between_arguments_rather_than_in_one():
    before = f"\told({'a' * 20}, {'b' * 20} | {'c' * 20});"
    after = before.replace("old", "a_much_longer_name")
    assert styled(before, after) == (
        f"\ta_much_longer_name({'a' * 20},\n\t\t\t   {'b' * 20} | {'c' * 20});"
    )


def test_a_new_statement_after_a_condition_or_else_gets_a_line_of_its_own():
    after = "\t/* new */\n\tif (x) a();\n\tif (y) {\n\t\tb();\n\t} else c(d,\n\t         e);"
    assert styled("\told();", after) == (
        "\t/* new */\n\tif (x)\n\t\ta();\n\tif (y) {\n\t\tb();\n\t} else\n\t\tc(d, e);"
    )
    loop = "\tdo {\n\t\tb();\n\t} while (x);\n\tif (x) {\n\t\ty();\n\t} else if (z) {\n\t}"
    assert styled("\told();", loop) == loop
    assert styled("\tif (old) return;", "\tif (new) return;") == "\tif (new) return;"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\t.probe_new\t= f,", "\t.probe\t= f,", "\t.probe\t\t= f,"),
        ("\t.a\t\t= f,", "\t.longer_name\t\t= f,", "\t.longer_name\t= f,"),
        ("\t.probe_new = f,", "\t.probe = f,", "\t.probe = f,"),
        ("\t.probe_new   = f,", "\t.probe   = f,", "\t.probe       = f,"),
        ("\t.x\t= f,", "\t.much_longer\t= f,", "\t.much_longer\t= f,"),
        ("\t.probe_new\t = f,", "\t.probe\t = f,", "\t.probe\t\t = f,"),
        ("\tprobe_new(a\t== f);", "\tprobe(a\t== f);", "\tprobe(a\t== f);"),
    ],
)
def test_values_stay_in_the_column_that_they_are_aligned_to(old, new, expected):
    text = "struct ops ops = {{\n\t.other\t\t= g,\n{}\n}};\n"
    made = restyle(text.format(old).encode(), text.format(new).encode())
    assert made.decode() == text.format(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("\told(a);\t\t\t\t\\", "\tlonger_name(a);\t\t\t\t\\", "\tlonger_name(a);\t\t\t\\"),
        ("\tlonger_name(a);\t\t\t\\", "\told(a);\t\t\t\\", "\told(a);\t\t\t\t\\"),
        ("\told(a);\t\t     \\", "\tlonger_name(a);\t\t     \\", "\tlonger_name(a);\t     \\"),
        ("\told(a);     \\", "\tnew_(a);     \\", "\tnew_(a);    \\"),
        ("\told(a); \\", "\tnew_(a); \\", "\tnew_(a); \\"),
        ("\told(a);\t\\", "\tlonger_name(a);\t\\", "\tlonger_name(a); \\"),
    ],
)
def test_backslashes_in_a_macro_stay_in_their_column(old, new, expected):
    before, after, right = (
        f"#define F(a) \\\n{line}\n\tdone(a)\n" for line in (old, new, expected)
    )
    assert restyle(before.encode(), after.encode()).decode() == right


@pytest.mark.parametrize("comment", ["", " /* why */"])
@pytest.mark.parametrize("head", ["\telse", "\t} else"])
def test_a_statement_whose_if_was_removed_is_on_its_own_line_after_else(head, comment):
    opened = " {" if "}" in head else ""
    before = f"\tif (a){opened}\n\t\tg();\n{head} if (x)\n\t\tput(x);{comment}\n\th();"
    after = before.replace(" if (x)\n\t\t", " ")
    assert styled(before, after) == before.replace(" if (x)", "")
