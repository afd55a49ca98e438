# SPDX-License-Identifier: GPL-2.0-or-later
"""What spatch cannot parse is read with the tree's macros, and nothing that it finds is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.model.outcome import FileResult, ReportedPlace
from patchgen.sweep.second_run import contains
from tests.support.kernels import commit_all

HEADER = """\
#ifndef _LINUX_CLEANUP_H
#define _LINUX_CLEANUP_H
#define __cleanup(func)	__attribute__((__cleanup__(func)))
#define __free(_name)	__cleanup(__free_##_name)
#define __scoped_guard(_name, _label, args...)				\\
	for (CLASS(_name, scope)(args); ; ({ goto _label; }))		\\
		if (0) {						\\
_label:									\\
			break;						\\
		} else
#define scoped_guard(_name, args...)	\\
	__scoped_guard(_name, __UNIQUE_ID(label), args)
#define with_guard(_name, args...)	scoped_guard(_name, args)
#define RUNTIME_PM_OPS(a, b) .runtime_suspend = a, .runtime_resume = b,
#define BPF_CALL_1(name, ...) static int name(__VA_ARGS__); static int name(__VA_ARGS__)
#define __CALLX(x, name, ...) static long call##name(__VA_ARGS__)
#define CALL_DEFINE2(name, ...) RECORD(name, 2) __CALLX(2, _##name, __VA_ARGS__)
#define AUTO_KFREE(name) *name __free(kfree) = NULL
#define typeof_member(T, m) typeof(((T *)0)->m)
#define for_each_vma(vmi, vma) while ((vma = vma_next(vmi)))
#define SOME_OPS(name) &name##_ops,
#define list_for_each_entry(pos, head, member) for (pos = head; pos; pos = pos->member)
#endif
"""
# Each construct that spatch 1.1.1 cannot parse, and each in a file with code that it parses.
LOOP = "int f(int a)\n{\n\twith_guard(mutex, &lock) {\n\t\tfoo(a);\n\t}\n\treturn 0;\n}\n"
UNPARSED = {
    "loop": LOOP,
    "scoped": LOOP.replace("with_guard", "scoped_guard").replace("a)", "b)"),
    "attribute": (
        "int f(void)\n{\n\tstruct a *p __free(kfree) = foo(1);\n\n\twith_guard(mutex, &lock)\n"
        "\t\tkfree(p->x);\n\treturn 0;\n}\n\n"
        "int g(struct a *p)\n{\n\tkfree(p->x);\n\treturn foo(2);\n}\n"
    ),
    "fields": "struct ops x = {\n\tRUNTIME_PM_OPS(foo, foo)\n\t.y = foo(1),\n};\n",
    "function": "/* bpf */\nBPF_CALL_1(f, struct seq_file *, m)\n{\n\tfoo(m);\n\treturn 0;\n}\n",
    "function by way of others": (
        "/* call */\nCALL_DEFINE2(f, struct a *, b)\n{\n\tfoo(b);\n\treturn 0;\n}\n"
    ),
    "pointer": ("int f(void)\n{\n\tstruct a AUTO_KFREE(buf);\n\n\tbuf = foo(1);\n\treturn 0;\n}\n"),
    "type": (
        "int f(struct ops *o)\n{\n\ttypeof_member(struct ops, open) open;\n\n"
        "\topen = foo(o);\n\treturn open();\n}\n"
    ),
    "end of do": (
        "int f(int a)\n{\n\tdo {\n\t\tfoo(a);\n\t} for_each_vma(v, w);\n\treturn 0;\n}\n"
    ),
    "elements": (
        "int f(void)\n{\n\tstruct ops *x[] = {\n\t\tSOME_OPS(one)\n\t\tSOME_OPS(two)\n"
        "\t\t&y,\n\t};\n\n\treturn foo(x);\n}\n"
    ),
    "statement argument": (
        "int f(int a)\n{\n\twith_guard(mutex_try, return, &lock)\n\t\tfoo(a);\n"
        "\tlist_for_each_entry(a, b, c)\n\t\tfoo(b);\n\treturn 0;\n}\n"
    ),
    "defined table": (
        "#define TABLE(x)\t\\\nstatic const struct a x[] = {\t\\\n\t{ foo(x) },\t\\\n}\n"
    ),
    "per cpu": "static DEFINE_PER_CPU(struct a, b) = {\n\t.c = foo(1),\n};\n",
    "declaration": (
        "int f(void)\n{\n\tDECLARE_THINGS(bitmap, 8) = { };\n\n\treturn foo(bitmap);\n}\n"
    ),
    "aligned": "struct a {\n\tint (*b)[foo(1)];\n} __attribute__((aligned(8)));\n",
    "own loop": (
        "#define each_own(x)\t\\\n\tfor (x = 0; x < 2; x++)\n\nint f(int x)\n{\n"
        "\teach_own(x)\n\t\tfoo(x);\n\treturn 0;\n}\n"
    ),
    "near loop": (
        '#include "near.h"\n\nint f(int x)\n{\n\tin_turn(x) {\n\t\tfoo(x);\n\t}\n\treturn 0;\n}\n'
    ),
}
# spatch reads the definition of the loop in the same file, and 1.3.1 parses the others.
MAY_BE_PARSED = {
    "own loop",
    "scoped",
    "function",
    "per cpu",
    "declaration",
    "aligned",
    "pointer",
    "statement argument",
}
NEAR = "#define in_turn(x) for (x = 0; x < 2; x++)\n"
PARSED = "\nint parsed(void)\n{\n\treturn foo(9);\n}\n"
RENAME = "@@\nexpression list es;\n@@\n- foo(es)\n+ bar(es)\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "include/linux").mkdir(parents=True)
    (folder / "include/linux/cleanup.h").write_text(HEADER)
    (folder / "drivers").mkdir()
    (folder / "drivers/near.h").write_text(NEAR)
    for name, text in UNPARSED.items():
        (folder / f"drivers/{name}.c").write_text(text + PARSED)
    commit_all(folder, "start")
    return folder


def _run_spatch(rule: Path, text: str) -> str:
    """Return what plain spatch makes of a text."""
    source = rule.parent / "x.c"
    source.write_text(text)
    argv = [find_spatch().path, "--very-quiet", "--in-place", "--sp-file", rule, source]
    subprocess.run(argv, check=True, capture_output=True)
    return source.read_text()


def _apply(tree: Path, diff: str) -> None:
    subprocess.run(["git", "-C", tree, "apply"], input=diff.encode(), check=True)


def test_each_call_in_code_that_spatch_cannot_parse_is_changed(tree, tmp_path, patchgen):
    rule = tmp_path / "rename.cocci"
    rule.write_text(RENAME)
    done = patchgen("run", rule, "drivers", "--tree", tree)
    assert "not parsed" not in done.err
    _apply(tree, done.out)
    for name, text in UNPARSED.items():
        after = (tree / f"drivers/{name}.c").read_text()
        assert after == (text + PARSED).replace("foo(", "bar("), name
    assert (tree / "include/linux/cleanup.h").read_text() == HEADER


def test_without_macros_the_result_is_that_of_spatch(tree, tmp_path, patchgen):
    rule = tmp_path / "rename.cocci"
    rule.write_text(RENAME)
    _apply(tree, patchgen("run", rule, "drivers", "--macros", "none", "--tree", tree).out)
    for name, text in UNPARSED.items():
        after = (tree / f"drivers/{name}.c").read_text()
        assert after == _run_spatch(rule, text + PARSED), name
        assert "bar(9)" in after, name
        assert "foo(" in after or name in MAY_BE_PARSED, name


# Rules about macros themselves: plain spatch finds what they are about.
ABOUT_MACROS = {
    "a loop": (
        "@@\niterator name list_for_each_entry;\nstatement S;\nexpression a, b, c;\n@@\n"
        "- list_for_each_entry(a, b, c) S\n+ walk(a, b);\n"
    ),
    "a declaration": "@@\ntype T;\nidentifier x;\n@@\n- T x = NULL;\n+ T x = 0;\n",
    "a definition": "@@\nidentifier x;\nexpression e;\n@@\n- #define LIMIT e\n+ #define BOUND e\n",
    "a table": "@@\nexpression a, b;\n@@\n- RUNTIME_PM_OPS(a, b)\n+ PM_OPS(a, b)\n",
}
MACROS = """\
#define LIMIT 7

