"""A sweep where a slice is not what it should be: the whole file is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.coccinelle import Program
from patchgen.model.base import Base
from patchgen.model.smpl import SemanticPatch
from patchgen.model.sweep import Mode
from patchgen.odb import Repository
from patchgen.sweep import SweepRequest, candidates, sweep
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
    request = SweepRequest(Program(SemanticPatch("rule.cocci", RULE)), Mode.PATCH, base)
    monkeypatch.setattr(candidates, "slice_source", lambda *_: Slice(text, (b"int g;",), True))
    result = sweep(repository, request)
    repository.close()
    assert [edit.after for edit in result.edits] == [
        b"void f(void *p)\n{\n\tvfree(p);\n}\n\nint g;\n"
    ]
    assert result.notes == ("a.c was run again, whole",)
    assert not result.unfinished
