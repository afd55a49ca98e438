# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever happens to a cache file, commands give the result that they give without a cache."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, strategies

from patchgen.commands.audit import AuditRequest, run_audit
from patchgen.commands.run import plan_run, run_sweeps
from patchgen.model.sweep import Sweep
from patchgen.odb import Repository
from patchgen.sweep import RunRequest
from tests.support.examples import examples
from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, write_files

DAMAGES = strategies.lists(
    strategies.tuples(strategies.floats(0, 1, exclude_max=True), strategies.integers(0, 255)),
    min_size=1,
    max_size=12,
)
RULE = "@change@\nexpression e;\n@@\n- old_call(e);\n+ new_call(e);\n"
CODE = "void f%d(void)\n{\n\told_call(%d);\n}\n"


def damage(content: bytes, changes: list[tuple[float, int]], cut: float) -> bytes:
    """Return content with bytes replaced at parts of its length, and its end cut off."""
    damaged = bytearray(content)
    for part, byte in changes:
        damaged[int(part * len(content))] = byte
    return bytes(damaged[: int(cut * len(content))])


def checked(
    file: Path, run: Callable[[], object]
) -> Callable[[list[tuple[float, int]], float], None]:
    """Return a check that a run over the damaged file gives the result of one without a file."""
    expected = run()
    assert run() == expected
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    database.close()
    content = file.read_bytes()

    def check(changes: list[tuple[float, int]], cut: float) -> None:
        for each in file.parent.glob(f"{file.name}*"):
            each.unlink()
        file.write_bytes(damage(content, changes, cut))
        assert run() == expected
        assert run() == expected

    return check


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/patchgen"


def test_audit_gives_the_same_from_a_damaged_cache(tmp_path, cache):
    tree = tmp_path / "kernel"
    write_files(tree, FILES)
    commit_all(tree, "kernel")

    def run() -> object:
        audit = run_audit(AuditRequest(tree))
        return audit.hypercalls, audit.changes, audit.window, audit.coverage, audit.notify

    check = checked(cache / "cache.sqlite", run)

    @examples(20, HealthCheck.function_scoped_fixture)
    @given(DAMAGES, strategies.sampled_from([1, 1, 1, 0.9, 0.5, 0.01, 0]))
    def try_it(changes, cut):
        check(changes, cut)

    try_it()


def test_run_gives_the_same_from_a_damaged_cache(tmp_path, cache):
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(8):
        (tree / f"f{number}.c").write_text(CODE % (number, number))
    (tree / "idle.c").write_text("int idle; /* old_call */\n")
    commit_all(tree, "start")
    rule = tmp_path / "x.cocci"
    rule.write_text(RULE)
    repository = Repository(tree)

    def run() -> object:
        [(_, sweep)] = run_sweeps(repository, plan_run(repository, RunRequest(str(rule), tree)))
        assert isinstance(sweep, Sweep)
        return sweep.edits, sweep.rules, sweep.reports, sweep.unparsed, sweep.unfinished

    check = checked(cache / "cache.sqlite", run)

    @examples(12, HealthCheck.function_scoped_fixture)
    @given(DAMAGES, strategies.sampled_from([1, 1, 1, 0.9, 0.5, 0.01, 0]))
    def try_it(changes, cut):
        check(changes, cut)

    try:
        try_it()
    finally:
        repository.close()


def test_a_file_that_matched_is_not_lost_where_its_row_says_that_nothing_matched(tmp_path, cache):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "f.c").write_text(CODE % (1, 1))
    commit_all(tree, "start")
    rule = tmp_path / "x.cocci"
    rule.write_text(RULE)

    def count() -> int:
        repository = Repository(tree)
        try:
            [(_, sweep)] = run_sweeps(repository, plan_run(repository, RunRequest(str(rule), tree)))
        finally:
            repository.close()
        assert isinstance(sweep, Sweep)
        return len(sweep.edits)

    assert count() == 1
    with sqlite3.connect(cache / "cache.sqlite") as database:
        database.execute("UPDATE cached SET value = NULL WHERE length(key) = 20")
        database.execute("DELETE FROM cached WHERE length(key) != 20")
    database.close()
    assert count() == 1


POISON = b"cos\nsystem\n(S'echo ran > canary'\ntR."


@pytest.mark.parametrize("value", [zlib.compress(POISON), b"\0\0\0", None, "text", 7], ids=str)
def test_a_poisoned_audit_cache_runs_no_code_and_is_made_anew(tmp_path, cache, patchgen, value):
    tree = tmp_path / "kernel"
    write_files(tree, FILES)
    commit_all(tree, "kernel")
    first = patchgen("audit", "--tree", tree)
    with sqlite3.connect(cache / "cache.sqlite") as database:
        database.execute("UPDATE cached SET value = ?", [value])
    database.close()
    again = patchgen("audit", "--tree", tree, cwd=tmp_path)
    assert (again.code, again.out) == (0, first.out)
    assert not (tmp_path / "canary").exists()
