# SPDX-License-Identifier: GPL-2.0-or-later
"""Kept results: found again, shared by processes, bounded, and never in the way."""

from __future__ import annotations

import subprocess
import sys

from patchgen.sweep import kept as kept_module
from patchgen.sweep.kept import KeptResults


def test_finds_what_was_kept_and_only_in_its_run(tmp_path):
    path = tmp_path / "sweep.sqlite"
    with KeptResults(path, "one") as kept:
        kept.keep([(b"a", None), (b"b", b"result")])
        kept.keep_fact(b"s", b"a fact")
    with KeptResults(path, "one") as kept:
        assert kept.find([b"a", b"b", b"c"]) == {b"a": None, b"b": b"result"}
        assert kept.find_fact(b"s") == b"a fact" and kept.find_fact(b"t") is None
    with KeptResults(path, "two") as kept:
        assert kept.find([b"a", b"b"]) == {} and kept.find_fact(b"s") is None


def test_a_file_that_is_no_database_is_replaced_and_that_is_said(tmp_path):
    path = tmp_path / "sweep.sqlite"
    path.write_bytes(b"not a database, but longer than a header of one hundred bytes " * 9)
    with KeptResults(path, "one") as kept:
        assert "damaged" in kept.note
        kept.keep([(b"a", None)])
        assert kept.find([b"a"]) == {b"a": None}


def test_goes_on_without_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with KeptResults(tmp_path / "file" / "sweep.sqlite", "one") as kept:
        kept.keep([(b"a", None)])
        assert kept.find([b"a"]) == {} and "not cached" in kept.note


def test_drops_the_runs_that_were_not_used_for_longest(tmp_path, monkeypatch):
    path = tmp_path / "sweep.sqlite"
    keys = [b"%d" % number for number in range(150)]

    def use(run: str, *, write: bool = False) -> int:
        """Return how many results are there, before any is written."""
        with KeptResults(path, run) as kept:
            found = len(kept.find(keys))
            if write:
                kept.keep([(key, bytes(1000)) for key in keys])
        return found

    # A result takes a page of its own, so that each run takes 730 kB or so.
    monkeypatch.setattr(kept_module, "LIMIT", 2_600_000)
    for run in ("first", "second", "third"):
        use(run, write=True)
    assert use("first") == 150
    use("fourth", write=True)
    assert path.stat().st_size > 2_600_000
    assert use("fifth") == 0
    used = {run: use(run) for run in ("first", "second", "third", "fourth")}
    assert used == {"first": 150, "second": 0, "third": 0, "fourth": 150}
    assert path.stat().st_size < 1_950_000


WRITER = """
import sys
from pathlib import Path
from patchgen.sweep.kept import KeptResults
with KeptResults(Path(sys.argv[1]), "one") as kept:
    for n in range(200):
        kept.keep([(f"{sys.argv[2]}-{n}".encode(), b"x")])
    assert not kept.note, kept.note
"""


def test_several_processes_write_at_once(tmp_path):
    path = tmp_path / "sweep.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    with KeptResults(path, "one") as kept:
        keys = [f"{number}-{n}".encode() for number in range(4) for n in range(200)]
        assert len(kept.find(keys)) == 800