static void keeps(struct list *l)
{
	struct item *i __free(kfree) = NULL;

	list_for_each_entry(i, l, next)
		use(i);
}

static void lost(struct list *l)
{
	struct item *i;

	scoped_guard(mutex, &lock) {
		list_for_each_entry(i, l, next)
			use(LIMIT);
	}
	RUNTIME_PM_OPS(1, 2);
}

static void later(struct list *l)
{
	struct item *i __free(kfree) = NULL;

	list_for_each_entry(i, l, next)
		use(i);
	RUNTIME_PM_OPS(1, 2);
}
"""


@pytest.mark.parametrize("about", ABOUT_MACROS)
def test_nothing_that_plain_spatch_finds_is_lost(tree, tmp_path, patchgen, about):
    (tree / "macros.c").write_text(MACROS)
    commit_all(tree, "macros")
    rule = tmp_path / "about.cocci"
    rule.write_text(ABOUT_MACROS[about])
    if diff := patchgen("run", rule, "macros.c", "--tree", tree).out:
        _apply(tree, diff)
    plain = FileResult(Path("x.c"), _run_spatch(rule, MACROS).encode())
    ours = FileResult(Path("x.c"), (tree / "macros.c").read_bytes())
    assert contains(MACROS.encode(), plain, ours)
    for word in (b"pGq", b"YACFE", b"for (;;)", b"__attribute__", b"CLASS"):
        assert word not in ours.after


def test_a_changed_macro_of_the_tree_changes_cached_results(tree, tmp_path, patchgen, git):
    rule = tmp_path / "rename.cocci"
    rule.write_text(RENAME)
    args = ("run", rule, "drivers/loop.c", "--tree", tree)
    assert "bar(a)" in patchgen(*args).out
    assert "bar(a)" in patchgen(*args).out
    header = tree / "include/linux/cleanup.h"
    header.write_text("#define with_guard(a, b) f(a, b)\n")
    commit_all(tree, "no loop")
    done = patchgen(*args)
    assert "bar(a)" not in done.out
    assert "bar(9)" in done.out
    assert "not parsed: 1 place" in done.err
    header.write_text(HEADER)
    commit_all(tree, "loop")
    assert "bar(a)" in patchgen(*args).out
    whole = ("run", rule, "--tree", tree)
    assert "bar(a)" in patchgen(*whole).out
    (tree / "drivers/near.h").write_text("#define in_turn(x) f(x)\n")
    commit_all(tree, "no near loop")
    assert "+\tin_turn" not in patchgen(*whole).out
    assert patchgen(*whole).out.count("+\t\tbar(x);") == 1


def test_printed_macros_can_be_given(tree, tmp_path, patchgen):
    rule = tmp_path / "rename.cocci"
    rule.write_text(RENAME)
    shown = patchgen("run", "--show-macros", "--tree", tree)
    assert shown.code == 0
    assert "#define with_guard(...) for (;;)\n" in shown.out
    macros = tmp_path / "macros.h"
    macros.write_text(shown.out)
    args = ("run", rule, "drivers", "--tree", tree)
    assert patchgen(*args, "--macros", macros).out == patchgen(*args).out
    macros.write_text("#define __free(x)\n")
    assert "bar(a)" not in patchgen(*args, "--macros", macros).out
    missing = patchgen(*args, "--macros", tmp_path / "none.h")
    assert missing.code == 2
    assert "none.h: No such file or directory" in missing.err


def test_reports_name_the_same_columns_and_quote_the_source(tree, tmp_path, patchgen):
    rule = tmp_path / "report.cocci"
    rule.write_text(
        "virtual report\n@r depends on report@\nexpression e;\nposition p;\n@@\nfoo@p(e)\n"
        "@script:python@\np << r.p;\ne << r.e;\n@@\n"
        "coccilib.report.print_report(p[0], f'call {e}')\n"
    )
    args = ("run", rule, "drivers/attribute.c", "--trust", "--tree", tree)
    plain = patchgen(*args, "--macros", "none").out.splitlines()
    found = patchgen(*args).out.splitlines()
    assert set(plain) < set(found)
    assert "drivers/attribute.c:3:30: call 1" in found


def test_a_note_states_that_scripts_wrote_their_files_in_the_first_run(tree, tmp_path, patchgen):
    rule = tmp_path / "write.cocci"
    rule.write_text(
        "@r@\nposition p;\n@@\nfoo@p(...)\n@script:python@\np << r.p;\n@@\n"
        "with open('places', 'a') as out:\n    out.write(p[0].line + '\\n')\n"
    )
    args = ("run", rule, "drivers/loop.c", "--trust", "--tree", tree, "--keep")
    for name in ("one", "two"):
        # The result of the second run is cached.
        done = patchgen(*args, tmp_path / name)
        assert (tmp_path / name / "places").read_text() == "11\n"
        assert "the files that its scripts wrote are those of the first run" in done.err


def test_a_finalize_rule_gets_one_run_and_what_it_missed_is_named(tree, tmp_path, patchgen):
    rule = tmp_path / "count.cocci"
    rule.write_text(
        "@initialize:python@\n@@\nlines = []\n@r@\nposition p;\n@@\nfoo@p(...)\n"
        "@script:python@\np << r.p;\n@@\nlines.append(p[0].line)\n"
        "@finalize:python@\n@@\nprint('all', *lines)\n"
    )
    done = patchgen("run", rule, "drivers/loop.c", "--trust", "--tree", tree)
    assert done.out == "all 11\n"
    assert "not parsed: 1 place in 1 file" in done.err
    assert "results are not cached, and the tree's macros are not used" in done.err


def test_a_file_that_only_the_second_run_gives_up_on_has_the_result_of_the_first(
    tree, tmp_path, patchgen
):
    rule = tmp_path / "fail.cocci"
    rule.write_text(
        f"{RENAME}@r@\nposition p;\n@@\nbar@p(a)\n"
        "@script:python@\np << r.p;\n@@\nraise ValueError\n"
    )
    done = patchgen("run", rule, "drivers/loop.c", "--trust", "--tree", tree)
    assert "+\treturn bar(9);" in done.out
    assert "bar(a)" not in done.out
    assert "not parsed: 1 place" in done.err


def test_marks_quote_the_source(tree, tmp_path, patchgen):
    rule = tmp_path / "context.cocci"
    rule.write_text("@@\nexpression e;\n@@\n* foo(e)\n")
    out = patchgen("run", rule, "drivers/attribute.c", "--tree", tree).out
    assert "struct a *p __free(kfree) = foo(1);" in out


OLD = b"a\nb\nc\nd\n"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (None, None, True),
        (None, b"a\nB\nc\nd\n", True),
        (b"a\nB\nc\nd\n", None, False),
        (b"a\nB\nc\nd\n", b"a\nB\nc\nD\n", True),
        (b"a\nB\nc\nd\n", b"a\nB\nC\nd\n", True),
        (b"a\nB\nc\nd\n", b"a\nX\nc\nd\n", False),
        (b"a\nc\nd\n", b"a\nd\n", True),
        (b"a\nb\nx\nc\nd\n", b"a\nb\nx\ny\nc\nd\n", True),
        (b"a\nb\nx\nc\nd\n", b"a\nb\ny\nc\nd\n", False),
        (b"a\nb\nx\nc\nd\n", b"A\nb\nc\nd\n", False),
    ],
)
def test_a_result_contains_another_if_it_has_all_its_changes(first, second, expected):
    path = Path("a.c")
    assert contains(OLD, FileResult(path, first), FileResult(path, second)) is expected


def test_a_result_contains_another_if_it_has_all_its_marks_and_lines():
    path = Path("a.c")
    mark = ReportedPlace(path, 1, None, "x")
    assert not contains(OLD, FileResult(path, marks=(mark,)), FileResult(path))
    assert contains(OLD, FileResult(path), FileResult(path, marks=(mark,)))
    assert contains(OLD, FileResult(path, printed="a\nb\n"), FileResult(path, printed="a\nc\nb\n"))
    assert not contains(OLD, FileResult(path, printed="a\nb\n"), FileResult(path, printed="b\na\n"))


def test_lines_that_only_the_second_run_changes_get_the_style_of_the_kernel(
    tree, tmp_path, patchgen
):
    begin = "int f(int a)\n{\n\tscoped_guard(mutex, &lock) {\n"
    (tree / "drivers/loop.c").write_text(f"{begin}\t\tfoo(a,\n\t\t    2);\n\t}}\n\treturn 0;\n}}\n")
    commit_all(tree, "aligned")
    rule = tmp_path / "rename.cocci"
    rule.write_text(RENAME.replace("bar", "longer"))
    _apply(tree, patchgen("run", rule, "drivers/loop.c", "--tree", tree).out)
    assert "\t\tlonger(a,\n\t\t       2);\n" in (tree / "drivers/loop.c").read_text()
    arguments = ", ".join(["argument"] * 6)
    wide = f"{begin}\t\tfoo({arguments});\n\t}}\n\treturn 0;\n}}\n"
    (tree / "drivers/loop.c").write_text(wide)
    commit_all(tree, "wide")
    rule.write_text(f"// Options: --max-width 100\n{RENAME.replace('bar', 'longer_name')}")
    _apply(tree, patchgen("run", rule, "drivers/loop.c", "--tree", tree).out)
    assert f"\t\tlonger_name({arguments});\n" in (tree / "drivers/loop.c").read_text()
