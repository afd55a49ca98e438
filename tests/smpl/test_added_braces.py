# SPDX-License-Identifier: GPL-2.0-or-later
# ruff: noqa: E101
"""The braces that spatch adds to branches: none around one statement, others in their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kernels import commit_all

SOURCE = """\
static int f(struct foo *a, int b)
{
	if (a->x)
		return old(a, "x");
	else if (a->y)
		return old(a,
			   "a long string, so that this call has two lines");
	else
		/* a comment */
		return old(a, "z");
}

static int g(struct foo *a, int b)
{
	for (;;)
		if (a->x)
			return old(a, "x");
		else
			return old(a, "y");
	list_for_each(p, q)
		return old(a, "z");
	if (a->x) {
		return old(a, "x"); /* a comment */
	}
	if (a->y)
		return old(a, "y"); /* a comment */
	while (b) return old(a, "z");
	switch (b) {
	case 1:
		return old(a, "x");
	}
#ifdef CONFIG_X
	if (a->x)
		b++;
	else
#endif
		return old(a, "x");
	return old(a, "y");
}
"""
RENAME = "-return old(\n+return new_call(\n es);\n"


@pytest.fixture
def make(patchgen, git, tmp_path: Path):
    """Return the function that returns a source as `run` makes it with a rule's body."""
    tree = tmp_path / "tree"
    tree.mkdir()

    def run(source: str, body: str, *args: str) -> str:
        (tree / "a.c").write_text(source)
        commit_all(tree, "start")
        (tmp_path / "rule.cocci").write_text(f"@@ expression e; expression list es; @@\n{body}")
        done = patchgen("run", tmp_path / "rule.cocci", "--tree", tree, *args)
        assert done.code == 0, done.err
        (tmp_path / "diff").write_text(done.out)
        git(tree, "apply", tmp_path / "diff")
        return (tree / "a.c").read_text()

    return run


def test_one_statement_in_the_place_of_another_gets_no_braces(make):
    expected = SOURCE.replace("old(", "new_call(")
    expected = expected.replace('\t\t\t   "a long', '\t\t\t\t"a long')
    assert make(SOURCE, RENAME) == expected


def test_no_style_leaves_the_braces(make):
    assert "{return new_call(" in make(SOURCE, RENAME, "--no-style")


def test_braces_on_the_lines_of_the_rule_stay(make):
    source = "int f(void)\n{\n\tif (a)\n\t\told(b);\n\treturn 0;\n}\n"
    made = make(source, "-old(e);\n+{ new_call(e); }\n")
    assert made == source.replace("\tif (a)\n\t\told(b);", "\tif (a) {\n\t\tnew_call(b);\n\t}")


BRANCHES = """\
int f(int a)
{
	if (a)
		old(a);
	else
		old(b);
	for (;;)
		if (a)
			old(c);
		else
			old(d);
	if (a &&
	    b)
		old(e);
	list_for_each(a, b)
		old(g);
	return 0;
}
"""
MADE = """\
int f(int a)
{
	if (a) {
		one(a);
		two(a);
	} else {
		one(b);
		two(b);
	}
	for (;;)
		if (a) {
			one(c);
			two(c);
		} else {
			one(d);
			two(d);
		}
	if (a &&
	    b) {
		one(e);
		two(e);
	}
	list_for_each(a, b) {
		one(g);
		two(g);
	}
	return 0;
}
"""


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (BRANCHES, "-old(e);\n+one(e);\n+two(e);\n"),
        (BRANCHES.replace("old(", "two("), "+one(e);\n two(e);\n"),
        (BRANCHES.replace("old(", "one("), " one(e);\n+two(e);\n"),
        (BRANCHES, "-old(\n+one(e);\n+two(\n e);\n"),
    ],
    ids=["replaced", "one before", "one after", "begun by the rule"],
)
def test_two_statements_get_braces_where_the_kernel_has_them(make, source, body):
    assert make(source, body) == MADE


LOOP = """\
int f(int a)
{
	do
		old(a);
	while (a);
	return 0;
}
"""
IFDEF = """\
int f(int a)
{
	if (a)
#ifdef CONFIG_X
		old(a);
#else
		old(b);
#endif
	return 0;
}
"""


@pytest.mark.parametrize("body", ["-old(e);\n+one(e);\n+two(e);\n", "+one(e);\n old(e);\n"])
@pytest.mark.parametrize("source", [LOOP, IFDEF], ids=["do", "ifdef"])
def test_a_file_is_given_up_on_if_a_statement_falls_out_of_a_branch(
    patchgen, tmp_path: Path, source, body
):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text(source)
    (tree / "b.c").write_text("int g(int a)\n{\n\told(a);\n\treturn 0;\n}\n")
    commit_all(tree, "start")
    (tmp_path / "rule.cocci").write_text(f"@@ expression e; @@\n{body}")
    done = patchgen("run", tmp_path / "rule.cocci", "--tree", tree)
    assert "--- a/b.c" in done.out
    assert "--- a/a.c" not in done.out
    assert "not finished: a.c: spatch puts several statements into a branch; add braces" in done.err
    assert "old(a);" in done.err


@pytest.mark.parametrize("source", [LOOP, IFDEF], ids=["do", "ifdef"])
def test_a_file_with_such_branches_is_changed_if_each_keeps_its_statement(make, source):
    assert make(source, "-old(e);\n+one(e);\n") == source.replace("old(", "one(")
