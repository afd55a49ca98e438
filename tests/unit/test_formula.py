# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a text must have, as spatch prints them, are read and evaluated."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given, strategies as st

from patchgen.coccinelle import Needs, load_needs
from patchgen.coccinelle.formula import (
    ALWAYS,
    NEVER,
    all_of,
    any_of,
    holds,
    parse_formula,
    words_of,
)

# A word, or an operator with its operands.
Tree: TypeAlias = "str | tuple[str, list[Tree]]"


def trees(max_leaves: int) -> st.SearchStrategy[Tree]:
    return st.recursive(
        st.sampled_from("abcde"),
        lambda inner: st.tuples(st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3)),
        max_leaves=max_leaves,
    )


TREES = trees(12)
WORDS = st.sampled_from("abcde")


def spell(tree: Tree) -> str:
    """Return a formula as spatch prints it."""
    return tree if isinstance(tree, str) else f"({tree[0].join(map(spell, tree[1]))})"


def is_satisfied(tree: Tree, words: set[str]) -> bool:
    if isinstance(tree, str):
        return tree in words
    parts = (is_satisfied(part, words) for part in tree[1])
    return all(parts) if tree[0] == "&" else any(parts)


def test_reads_what_spatch_prints():
    read = parse_formula("(kmalloc&(memset|memzero_explicit))")
    assert read == (frozenset({"kmalloc"}), frozenset({"memset", "memzero_explicit"}))
    assert parse_formula("true") == ALWAYS
    assert parse_formula("kernel.h") == (frozenset({"kernel.h"}),)


def test_true_and_false_are_words_of_c_inside_of_a_formula():
    """boolconv.cocci: `- ? true : false` needs both words."""
    read = parse_formula("(false&true)")
    assert not holds(read, {"true"}) and holds(read, {"true", "false"})
    # Alone it might be spatch's constant, too; a text that has the word is looked at.
    assert holds(parse_formula("false"), {"false"})


@pytest.mark.parametrize("text", ["", "(a&b", "(a&b|c)", "a)", "!(a)", "()"])
def test_refuses_what_is_not_a_formula(text):
    with pytest.raises(ValueError):
        parse_formula(text)


@given(TREES, st.sets(WORDS))
def test_a_text_that_satisfies_a_formula_has_a_word_of_each_clause(tree, words):
    if is_satisfied(tree, words):
        assert all(clause & words for clause in parse_formula(spell(tree)))


@given(trees(6), st.sets(WORDS))
def test_the_clauses_of_a_small_formula_are_equivalent_to_it(tree, words):
    formula = parse_formula(spell(tree))
    assert is_satisfied(tree, words) == holds(formula, words)
    assert holds(formula, words) == all(clause & words for clause in formula)


def test_the_clauses_of_what_spatch_prints_are_there_to_search_for():
    read = parse_formula("(kmalloc&(memset|memzero_explicit)&(a|(b&c)))")
    assert set(read) == {
        frozenset({"kmalloc"}),
        frozenset({"memset", "memzero_explicit"}),
        frozenset({"a", "b"}),
        frozenset({"a", "c"}),
    }


@given(TREES)
def test_a_formula_that_requires_a_word_has_a_clause(tree):
    assert is_satisfied(tree, set()) or parse_formula(spell(tree))


@given(TREES)
def test_clauses_have_only_words_of_the_formula(tree):
    formula = parse_formula(spell(tree))
    assert frozenset().union(*formula) == words_of(formula) <= set(spell(tree))


def test_large_alternatives_require_less_and_not_more():
    side, other = (all_of(*(parse_formula(f"{x}{n}") for n in range(33))) for x in "ab")
    last = parse_formula("c")
    # Two sides of 33 clauses each have 1089 together, which are too many: one of them is left.
    assert any_of(side, other, last) == (frozenset({"a0", "b0", "c"}),)
    assert len(any_of(side, last)) == 33
    assert any_of(parse_formula("a"), ALWAYS) == ALWAYS == () and not any(NEVER)
    assert any_of(NEVER, last) == last and all_of(NEVER, last) == any_of() == NEVER


@given(TREES, st.none() | st.lists(TREES, max_size=3))
def test_needs_survive_json(file, functions):
    within = functions and tuple(parse_formula(spell(tree)) for tree in functions)
    needs = Needs(parse_formula(spell(file)), () if within == [] else within, "why")
    assert load_needs(needs.dump()) == needs
