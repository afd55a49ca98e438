# SPDX-License-Identifier: GPL-2.0-or-later
"""Coccinelle's own regression cases: what the bridge and a sweep make of each is what spatch makes.

The cases are Coccinelle's, so they are not here: $PATCHGEN_COCCINELLE names the folder `tests` of
its source. The bridge takes no scripts, as a variant may have none; the sweep takes them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import (
    Source,
    apply_to_file,
    find_code,
    find_needs,
    find_spatch,
    run_files,
)
from patchgen.coccinelle.header import read_header
from patchgen.ctokens import split_tokens
from patchgen.errors import PatchgenError
from patchgen.model.base import Base, Oid
from patchgen.model.smpl import Mode, SemanticPatch
from patchgen.sweep import Lookup, RunRequest, load_cocci, resolve
from patchgen.sweep.slices import restore, slice_source

FOLDER = os.environ.get("PATCHGEN_COCCINELLE")
TIMEOUT_S = 60
# spatch reads other files of the folder, or speaks of where it is; or the case is of another tool.
_FILES = sorted(Path(FOLDER).glob("*.cocci")) if FOLDER else []
CASES = [file.stem for file in _FILES if file.with_suffix(".c").is_file()]
HEADERS = {
    PurePosixPath(file.relative_to(FOLDER or ".")): file.read_bytes()
    for file in (Path(FOLDER).rglob("*.h") if FOLDER else ())
}

pytestmark = pytest.mark.skipif(
    not CASES, reason="COCCINELLE'S REGRESSION CASES NOT RUN: set PATCHGEN_COCCINELLE to its tests"
)


@dataclass(frozen=True)
class Plain:
    """The result of spatch itself for a case: the file after it, None if spatch refuses it."""

    after: bytes | None
    output: str


def run_plain(
    case: Path, modes: tuple[str, ...] = (), options: tuple[str, ...] = ("--no-includes",)
) -> Plain:
    """Run spatch as a user would, with the options of the semantic patch."""
    source = case.with_suffix(".c")
    with tempfile.TemporaryDirectory() as folder:
        words = [find_spatch().path, "--very-quiet", "--no-show-diff", *options]
        words += [word for mode in modes for word in ("-D", mode)]
        words += ["--timeout", str(TIMEOUT_S), "--sp-file", case, "-o", f"{folder}/out", source]
        done = subprocess.run(words, cwd=folder, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode("latin-1")
        out = Path(folder) / "out"
        if out.exists():
            return Plain(out.read_bytes(), output)
        # 255 without an output is also "nothing matched"; a refusal prints an error.
        refused = done.returncode != 0 and "-o can not be applied" not in output and output.strip()
        return Plain(None if refused else source.read_bytes(), output)


@pytest.mark.parametrize("name", CASES)
def test_the_bridge_makes_what_spatch_makes(name):
    case = Path(FOLDER or "") / f"{name}.cocci"
    text = case.read_bytes().decode("utf-8", "replace")
    if find_code(text, lambda _: None) or 'using "' in text or '#include "' in text:
        pytest.skip("it runs code or reads other files, which the bridge does not take")
    if read_header(text).own_options:
        pytest.skip("it sets options, which a variant must not do")
    plain = run_plain(case)
    content = case.with_suffix(".c").read_bytes()
    patch = SemanticPatch(case.name, text)
    try:
        result = apply_to_file(
            find_spatch(), patch, PurePosixPath(f"{name}.c"), content, timeout_s=TIMEOUT_S
        )
    except PatchgenError as err:
        assert plain.after is None, err
        return
    after = content if result.after is None else result.after
    assert after == (content if plain.after is None else plain.after)


@pytest.mark.parametrize("name", CASES)
def test_a_sweep_makes_what_spatch_makes(name):
    case = Path(FOLDER or "") / f"{name}.cocci"
    content = case.with_suffix(".c").read_bytes()
    try:
        cocci = load_cocci(str(case), Lookup(read, read, lambda _: False), lambda _: True)
        bound = resolve(cocci, RunRequest(str(case), style=False), Base(Oid(""), Oid(""), ""))
    except PatchgenError as err:
        pytest.skip(f"it is refused before spatch sees it: {err}")
    plain = run_plain(case, bound.program.modes, bound.program.options)
    try:
        after = sweep_one(bound, content, PurePosixPath(f"{name}.c"))
    except PatchgenError as err:
        assert plain.after is None, err
        return
    if bound.mode is Mode.PATCH and plain.after is not None:
        assert after == plain.after
        styled = replace(bound.program, restyles=True).restyle(content, after)
        assert without_braces(styled) == without_braces(after)
        assert styled.count(b"{") <= after.count(b"{")


def without_braces(source: bytes) -> list[bytes]:
    return [token for _, token in split_tokens(source) if token not in (b"{", b"}")]


def read(path: str) -> bytes | None:
    return Path(path).read_bytes() if Path(path).is_file() else None


def sweep_one(bound, content: bytes, path: PurePosixPath) -> bytes:
    """Slice a file, run it, and put it together again, as a sweep does."""
    spatch = find_spatch()
    program = bound.program
    needs = find_needs(spatch, program)
    text, parts = content, ()
    if bound.slices and needs.functions is not None:
        cut = slice_source(content, needs.functions)
        if not cut.matters:
            return content
        text, parts = cut.text, cut.parts
    results = run_files(spatch, program, [Source(path, text)], HEADERS, timeout_s=TIMEOUT_S)
    # What a finalize rule prints at the end belongs to no file.
    [ran] = [each for each in results if each.path == path]
    return content if ran.after is None else restore(ran.after, parts)
