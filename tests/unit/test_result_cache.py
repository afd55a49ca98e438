# SPDX-License-Identifier: GPL-2.0-or-later
"""Kept results: found again, shared by processes, bounded, and never in the way."""

from __future__ import annotations

import subprocess
import sys

from patchgen.sweep import result_cache
from patchgen.sweep.result_cache import ResultCache


def test_finds_what_was_kept_and_only_in_its_run(tmp_path):
    path = tmp_path / "sweep.sqlite"
    with ResultCache(path, "one") as cache:
        cache.store([(b"a", None), (b"b", b"result")])
        cache.store_fact(b"s", b"a fact")
    with ResultCache(path, "one") as cache:
        assert cache.find([b"a", b"b", b"c"]) == {b"a": None, b"b": b"result"}
        assert cache.find_fact(b"s") == b"a fact" and cache.find_fact(b"t") is None
    with ResultCache(path, "two") as cache:
        assert cache.find([b"a", b"b"]) == {} and cache.find_fact(b"s") is None


def test_a_file_that_is_no_database_is_replaced_and_that_is_said(tmp_path):
    path = tmp_path / "sweep.sqlite"
    path.write_bytes(b"not a database, but longer than a header of one hundred bytes " * 9)
    with ResultCache(path, "one") as cache:
        assert "damaged" in cache.note
        cache.store([(b"a", None)])
        assert cache.find([b"a"]) == {b"a": None}


def test_goes_on_without_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with ResultCache(tmp_path / "file" / "sweep.sqlite", "one") as cache:
        cache.store([(b"a", None)])
        assert cache.find([b"a"]) == {} and "not cached" in cache.note


def test_drops_the_runs_that_were_not_used_for_longest(tmp_path, monkeypatch):
    path = tmp_path / "sweep.sqlite"
    keys = [b"%d" % number for number in range(150)]

    def use(run: str, *, write: bool = False) -> int:
        """Return how many results are there, before any is written."""
        with ResultCache(path, run) as cache:
            found = len(cache.find(keys))
            if write:
                cache.store([(key, bytes(1000)) for key in keys])
        return found

    # A result takes a page of its own, so that each run takes 730 kB or so.
    monkeypatch.setattr(result_cache, "LIMIT", 2_600_000)
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
from patchgen.sweep.result_cache import ResultCache
with ResultCache(Path(sys.argv[1]), "one") as cache:
    for n in range(200):
        cache.store([(f"{sys.argv[2]}-{n}".encode(), b"x")])
    assert not cache.note, cache.note
"""


def test_several_processes_write_at_once(tmp_path):
    path = tmp_path / "sweep.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    with ResultCache(path, "one") as cache:
        keys = [f"{number}-{n}".encode() for number in range(4) for n in range(200)]
        assert len(cache.find(keys)) == 800
