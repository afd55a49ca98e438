# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees with odd bytes, names and sizes: a result or a message, whatever is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, write_files

ROOT = Path(__file__).parents[2]
CODE = b"void f(void)\n{\n\told_call();\n}\n"
RULE = "@change@\n@@\n- old_call();\n+ new_call();\n"
# A byte that is not UTF-8, a newline, an escape sequence and what a template or a URI would read.
ODD_NAME = b"arch/x86/kernel/\xe4\n\x1b[31m%41#<b>&'\".c"
HYPERCALL = b"""\
void __init odd(void)
{
\tkvm_hypercall1(KVM_HC_KICK_CPU, 0);
}
"""


def run_patchgen(*words: str | Path) -> tuple[int, bytes, bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m", "patchgen", *map(str, words)]
    done = subprocess.run(run, capture_output=True, env=env, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def rule(tmp_path):
    path = tmp_path / "x.cocci"
    path.write_text(RULE)
    return path


@pytest.fixture
def kernel(tmp_path):
    tree = tmp_path / "kernel"
    write_files(tree, FILES)
    (tree / os.fsdecode(ODD_NAME)).write_bytes(CODE + HYPERCALL)
    commit_all(tree, "kernel")
    return tree


@pytest.mark.parametrize("form", ["text", "--json", "--dot", "--html"])
def test_audit_shows_a_name_that_is_not_utf8_as_text(kernel, tmp_path, form):
    page = tmp_path / "page.html"
    words = {"text": ["--verbose"], "--html": ["--html", page]}.get(form, [form])
    for _ in ("read", "cached"):
        code, out, err = run_patchgen("audit", "--tree", kernel, *words)
        assert (code, err) == (0, b"")
        shown = page.read_bytes() if form == "--html" else out
        assert b"\x1b" not in shown.decode("utf-8").encode()
        if form == "--json":
            places = json.dumps(json.loads(out), ensure_ascii=False)
            assert "\\\\xe4" in places
            places.encode("utf-8")


def test_run_gives_a_uri_that_names_the_file_byte_by_byte(kernel, rule, tmp_path):
    log = tmp_path / "log.sarif"
    words = ("run", rule, "--tree", kernel, "--sarif", log, "--json")
    code, out, err = run_patchgen(*words)
    assert code == 0, err
    json.loads(out.decode("utf-8"))
    text = log.read_bytes().decode("utf-8")
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in json.loads(text)["runs"][0]["results"]
    ]
    assert [unquote_to_bytes(uri) for uri in uris] == [ODD_NAME]
    assert all(uri.isascii() and uri.isprintable() and " " not in uri for uri in uris)
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")


def test_a_byte_that_is_not_utf8_in_a_macro_is_read(kernel, git):
    path = kernel / "arch/x86/kernel/setup.c"
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(
        b"#define m(a, \xe4, ...) f(\xe4)\n#if \xff\n#include <\xe4.h>\n#endif\n" + before
    )
    git(kernel, "commit", "-qam", "odd") if before else commit_all(kernel, "odd")
    code, _, err = run_patchgen("audit", "--tree", kernel)
    assert (code, err) == (0, b"")


def test_a_file_that_is_too_large_for_spatch_is_named(tmp_path, rule):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large.c").write_bytes(CODE + b"int x;\n" * (5 << 20))
    (tree / "small.c").write_bytes(CODE)
    commit_all(tree, "start")
    for _ in ("run", "cached"):
        code, out, err = run_patchgen("run", rule, "--tree", tree)
        assert code == 0 and out.count(b"+\tnew_call();") == 1
        assert b"not finished: large.c: it is larger than the 32 MiB that spatch is given" in err
    assert run_patchgen("run", rule, "--tree", tree, "--strict")[0] == 1
