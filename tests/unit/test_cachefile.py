"""A cache that may be lost: opened, replaced where it is damaged, and done without."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from patchgen.cachefile import cache_path, open_cache

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT);"


def test_what_is_written_is_there_again(tmp_path):
    path = tmp_path / "deep/er/words.sqlite"
    for count in (1, 2):
        connection, note = open_cache(path, SCHEMA)
        assert connection is not None and note == ""
        with connection:
            connection.execute("INSERT INTO words VALUES ('a')")
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (count,)
        connection.close()


def test_a_damaged_file_is_replaced_and_that_is_said(tmp_path):
    path = tmp_path / "words.sqlite"
    path.write_bytes(b"no database at all, and longer than a header is" * 9)
    connection, note = open_cache(path, SCHEMA)
    assert connection is not None and "were lost" in note and str(path) in note
    connection.close()


def test_a_file_that_others_have_locked_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "words.sqlite"
    connection, _ = open_cache(path, SCHEMA)
    assert connection is not None
    connection.close()
    monkeypatch.setattr("patchgen.cachefile._BUSY_S", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    before = path.read_bytes()
    assert open_cache(path, SCHEMA) == (None, f"results are not kept: {path}: database is locked")
    assert path.read_bytes() == before
    other.close()


def test_it_is_done_without_where_there_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    connection, note = open_cache(tmp_path / "file" / "words.sqlite", SCHEMA)
    assert connection is None and note.startswith("results are not kept: ")


def test_the_folder_is_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_path("a/b") == tmp_path / "patchgen/a/b"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_path("a") == Path.home() / ".cache/patchgen/a"
