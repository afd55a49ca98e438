# SPDX-License-Identifier: GPL-2.0-or-later
"""Machine code compared: what moves is the same, what does something else is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from patchgen.kernel.machine_code import list_changed, read_functions

SOURCE = """
extern int printf(const char *, ...);
extern int other(int);
extern int othr(int);
void first(int x);
static int counter;
static int limit = 5;
static void (*hook)(int);

static __attribute__((noinline)) int count(int step)
{
	static int calls;

	counter += step;
	return ++calls;
}

void first(int x)
{
	printf("first %d\\n", count(x) + limit);
}

int second(int x)
{
	if (hook)
		hook(x);
	return other(x) + count(2);
}

void install(void (*h)(int))
{
	hook = h;
	limit++;
}
"""


@pytest.fixture
def build(tmp_path):
    def run(text: str) -> dict[str, str]:
        path = Path(tmp_path / "a.c")
        path.write_text(text)
        argv = ["gcc", "-O2", "-mcmodel=kernel", "-fno-pic", "-fno-pie", "-c", path, "-o"]
        subprocess.run([*argv, tmp_path / "a.o"], check=True)
        return read_functions(tmp_path / "a.o")

    return run


SAME = {
    "nothing": ("", ""),
    "a comment": ("static int counter;", "/* why */\n\nstatic int counter;"),
    "a name of a local": ("int x)\n{\n\tif", "int y)\n{\n\tint x = y;\n\tif"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_the_same_code(build, old, new):
    assert list_changed(build(SOURCE), build(SOURCE.replace(old, new, 1))) == []


CHANGED = {
    "a constant": ("count(2)", "count(3)", ["second"]),
    "another callee": ("other(x)", "othr(x)", ["second"]),
    "another variable": ("counter += step", "limit += step", ["count"]),
    "a string": ("first %d", "First %d", ["(.rodata.str1.1)"]),
    "a value": ("limit = 5", "limit = 6", ["(.data)"]),
    "a callback": ("(*hook)(int);", "(*hook)(int) = first;", ["(.data)"]),
    "a function more, before": (
        "void first",
        "int zero(int x)\n{\n\treturn x;\n}\n\nvoid first",
        ["zero"],
    ),
    "a variable more, before": (
        "static int counter;",
        "static int more[9];\nstatic int counter;\nint *get(void) { return more; }",
        ["get"],
    ),
}


@pytest.mark.parametrize(("old", "new", "names"), CHANGED.values(), ids=CHANGED)
def test_only_changed_functions_are_listed(build, old, new, names):
    assert list_changed(build(SOURCE), build(SOURCE.replace(old, new, 1))) == names
