# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/compared.md says of spatch without patchgen, with the real spatch."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import apply_to_file, find_spatch
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch
from tests.conftest import Patchgen

RULE = "@@\n@@\n-foo(1)\n+bar(1)\n"
NO_MATCH = "int f(void)\n{\n\treturn foo(2);\n}\n"
UNPARSED = 'int f(void)\n{\n\tasm("a" ALT(1, 2) : "x"(\n\treturn foo(1);\n}\n'
ASSEMBLY = 'asm volatile("vmmcall" : "=a"(ret) : "a"(nr));'


def run_spatch(folder: Path, rule: str, source: str, *args: str) -> subprocess.CompletedProcess:
    """Run spatch as a user does, in a folder with the semantic patch and the file."""
    (folder / "a.cocci").write_text(rule)
    (folder / "a.c").write_text(source)
    return subprocess.run(
        ["spatch", "--very-quiet", "--sp-file", "a.cocci", *args, "a.c"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_spatch_alone_prints_the_same_for_no_match_and_for_unparsed_code(tmp_path):
    for source in (NO_MATCH, UNPARSED):
        completed = run_spatch(tmp_path, RULE, source)
        assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    patch = SemanticPatch("a.cocci", RULE)
    unparsed = [
        apply_to_file(find_spatch(), patch, PurePosixPath("a.c"), source.encode()).unparsed
        for source in (NO_MATCH, UNPARSED)
    ]
    assert unparsed[0] == () and str(unparsed[1][0]).startswith("a.c:1 f()")


def test_inline_assembly_is_a_parse_error_except_as_a_marker(tmp_path):
    rule = f"@@\n@@\n foo(2);\n+{ASSEMBLY}\n"
    completed = run_spatch(tmp_path, rule, NO_MATCH)
    assert completed.returncode == 255 and "parse error" in completed.stderr
    source = NO_MATCH.replace("return foo(2);", "foo(2);").encode()
    path = PurePosixPath("a.c")
    with pytest.raises(SpecError, match="parse error"):
        apply_to_file(find_spatch(), SemanticPatch("a.cocci", rule), path, source)
    marked = rule.replace(ASSEMBLY, "/* patchgen: CALL */")
    patch = SemanticPatch("a.cocci", marked, texts={"CALL": f"{ASSEMBLY}\n"})
    result = apply_to_file(find_spatch(), patch, path, source)
    assert result.after == source.replace(b"foo(2);\n", f"foo(2);\n\t{ASSEMBLY}\n".encode())


def test_only_spatch_alone_changes_a_file_outside_of_a_repository(
    patchgen: Patchgen, tmp_path: Path
):
    source = NO_MATCH.replace("2", "1")
    assert run_spatch(tmp_path, RULE, source, "--in-place").returncode == 0
    assert (tmp_path / "a.c").read_text() == source.replace("foo", "bar")
    (tmp_path / "a.c").write_text(source)
    result = patchgen("run", "a.cocci", cwd=tmp_path)
    assert result.code == 1 and "is not in a git repository" in result.err
    assert (tmp_path / "a.c").read_text() == source
