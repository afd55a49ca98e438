# SPDX-License-Identifier: GPL-2.0-or-later
"""What patchgen hands to spatch: the text as it is made ready, and the files next to it."""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import (
    RunnableSmpl,
    Source,
    apply_to_file,
    find_code,
    find_spatch,
    run_files,
)
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch

PATH = PurePosixPath("a.c")
SOURCE = b"int f(void) { foo(1); return 0; }\n"
RULE = "@r@\nposition p;\n@@\n- foo@p(1);\n+ bar();\n"


def script(canary: Path, end: str = "\n") -> str:
    return end.join(["@script:python@", "@@", f'open("{canary}", "w")', ""])


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1c", "\x1e"])
def test_no_line_separator_of_unicode_ends_a_comment(tmp_path, separator):
    canary = tmp_path / "canary"
    text = f"@r@\n@@\n- foo(1);\n+ bar();\n//{separator}{script(canary, separator)}\n"
    result = apply_to_file(find_spatch(), SemanticPatch("x.cocci", text), PATH, SOURCE)
    assert not canary.exists()
    assert [(rule.rule, rule.hits) for rule in result.rules] == [("r", 1)]


@pytest.mark.parametrize("run", ["apply", "sweep"])
def test_spatch_does_not_read_code_that_nobody_checked_before(tmp_path, run):
    patch = SemanticPatch("x.cocci", script(tmp_path / "canary") + RULE)
    with pytest.raises(SpecError, match="a script runs code"):
        if run == "apply":
            apply_to_file(find_spatch(), patch, PATH, SOURCE)
        else:
            run_files(find_spatch(), RunnableSmpl(patch), [Source(PATH, SOURCE)])
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("groups", ".cocciconfig", "tree/.cocciconfig", "patchgen.cocci", "patchgen-macros.h"),
        *("tree/a.cocci", "groups/a.cocci", "a.c", "a//b.cocci", "../a.cocci", "/tmp/a.cocci"),
        *("./patchgen.cocci", "a/.cocci", "a.cocci/", "a\n.cocci"),
    ],
)
def test_no_included_file_replaces_what_patchgen_writes(name):
    for line in (f'#include "{name}"\n', f'using "{name}"\n'):
        assert find_code(line + RULE, lambda _: "@q@\n@@\n foo();\n"), line


def test_all_files_that_a_header_names_are_judged():
    files = {"ok.iso": "", "s.iso": "@script:python@\n"}
    for names in ('"ok.iso", "s.iso"', '"ok.iso"/**/,//\nL"s.iso"', '"ok.iso"#spatch,"s.iso"'):
        [found] = find_code(f"@r using {names}@\n@@\n foo();\n", files.get)
        assert found.why == "s.iso:1: a script runs code"


def test_files_that_include_each_other_often_take_no_time():
    files = {f"{n}.cocci": f'#include "{n + 1}.cocci"\n' * 9 + RULE for n in range(99)}
    begin = time.process_time()
    [found] = find_code('#include "0.cocci"\n' + RULE, files.get)
    assert "through more than 16 files" in found.why
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    "piece",
    [
        *("script/*", "script//", "script ", "#", "# ", '"', "'", "using <", 'using "', "/*"),
        *("#include <\n", '#include "', "#spatch", "script#spatch ", "- ", "---", "initialize :"),
        *("#spatch -D a -D\n", "analysis(", "script\\\n", '#include "a.cocci"\n', "using"),
    ],
)
def test_long_files_are_read_in_linear_time(piece):
    begin = time.process_time()
    find_code(piece * (100_000 // len(piece)))
    find_code("'\n" + piece * (100_000 // len(piece)))
    assert time.process_time() - begin < 4
