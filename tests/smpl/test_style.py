# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: E101
"""The layout of what spatch prints: the kernel's by default, spatch's own with --no-style."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.coccinelle.style import restyle
from tests.support.kernels import commit_all

SOURCE = """\
int f(struct foo *f)
{
	int ret;

	ret = old_call(f->very_long_member_name, f->second_very_long_name,
		       f->third, f->fourth);
	if (old_call(f->very_long_member_name, f->second_very_long_name,
		     f->third, f->fourth) && ret)
		return old_call(f->a,
				f->b,
				f->c,
				f->d);
	old_call(f->a, f->b,  f->c, f->d);
	return ret;
}

static int unrelated(struct foo *f)
{
	other(f,
	   f) ;
	return 0;
}
"""
RESULT = """\
int f(struct foo *f)
{
	int ret;

	ret = a_new_call_with_a_name(f->very_long_member_name,
				     f->second_very_long_name, f->third,
				     f->fourth);
	if (a_new_call_with_a_name(f->very_long_member_name,
				   f->second_very_long_name, f->third,
				   f->fourth) && ret)
		return a_new_call_with_a_name(f->a,
					      f->b,
					      f->c,
					      f->d);
	a_new_call_with_a_name(f->a, f->b,  f->c, f->d);
	return ret;
}
"""
RULES = {
    "whole call": "expression a, b, c, d;\n@@\n- old_call(a, b, c, d)\n"
    "+ a_new_call_with_a_name(a, b, c, d)\n",
    "name only": "expression list es;\n@@\n- old_call\n+ a_new_call_with_a_name\n  (es)\n",
    "broken in the rule": "expression a, b, c, d;\n@@\n- old_call(a, b, c, d)\n"
    "+ a_new_call_with_a_name(a,\n+                         b,\n+        c, d)\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "a.c").write_text(SOURCE)
    commit_all(folder, "start")
    return folder


def run(patchgen, git, tree: Path, text: str, *args: str) -> str:
    """Return a file as a semantic patch makes it."""
    rule = tree.parent / "rule.cocci"
    rule.write_text(f"@@\n{text}")
    done = patchgen("run", rule, "--tree", tree, *args)
    assert done.code == 0, done.err
    (tree.parent / "diff").write_text(done.out)
    git(tree, "apply", tree.parent / "diff")
    return (tree / "a.c").read_text()


@pytest.mark.parametrize("name", RULES)
def test_a_replaced_call_is_laid_out_as_it_was_whatever_way_the_rule_replaces_it(
    patchgen, git, tree, name
):
    rest = SOURCE[SOURCE.index("\nstatic") :]
    assert run(patchgen, git, tree, RULES[name]) == RESULT + rest


def test_no_style_prints_what_spatch_made_and_is_cached_apart(patchgen, git, tree):
    styled = run(patchgen, git, tree, RULES["whole call"])
    git(tree, "checkout", "a.c")
    plain = run(patchgen, git, tree, RULES["whole call"], "--no-style")
    assert plain != styled
    assert restyle(SOURCE.encode(), plain.encode()).decode() == styled
    git(tree, "checkout", "a.c")
    assert run(patchgen, git, tree, RULES["whole call"]) == styled


def test_slices_make_no_difference(patchgen, git, tree):
    styled = run(patchgen, git, tree, RULES["whole call"])
    git(tree, "checkout", "a.c")
    assert run(patchgen, git, tree, RULES["whole call"], "--no-slices", "--no-cache") == styled


@pytest.mark.parametrize("line", ["#spatch --max-width 100", "// Options: --max-width 100"])
def test_lines_are_as_wide_as_the_semantic_patch_allows(patchgen, git, tree, line):
    text = RULES["whole call"] + f"\n{line}\n"
    made = run(patchgen, git, tree, text)
    first = "\tret = a_new_call_with_a_name(f->very_long_member_name, f->second_very_long_name,"
    assert first in made
