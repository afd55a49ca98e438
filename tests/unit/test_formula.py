# SPDX-License-Identifier: GPL-2.0-or-later
"""What spatch says a text must have, read and evaluated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from patchgen.coccinelle.formula import (
    ALWAYS,
    NEVER,
    AllOf,
    AnyOf,
    Formula,
    Word,
    clauses_of,
    dump_formula,
    holds,
    load_formula,
    parse_formula,
    words_of,
)

WORDS = st.sampled_from("abcde")
FORMULAS: st.SearchStrategy[Formula] = st.recursive(
    WORDS.map(Word),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=12,
)


def test_reads_what_spatch_prints():
    read = parse_formula("(kmalloc&(memset|memzero_explicit))")
    assert read == AllOf((Word("kmalloc"), AnyOf((Word("memset"), Word("memzero_explicit")))))
    assert parse_formula("true") == ALWAYS
    assert parse_formula("kernel.h") == Word("kernel.h")


def test_true_and_false_are_words_of_c_inside_of_a_formula():
    """boolconv.cocci: `- ? true : false` needs both words."""
    read = parse_formula("(false&true)")
    assert not holds(read, {"true"}) and holds(read, {"true", "false"})
    # Alone it might be spatch's constant, too; a text that has the word is looked at.
    assert holds(parse_formula("false"), {"false"})


@pytest.mark.parametrize("text", ["", "(a&b", "(a&b|c)", "a)", "!(a)", "()"])
def test_refuses_what_is_no_formula(text):
    with pytest.raises(ValueError):
        parse_formula(text)


@given(FORMULAS, st.sets(WORDS))
def test_a_text_that_satisfies_a_formula_has_a_word_of_each_clause(formula, words):
    if holds(formula, words):
        assert all(clause & words for clause in clauses_of(formula))


def leaves(max_leaves: int) -> st.SearchStrategy[Formula]:
    """Return small formulas: what they ask for fits into clauses."""
    return st.recursive(
        WORDS.map(Word),
        lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda parts: st.sampled_from([AllOf(tuple(parts)), AnyOf(tuple(parts))])
        ),
        max_leaves=max_leaves,
    )


@given(leaves(6), st.sets(WORDS))
def test_the_clauses_of_a_small_formula_ask_for_all_that_it_does(formula, words):
    assert holds(formula, words) == all(clause & words for clause in clauses_of(formula))


def test_the_clauses_of_what_spatch_prints_are_there_to_search_for():
    read = parse_formula("(kmalloc&(memset|memzero_explicit)&(a|(b&c)))")
    assert set(clauses_of(read)) == {
        frozenset({"kmalloc"}),
        frozenset({"memset", "memzero_explicit"}),
        frozenset({"a", "b"}),
        frozenset({"a", "c"}),
    }


@given(FORMULAS)
def test_a_formula_that_asks_for_a_word_has_a_clause(formula):
    assert holds(formula, set()) or clauses_of(formula)


@given(FORMULAS)
def test_clauses_speak_of_the_formula_s_words(formula):
    assert frozenset().union(*clauses_of(formula)) <= words_of(formula)


def test_large_alternatives_ask_less_and_not_more():
    side = AllOf(tuple(Word(f"a{n}") for n in range(9)))
    formula = AnyOf((side, AllOf(tuple(Word(f"b{n}") for n in range(9))), Word("c")))
    # Two sides of nine clauses each have 81 together, which are too many: one of them is left.
    assert clauses_of(formula) == [frozenset({"a0", "b0", "c"})]
    assert len(clauses_of(AnyOf((side, Word("c"))))) == 9
    assert clauses_of(AnyOf((Word("a"), ALWAYS))) == [] and clauses_of(NEVER) == []


@given(FORMULAS)
def test_a_formula_survives_json(formula):
    assert load_formula(json.loads(json.dumps(dump_formula(formula)))) == formula
