# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` with scripts that print, and with what remembers one file in the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kernels import commit_all

MATCH = """\
@r@
expression e;
position p;
@@
{mark}kfree@p(e){end}

"""
PRINT_OCAML = """\
@script:ocaml@
p << r.p;
@@
let p = List.hd p in
Printf.printf "%s:%d: it is freed\\n" p.file p.line
"""
# Each remembers that it has spoken, and is silent from then on.
ONCE_PYTHON = """\
@initialize:python@
@@
spoken = []

{match}@script:python@
p << r.p;
@@
if not spoken:
    print("%s:%s: the first one" % (p[0].file, p[0].line))
    spoken.append(1)
"""
ONCE_OCAML = """\
@initialize:ocaml@
@@
let spoken = ref false

{match}@script:ocaml@
p << r.p;
@@
let p = List.hd p in
if not !spoken then Printf.printf "%s:%d: the first one\\n" p.file p.line;
spoken := true
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "frees"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.c").write_text(
            f"void {name}(void *p, void *q)\n{{\n\tkfree(p);\n\tkfree(q);\n}}\n"
        )
    (folder / "d.c").write_text("void d(void)\n{\n}\n")
    commit_all(folder, "start")
    return folder


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rule.cocci"
    path.write_text(text)
    return path


def test_what_ocaml_prints_is_assigned_to_its_file(patchgen, tree, tmp_path):
    rule = _write(tmp_path, MATCH.format(mark="", end="") + PRINT_OCAML)
    expected = [f"{name}.c:{line}: it is freed" for name in "abc" for line in (3, 4)]
    first = patchgen("run", rule, "--tree", tree, "--trust")
    assert (first.code, first.out.splitlines()) == (0, expected), first.err
    # One more file with as many words: cached output is printed again, with the new output.
    text = (tree / "a.c").read_text()
    (tree / "e.c").write_text(text.replace("(q)", "(q->next)"))
    commit_all(tree, "one more")
    again = patchgen("run", rule, "--tree", tree, "--trust")
    more = ["e.c:3: it is freed", "e.c:4: it is freed"]
    assert again.out.splitlines() == expected + more and "1 run" in again.err


def test_marks_of_context_mode_are_not_output_of_ocaml(patchgen, tree, tmp_path):
    rule = _write(tmp_path, MATCH.format(mark="* ", end=";") + PRINT_OCAML)
    done = patchgen("run", rule, "a.c", "--tree", tree, "--trust")
    printed = ["a.c:3: it is freed", "a.c:4: it is freed"]
    marked = ["a.c:3: kfree(p);", "a.c:4: kfree(q);"]
    assert done.out.splitlines() == [*marked, *printed], done.err


@pytest.mark.parametrize("script", [ONCE_PYTHON, ONCE_OCAML], ids=["python", "ocaml"])
def test_a_file_s_result_does_not_depend_on_its_neighbours(patchgen, tree, tmp_path, script):
    rule = _write(tmp_path, script.format(match=MATCH.format(mark="", end="")))
    alone = patchgen("run", rule, "c.c", "--tree", tree, "--trust", "--no-cache")
    assert alone.out.splitlines() == ["c.c:3: the first one"], alone.err
    all_of_them = patchgen("run", rule, "--tree", tree, "--trust", "--no-cache")
    assert all_of_them.out.splitlines() == [f"{name}.c:3: the first one" for name in "abc"]
    assert "scripts may keep state between files" in all_of_them.err


@pytest.mark.parametrize(("seed", "name"), [("", "__extra_counter__"), (' = "new_"', "new_")])
def test_numbers_of_fresh_identifiers_do_not_depend_on_neighbours(
    patchgen, tree, tmp_path, seed, name
):
    text = f"@@\nexpression e;\nfresh identifier new{seed};\n@@\n- kfree(e);\n+ kfree(new, e);\n"
    rule = _write(tmp_path, text)
    alone = patchgen("run", rule, "c.c", "--tree", tree, "--no-cache")
    assert alone.out.count(f"+\tkfree({name}") == 2, alone.err
    all_of_them = patchgen("run", rule, "--tree", tree, "--no-cache")
    assert alone.out in all_of_them.out and all_of_them.out.count("\n+\tkfree(") == 6
    assert "fresh identifiers are numbered" in all_of_them.err
    seeded = _write(tmp_path, text.replace(f"new{seed};\n@@", 'new = "p" ## "q";\n@@'))
    assert "of its own" not in patchgen("run", seeded, "--tree", tree, "--no-cache").err


def test_a_script_that_fails_is_named_once_with_its_line(tree, patchgen, tmp_path):
    (tree / "d.c").write_text("void d(void *p)\n{\n\tkfree(p);\n}\n")
    commit_all(tree, "one more")
    rule = tmp_path / "fails.cocci"
    match = MATCH.format(mark="", end="")
    rule.write_text(f"{match}@script:python@\np << r.p;\n@@\nprint(nonsense)\n")
    line = match.count("\n") + 1
    done = patchgen("run", rule, "--tree", tree, "--trust")
    why = f"its script on line {line} fails: NameError: name 'nonsense' is not defined"
    assert f"{rule}: not finished: a.c, b.c, c.c and 1 other: {why}" in done.err
    done = patchgen("run", rule, "--tree", tree, "--trust", "--verbose", "--strict")
    assert done.code == 1
    assert f"{rule}: not finished: a.c, b.c, c.c, d.c: {why}" in done.err
