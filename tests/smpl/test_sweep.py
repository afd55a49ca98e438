# SPDX-License-Identifier: GPL-2.0-or-later
"""A sweep where a slice is not what it should be: the whole file is run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import Header, RunnableSmpl, Source, find_spatch, run_files
from patchgen.model.base import Base
from patchgen.model.smpl import SemanticPatch
from patchgen.odb import Repository
from patchgen.sweep import RunRequest, SweepRequest, candidates, sweep
from patchgen.sweep.slices import Slice
from tests.support.kernels import commit_all

RULE = "@@\nexpression x;\n@@\n- kfree(x);\n+ vfree(x);\n"
# spatch ends with `lexing: empty token` at a backslash that nothing follows.
UNREADABLE = b"void f(void *p)\n{\n\tkfree(p);\n}\n#if x || \\\n"
# The comment that stands for what was cut has not come back.
REACHED_INTO = b"void f(void *p)\n{\n\tkfree(p);\n}\n"


@pytest.mark.parametrize("text", [UNREADABLE, REACHED_INTO], ids=["unreadable", "reached into"])
def test_a_slice_that_cannot_be_used_is_run_again_whole(tmp_path: Path, monkeypatch, text):
    (tmp_path / "a.c").write_text("void f(void *p)\n{\n\tkfree(p);\n}\n\nint g;\n")
    commit_all(tmp_path, "start")
    repository = Repository(tmp_path)
    commit = repository.resolve_commit("HEAD")
    base = Base(commit, repository.resolve_tree(commit), "start", "")
    program = RunnableSmpl(SemanticPatch("rule.cocci", RULE))
    request = SweepRequest(RunRequest("rule.cocci"), base, program)
    monkeypatch.setattr(candidates, "slice_source", lambda *_: Slice(text, (b"int g;",), True))
    result = sweep(repository, request)
    repository.close()
    assert [edit.after for edit in result.edits] == [
        b"void f(void *p)\n{\n\tvfree(p);\n}\n\nint g;\n"
    ]
    assert result.notes == ("a.c was run again, as a whole file",)
    assert not result.unfinished


TREE = {
    "changed.c": "void f(void *p)\n{\n\tkfree(p);\n}\n",
    "left.c": "void (*f)(void *) = kfree;\n",
    "other.c": "void f(void *p)\n{\n\tmy_kfree(p);\n}\n",
    "header.h": "#define FREE(p) kfree(p)\n",
    "doc.rst": "kfree() frees.\n",
}


def test_a_search_of_the_tree_gives_what_reading_all_files_gives(tmp_path: Path, monkeypatch):
    for name, text in TREE.items():
        (tmp_path / name).write_text(text)
    commit_all(tmp_path, "start")
    repository = Repository(tmp_path)
    commit = repository.resolve_commit("HEAD")
    base = Base(commit, repository.resolve_tree(commit), "start", "")
    program = RunnableSmpl(SemanticPatch("rule.cocci", RULE))
    run = RunRequest("rule.cocci", cache=False)
    request = SweepRequest(run, base, program, header=Header(), suffixes=(".c",))
    read = sweep(repository, request)
    monkeypatch.setattr(candidates, "_FEW_FILES", 0)
    searched = sweep(repository, request)
    repository.close()
    assert replace(searched, seconds=0, counts=read.counts) == replace(read, seconds=0)
    assert (searched.counts.candidates, read.counts.candidates) == (2, 2)
    assert [edit.path.name for edit in searched.edits] == ["changed.c"]
    assert searched.leftovers is not None
    left = {place.path.name for place in searched.leftovers.places}
    assert left == {"left.c", "header.h", "doc.rst"}


OPERATORS = """\
@@
expression A, B;
@@
  !A ||
- (A && B)
+ B

@@
expression E, F;
@@
(
- pages(E / F)
+ share(E, F)
|
- pages(E || F)
+ either(E, F)
|
- pages(1 << E)
+ bit(E)
|
- pages(E >> F)
+ shift(E, F)
|
- pages(E % F)
+ rest(E, F)
)
"""
# Each is changed, or not, in a whole file as in a slice: isomorphisms turn and drop operands.
OPERATOR_BODIES = (
    "return !a || (a && b);",
    "return !a || (b && a);",
    "return (a && b) || !a;",
    "return a == NULL || (a && b);",
    "return NULL == a || (a&&b);",
    "if (!a || (a &&\n\t\t   b))\n\t\treturn 1;\n\treturn 0;",
    "return NOT(a) || BOTH(a, b);",
    "return EITHER(!a, a && b);",
    "return a && b;",
    "return a || b;",
    "return pages(a / b);",
    "return pages(a /* by */ / b);",
    "return pages(a\n\t\t     / b);",
    "return pages(a / b / 2);",
    "return pages((a / b));",
    "return pages(a /= b);",
    "return pages(b || a);",
    "return pages(SHARE(a, b));",
    "return pages(1<<b);",
    "return pages((1 << b));",
    "return pages(1 <<= b);",
    "return pages(a>>b);",
    "return pages(a\n\t\t     % b);",
    "return pages(a); // a / b",
)
OPERATOR_MACROS = (
    "#define BOTH(a, b) ((a) && (b))\n#define NOT(a) (!(a))\n"
    "#define EITHER(a, b) ((a) || (b))\n#define SHARE(a, b) ((a) / (b))\n"
)


def test_a_slice_by_operators_gives_what_the_whole_file_gives(tmp_path: Path):
    functions = [
        f"int f{number}(int a, int b)\n{{\n\t{body}\n}}\n"
        for number, body in enumerate(OPERATOR_BODIES)
    ]
    (tmp_path / "all.c").write_text(OPERATOR_MACROS + "\n".join(functions))
    for number, function in enumerate(functions):
        macros = OPERATOR_MACROS if re.search(r"[A-Z]\(", function) else ""
        (tmp_path / f"f{number}.c").write_text(macros + function)
    commit_all(tmp_path, "start")
    repository = Repository(tmp_path)
    commit = repository.resolve_commit("HEAD")
    base = Base(commit, repository.resolve_tree(commit), "start", "")
    program = RunnableSmpl(SemanticPatch("rule.cocci", OPERATORS))
    sliced, whole = (
        sweep(repository, SweepRequest(RunRequest("rule.cocci"), base, program, slices=slices))
        for slices in (True, False)
    )
    repository.close()
    assert len(sliced.edits) > 10
    assert sliced.edits == whole.edits
    assert sliced.counts.run <= whole.counts.run < sliced.counts.files
    # A file without the operators is not run in either case; spatch itself is given all files.
    sources = [Source(PurePosixPath(path.name), path.read_bytes()) for path in tmp_path.glob("*.c")]
    results = run_files(find_spatch(), program, sources)
    changed = {result.path: result.after for result in results if result.after is not None}
    assert {edit.path: edit.after for edit in sliced.edits} == changed
