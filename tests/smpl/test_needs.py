# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a semantic patch needs, in a file and in a function, as spatch reports them."""

from __future__ import annotations

import pytest

from patchgen.coccinelle import (
    RunnableSmpl,
    find_needs,
    find_spatch,
    holds,
    needs as needs_module,
    words_of,
)
from patchgen.coccinelle.needs import Needs
from patchgen.coccinelle.plain_rules import OPERATORS, spell_operators
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch


def needs_of(text: str, *modes: str) -> Needs:
    return find_needs(find_spatch(), RunnableSmpl(SemanticPatch("test.cocci", text), modes=modes))


def words(needs: Needs) -> list[list[str]] | None:
    if needs.functions is None:
        return None
    return [sorted(words_of(formula)) for formula in needs.functions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@@\nexpression x;\n@@\n- f(x);\n+ g(x);\n", [["f"]]),
        # An optional line (`?-`) is a change, too.
        ("@@\n@@\n f();\n ...\n?- g();\n h();\n", [["f", "h"]]),
        # The length of a list is not a word.
        ("@@\nexpression list[n={1...3}] es;\n@@\n- f(es);\n", [["f"]]),
        # What a type is called may be written elsewhere in the file.
        ("@@\nstruct s *p;\n@@\n- f(p);\n", [["f"]]),
        # An inherited name may stand in any function.
        (
            "@r@\nidentifier i;\n@@\n register_it(i);\n@@\nidentifier r.i;\n@@\n- old(i);\n",
            [["register_it"], ["old"]],
        ),
        # A rule that only finds a place of the same function need not be seen elsewhere.
        (
            "@r@\nposition p;\n@@\n f@p(...);\n@@\nposition r.p;\n@@\n- f@p(...);\n",
            [["f"]],
        ),
        # spatch leaves out `sizeof` where `release` has to be there, too.
        (
            "@r@\nexpression e;\nposition p;\n@@\n release@p(e)\n"
            "@s@\nexpression r.e;\nposition q;\n@@\n sizeof(<+...e@q...+>)\n"
            "@@\nexpression e;\nposition r.p, q != s.q;\n@@\n release@p(e);\n ...\n- e@q->x;\n",
            [["release"], ["release", "x"]],
        ),
    ],
)
def test_a_function_needs_the_words_of_a_rule(text, expected):
    assert words(needs_of(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "@@\nexpression x;\n@@\n- x = x;\n",
            "the rule on line 1 matches code without a fixed word",
        ),
        (
            "@a@\n@@\n- f();\n@b@\nexpression x;\n@@\n- x = x;\n",
            "the rule b matches code without a fixed word",
        ),
        (
            "@r@\nidentifier f;\n@@\n start(f)\n@s extends r@\n@@\n- f();\n",
            "the rule s extends another one",
        ),
    ],
)
def test_files_stay_whole_without_known_needs(text, reason):
    needs = needs_of(text)
    assert needs.functions is None and needs.reason == reason


def test_a_declaration_that_is_misread_cuts_nothing(monkeypatch):
    """spatch then asks for the metavariable as for a word of C."""
    misread = lambda text, virtuals: text.replace("int x", "int y")  # noqa: E731
    monkeypatch.setattr(needs_module, "plain_types", misread)
    needs = needs_of("@@\nint x;\n@@\n- f(x);\n")
    assert needs.functions is None
    assert needs.reason == "the declaration of a metavariable cannot be parsed"
    assert words_of(needs.file) == {"f"}


def needed(needs: Needs, *words: str) -> bool:
    assert needs.functions is not None
    return any(holds(formula, words) for formula in needs.functions)


def test_a_function_needs_the_operators_of_a_rule():
    needs = needs_of("@@\nexpression A, B;\n@@\n  !A ||\n-       (A && B)\n+       B\n")
    assert needs.functions is not None
    assert needed(needs, "&&", "||")
    assert not needed(needs, "&&") and not needed(needs, "||")
    # Of alternatives each has its own; what is added is not needed.
    text = "@@\nexpression a, b;\n@@\n(\n- f(a / b)\n+ f(a && b)\n|\n- f(a || b)\n+ g(a)\n)\n"
    needs = needs_of(text)
    assert needed(needs, "f", "/") and needed(needs, "f", "||")
    assert not needed(needs, "f") and not needed(needs, "f", "&&")
    needs = needs_of("@@\nexpression n;\n@@\n- (1 << n)\n+ BIT(n)\n")
    assert needed(needs, "<<") and not needed(needs, ">>")


@pytest.mark.parametrize(
    "body",
    [
        # Characters that are not operators between two operands.
        "- f(a); // a/b && c",
        "- f(a); /* a || b */",
        "- f(a /= b);",
        "- f(a <<= b);",
        "- f(a, b);\n+ f(a && b);",
        "- f(a);\n  ... when != a && b",
        "-#include <x/y.h>",
        # These stand for any number of operators, or spatch would not take words in their place.
        "- f(a || ... || b);",
        # One that may be missing.
        "- f(a);\n? g(a / b);",
        "(\n- f(a / b);\n|\n- f(a);\n)",
    ],
)
def test_optional_operators_are_not_required(body):
    needs = needs_of(f"@r@\nexpression a, b;\nidentifier label;\n@@\n{body}\n")
    assert needs.functions
    assert OPERATORS.isdisjoint(frozenset().union(*map(words_of, needs.functions)))


def test_own_isomorphisms_may_make_operators_of_anything():
    rule = "expression a, b;\n@@\n- f(a / b);\n"
    assert spell_operators(f"@@\n{rule}") != f"@@\n{rule}"
    for own in (f'using "my.iso"\n@@\n{rule}', f"#spatch --macro-file m.h\n@@\n{rule}"):
        assert spell_operators(own) == own


def test_a_file_needs_what_makes_a_change_in_this_mode():
    text = (
        "virtual patch\nvirtual report\n"
        "@depends on patch@\n@@\n- f();\n"
        "@depends on report@\n@@\n* g();\n"
    )
    patch, report = needs_of(text, "patch"), needs_of(text, "report")
    assert holds(patch.file, {"f"}) and not holds(patch.file, {"g"})
    assert holds(report.file, {"g"}) and not holds(report.file, {"f"})


def test_false_may_be_a_word_and_may_be_that_nothing_can_match():
    assert words_of(needs_of("@@\n@@\n- f(false);\n").file) >= {"f", "false"}
    text = "virtual patch\n@r depends on patch@\n@@\n- f();\n@depends on !patch@\n@@\n- g();\n"
    assert words_of(needs_of(text, "patch").file) == {"f"}


def test_a_semantic_patch_that_spatch_refuses_is_an_error_at_its_line():
    with pytest.raises(SpecError) as caught:
        needs_of("@@\nexpression x\n@@\n- f(x);\n")
    assert caught.value.place is not None and caught.value.place.line in (2, 3)
