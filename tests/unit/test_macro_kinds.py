# SPDX-License-Identifier: GPL-2.0-or-later
"""How the uses of macros can be parsed, by their definitions."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, strategies as st

from patchgen.sweep.macro_definitions import join_definitions, read_definitions
from patchgen.sweep.macro_kinds import MacroKind, MacroUse, find_uses
from patchgen.sweep.tree_macros import format_macros, make_hints


def _uses(text: str) -> dict[str, MacroUse]:
    return find_uses(join_definitions(read_definitions(text.encode())))


def _kinds(text: str) -> dict[str, str]:
    return {name: use.kind.value for name, use in _uses(text).items()}


@pytest.mark.parametrize(
    "body",
    [
        "for (x = 0; x < n; x++)",
        "for (x = 0; x < n; x++) if (!x) continue; else",
        "if (!try(x)) { fail(x); } else",
        "while ((x = next(x)))",
        "\\\n\tfor (x = first(n); x; \\\n\t     x = next(x))\t/* one \\\n\t by one */",
        "other(x, n)",
        "other(x, n) if (x)",
    ],
)
def test_a_macro_that_a_statement_follows_is_a_loop(body):
    other = "#define other(a, b) for (a = 0; a < b; a++)\n"
    assert _kinds(f"{other}#define x(x, n) {body}\n")["x"] == "iterator"


@pytest.mark.parametrize(
    "body",
    ["do { f(x); } while (0)", "for (;;) f(x)", "for (;;) { f(x); }", "(x)", "if (x) return", "x;"],
)
def test_a_macro_with_its_statement_is_not_a_loop(body):
    assert _kinds(f"#define x(x) {body}\n") == {}


def test_attributes_are_recognised_through_other_macros_and_pasted_words():
    text = """\
#define __cleanup(f) __attribute__((__cleanup__(f)))
#define __free(n) __cleanup(__free_##n)
#define __holds_true(x) __attribute__((context(x, 1, 1)))
#define __holds_false(x)
#define __holds(how, x) __holds_##how(x)
#define __fast inline __attribute__((flatten))
#define __mark
"""
    assert set(_kinds(text)) == {
        *("__cleanup", "__free", "__holds_true", "__holds_false", "__holds", "__fast", "__mark")
    }
    assert set(_kinds(text).values()) == {"attribute"}


def test_guards_and_markers_are_not_attributes():
    assert _kinds("#ifndef __A_H\n#define __A_H\n#define HAVE_A\n#define a\n#endif\n") == {}


def test_a_name_has_a_kind_only_if_all_its_definitions_have_it():
    text = "#define __a(x) __attribute__((x))\n#define __b(x)\n"
    assert set(_kinds(text)) == {"__a", "__b"}
    assert set(_kinds(text + "#define __a(x) (x)\n#define __b(x) f(x)\n")) == set()
    loop = "#define each(x) for (;;)\n"
    assert _kinds(loop + "#define each(x)\n") == {"each": "iterator"}
    assert _kinds(loop + "#define each(x) 1\n") == {}


def test_initialised_fields_end_with_a_comma():
    text = """\
#define OPS(a, b) .suspend = a, .resume = b,
#define PM_OPS(a, b) OPS(a, b)
#define ONE(a) .suspend = a
#define ENTRY(a) (&entry_##a),
#define STEP(a) a = 1; b,
#define START(a) { .a = 1,
"""
    assert _kinds(text) == {"OPS": "fields", "PM_OPS": "fields", "ENTRY": "fields"}


def test_types_and_declared_pointers_have_kinds():
    text = """\
#define typeof_member(T, m) typeof(((T *)0)->m)
#define GENRADIX(type) struct { struct root tree; type first[0]; }
#define MEMBER(T) typeof_member(T, x)
#define IS_TYPE(x) typeof(x) == 1
#define __free(x) __attribute__((cleanup(x)))
#define AUTO_FREE(x) *x __free(kfree) = NULL
#define SET(x) *x = NULL
"""
    assert _uses(text) == {
        "typeof_member": MacroUse(MacroKind.TYPE),
        "GENRADIX": MacroUse(MacroKind.TYPE),
        "MEMBER": MacroUse(MacroKind.TYPE),
        "__free": MacroUse(MacroKind.ATTRIBUTE),
        "AUTO_FREE": MacroUse(MacroKind.DECLARATOR, 0),
    }


def test_a_head_may_follow_calls_of_other_macros():
    text = """\
#define RECORD(name) static struct record record_##name;
#define CALL(name, ...) static int name(__VA_ARGS__)
#define CALL_1(name, ...) RECORD(name) CALL(name, __VA_ARGS__)
"""
    assert _uses(text)["CALL_1"] == MacroUse(MacroKind.FUNCTION, 0)


def test_the_head_of_a_function_names_the_parameter_with_its_name():
    text = """\
#define CALL(x, attr, name, ...) \\
\tstatic int ____##name(__VA_ARGS__); \\
\tattr int name(__VA_ARGS__) { return ____##name(__VA_ARGS__); } \\
\tstatic int ____##name(__VA_ARGS__)
#define CALL_1(name, ...) CALL(1, none, name, __VA_ARGS__)
#define STATIC_CALL(name, args...) static_call_##name(args)
#define DECLARE(name) extern int name(void);
#define MAKE(type, name) struct pair(type, type)
"""
    uses = _uses(text)
    assert uses == {
        "CALL": MacroUse(MacroKind.FUNCTION, 2),
        "CALL_1": MacroUse(MacroKind.FUNCTION, 0),
    }


_NAMING = (MacroKind.FUNCTION, MacroKind.DECLARATOR)
_USES = st.dictionaries(
    st.from_regex(r"[a-z][a-z_0-9]{2,6}", fullmatch=True).map(lambda name: f"m_{name}"),
    st.one_of(
        st.sampled_from([kind for kind in MacroKind if kind not in _NAMING]).map(MacroUse),
        st.sampled_from([MacroKind.ATTRIBUTE, MacroKind.FIELDS]).map(
            lambda kind: MacroUse(kind, has_parameters=False)
        ),
        st.builds(MacroUse, st.sampled_from(_NAMING), st.integers(0, 3)),
    ),
)


@given(_USES)
def test_printed_macros_are_read_as_they_were(uses):
    assert _uses(format_macros(uses)) == uses
    loops = {name for name, use in uses.items() if use.kind is MacroKind.ITERATOR}
    assert set(_kinds(make_hints(uses))) == loops


@given(st.text(alphabet="#define x(),\\\n;{}/*\"'_ab01", max_size=200))
def test_any_text_is_read(text):
    list(read_definitions(text.encode()))
    _uses(text)


def test_a_macro_has_no_kind_if_any_definition_of_it_is_a_number():
    loop = "#define each(x) for (;;)\n"
    for text in (loop + "#define each 1\n", "#define each 1\n" + loop):
        assert _kinds(text) == {}


def test_macros_that_are_numbers_and_equal_tokens_take_little_memory():
    numbers = "".join(f"#define REGISTER_{number}_MASK 0x{number}\n" for number in range(5000))
    calls = "".join(f"#define CALL_{number} call(of, the, same, words)\n" for number in range(500))
    source = (numbers + calls).encode()
    tracemalloc.start()
    try:
        find_uses(join_definitions(read_definitions(source)))
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()
