# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of constraints, strings and operators: none may leave out what spatch would change."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patchgen.coccinelle import RunnableSmpl, find_needs, find_spatch, has_word, holds
from patchgen.coccinelle.choices import expand
from patchgen.coccinelle.needs import Needs
from patchgen.model.smpl import SemanticPatch
from patchgen.sweep.slices import slice_source

WORDS = ("aa", "ab", "aab", "b_a", "xaa", "aax", "b", "wait_a", "a_wait_b")


def needs_of(text: str) -> Needs:
    patch = SemanticPatch("test.cocci", text)
    return find_needs(find_spatch(), RunnableSmpl(patch, may_run_code=True))


def fits(choices: frozenset[str], word: str) -> bool:
    return any(has_word(word.encode(), choice.encode()) for choice in choices)


ATOMS = st.sampled_from(["a", "b", "_", ".", "[ab]", "[^b]", "[a-b]", "wait", "x"])
PIECES = st.tuples(ATOMS, st.sampled_from(["", "", "", "*", "+", "?"])).map("".join)
EXPRESSIONS = st.recursive(
    st.lists(PIECES, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(st.sampled_from(["^", ""]), inner, st.sampled_from(["$", ""])).map("".join),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.text("abwit_x", min_size=1, max_size=8))
def test_a_word_that_an_expression_matches_fits_one_of_its_words(expression, word):
    choices = expand(expression)
    if choices is not None and re.search(expression, word):
        assert fits(choices, word), (expression, choices)


@pytest.mark.parametrize(
    ("expression", "choices"),
    [
        ("^(aa|ab)$", {"aa", "ab"}),
        ("^a(a|b)?$", {"a", "aa", "ab"}),
        ("^(?:a|b)_[xy]$", {"a_x", "a_y", "b_x", "b_y"}),
        ("^wait_", {"wait_*"}),
        ("_free$", {"*_free"}),
        (".*free.*", {"*free*"}),
        ("^of_.*_get$", {"*_get"}),
        ("^[a-z]*$", None),
        (r"^\\w+_get$", None),
        ("^(?!aa)", None),
        ("^a{2}$", None),
        ("(aa", None),
    ],
)
def test_an_expression_gives_the_words_that_can_be_listed(expression, choices):
    assert expand(expression) == (None if choices is None else frozenset(choices))


CONSTRAINTS = [
    "= {aa, ab}",
    "= aa",
    '=~ "^(aa|ab)$"',
    '=~ "aa"',
    '=~ "^aa"',
    '=~ "aa$"',
    '=~ "^a+b?$"',
    '=~ "wait_"',
    '!~ "aa"',
    "!= {aa, ab}",
    '= {aa} || =~ "^b"',
    '=~ "a" && != {aa}',
    '=~ "^(?!aa)a"',
    '=~ "a\\\\|b"',
]
RULES = (
    "@r@\nidentifier f CONSTRAINT;\nexpression e;\n@@\n- f(e)\n+ g(e)\n",
    "@r@\nidentifier other, f CONSTRAINT;\n@@\n- f(other)\n+ g(other)\n",
    "@r@\nidentifier f CONSTRAINT;\nexpression e;\n@@\n- e->f\n+ g(e)\n",
    "@r@\nidentifier f CONSTRAINT;\n@@\n- f\n+ renamed\n",
    "@r@\nidentifier f CONSTRAINT;\ntype T;\n@@\n T f(...)\n {\n- other();\n ...\n }\n",
)
SOURCES = {
    word: f"int h(struct s *p)\n{{\n\treturn {word}(x) + p->{word};\n}}\n"
    f"int {word}(void)\n{{\n\tother();\n\treturn 1;\n}}\n"
    for word in WORDS
}


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_file_that_spatch_changes_is_never_left_out(constraint, tmp_path: Path):
    """Each rule is tried; one spatch run over a file for each word shows what must be found."""
    all_changed: set[str] = set()
    for number, rule in enumerate(RULES):
        text = rule.replace("CONSTRAINT", constraint)
        folder = tmp_path / str(number)
        folder.mkdir()
        for word, source in SOURCES.items():
            (folder / f"{word}.c").write_text(source)
        (tmp_path / "r.cocci").write_text(text)
        spatch = [
            find_spatch().path,
            "--very-quiet",
            "--in-place",
            "--sp-file",
            tmp_path / "r.cocci",
        ]
        subprocess.run([*spatch, "--dir", folder], check=True, stdout=subprocess.DEVNULL)
        changed = {word for word in WORDS if (folder / f"{word}.c").read_text() != SOURCES[word]}
        all_changed |= changed
        needs = needs_of(text)
        for word in changed:
            source = SOURCES[word].encode()
            needed = {choice for clause in needs.file for choice in clause}
            found = {choice for choice in needed if has_word(source, choice.encode())}
            assert holds(needs.file, found), (text, needs.file, word)
            if needs.functions is not None:
                assert slice_source(source, needs.functions).matters, (text, word)
    assert all_changed


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("@@\nidentifier f = {a, b};\nexpression list es;\n@@\n- f(es)\n+ g(es)\n", [{"a", "b"}]),
        ('@@\nidentifier f =~ "^(a|b)$", x;\n@@\n- f(x);\n', [{"a", "b"}]),
        ("@@\ndeclarer d = {DA, DB};\nexpression x;\n@@\n- d(x);\n", [{"DA", "DB"}]),
        (
            "@@\niterator i = {each_a, each_b};\nexpression x;\nstatement S;\n@@\n- i(x) S\n",
            [{"each_a", "each_b"}],
        ),
        (
            '@@\nidentifier f =~ "^x";\ntype T;\n@@\n T f(...)\n {\n- go();\n ...\n }\n',
            [{"x*"}, {"go"}],
        ),
        ('@@\nexpression x;\n@@\n- x == "a word"\n+ 1\n', [{'"a word"'}]),
        ('@@\nexpression x;\n@@\n- x("...");\n', []),
        ('@@\nexpression x;\n@@\n- x == "a word..."\n+ 1\n', []),
        ("@@\nexpression n;\n@@\n- (1 << n)\n+ BIT(n)\n", [{"<<"}]),
        ("@@\nexpression n, m;\n@@\n- f(n / m)\n+ g(n)\n", [{"f"}]),
        ("@@\n@@\n- #include <linux/a.h>\n", [{"a.h"}]),
        # A script that reads the metavariable reads it in the text that spatch is asked about.
        (
            "@r@\nidentifier f = {a, b};\n@@\n f(...)\n@script:python@\nf << r.f;\n@@\nprint(f)\n",
            [{"a", "b"}],
        ),
        # A rule that inherits it.
        (
            "@r@\nidentifier f = {a, b};\nidentifier x;\n@@\n f(x)\n"
            "@@\nidentifier r.f;\n@@\n- f(1);\n",
            [{"a", "b"}],
        ),
    ],
)
def test_words_of_constraints_and_strings_are_needed(text, file):
    needs = needs_of(text)
    assert sorted(map(sorted, needs.file)) == sorted(map(sorted, file))
    assert (needs.functions is not None) == bool(file)
