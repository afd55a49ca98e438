# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a semantic patch removes: those on its minus lines only."""

from __future__ import annotations

import pytest

from patchgen.coccinelle.removed_words import find_removed_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@@\nexpression e;\n@@\n- del_timer(e)\n+ timer_delete(e)\n", ["del_timer"]),
        # Neither an argument that the rule leaves in place nor context is removed.
        (
            "@@\nexpression e;\n@@\n- a(e, GFP, b)\n+ c(e, GFP)\n  ...\n  d(e);\n",
            ["a", "b"],
        ),
        ("@@\nidentifier f = {a_x, b_x}, g;\n@@\n- f(g)\n+ c(g)\n", ["a_x", "b_x"]),
        ('@@\nidentifier f =~ "^a_", g;\n@@\n- f(g, h)\n+ c(g)\n', ["h"]),
        ("@@\nidentifier virtual.old, virtual.new;\n@@\n- old\n+ new\n", ["foo"]),
        ("@@\ntypedef u8;\nsymbol s;\n@@\n- u8 s;\n", ["s", "u8"]),
        ("@@\ndeclarer name D;\nexpression e;\n@@\n- D(e);\n", ["D"]),
        ("@@\n@@\n-#include <linux/a.h>\n+#include <linux/b.h>\n", ["linux/a.h"]),
        ("@@\n@@\n  a();\n?- b();\n", ["b"]),
        ('@@\n@@\n- f("a word"); // comment\n', ["f"]),
        ("@@\nexpression e;\n@@\n- if (e) return;\n", []),
        ("@dead@\n@@\n- a();\n@@\n@@\n- b();\n", ["b"]),
        ("@r@\nposition p;\n@@\n  a@p();\n@script:python@\np << r.p;\n@@\n- c\n", []),
    ],
)
def test_finds_the_words(text, words):
    values = {"old": "foo", "new": "bar"}
    assert list(find_removed_words([text], frozenset({"dead"}), values)) == words


def test_a_word_that_another_rule_adds_is_not_removed():
    texts = ["@@\n@@\n- a();\n+ b();\n", "@@\n@@\n- b();\n- c();\n"]
    assert find_removed_words(texts, frozenset(), {}) == ("a", "c")
