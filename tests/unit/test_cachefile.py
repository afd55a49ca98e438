# SPDX-License-Identifier: GPL-2.0-or-later
"""A cache that may be lost: opened, replaced where it is damaged, and done without."""

from __future__ import annotations

import ast
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, strategies

import patchgen
from patchgen.cachefile import (
    CacheDatabase,
    cache_path,
    open_seal,
    read_cached,
    seal,
    write_cached,
)

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT);"


def note_of(path: Path) -> str:
    with CacheDatabase(path, SCHEMA) as database:
        assert database.is_open == (not database.note)
        return database.note


def test_what_is_written_is_there_again(tmp_path):
    path = tmp_path / "deep/er/words.sqlite"
    for count in (1, 2):
        with CacheDatabase(path, SCHEMA) as database:
            assert database.is_open and database.note == ""
            assert database.write("INSERT INTO words VALUES (?)", [["a"]]) == 1
            assert database.query("SELECT count(*) FROM words") == [(count,)]


def test_a_damaged_file_is_replaced_and_reported(tmp_path):
    path = tmp_path / "words.sqlite"
    path.write_bytes(b"no database at all, and longer than a header is" * 9)
    with CacheDatabase(path, SCHEMA) as database:
        assert database.is_open and "damaged" in database.note and str(path) in database.note
    assert note_of(path) == ""


def test_a_file_that_others_have_locked_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "words.sqlite"
    assert note_of(path) == ""
    monkeypatch.setattr("patchgen.cachefile._BUSY_S", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    before = path.read_bytes()
    assert note_of(path) == f"results are not cached: {path}: database is locked"
    assert path.read_bytes() == before
    other.close()


def test_it_is_done_without_where_there_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    assert note_of(tmp_path / "file" / "words.sqlite").startswith("results are not cached: ")


def test_the_folder_is_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_path("a/b") == tmp_path / "patchgen/a/b"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_path("a") == Path.home() / ".cache/patchgen/a"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_path("a") == Path.home() / ".cache/patchgen/a"


def test_the_folders_are_writable_by_the_user_only_whatever_the_umask(tmp_path):
    path = tmp_path / "patchgen/audit/words.sqlite"
    before = os.umask(0)
    try:
        assert note_of(path) == ""
    finally:
        os.umask(before)
    assert note_of(path) == ""
    assert [each.stat().st_mode & 0o777 for each in (path.parent, path.parent.parent)] == [
        0o700
    ] * 2


@pytest.mark.parametrize("name", ["patchgen", "patchgen/audit", "patchgen/audit/words.sqlite"])
def test_a_cache_that_others_can_write_is_not_read(tmp_path, name):
    path = tmp_path / "patchgen/audit/words.sqlite"
    with CacheDatabase(path, SCHEMA) as database:
        database.write("INSERT INTO words VALUES (?)", [["poison"]])
    (tmp_path / name).chmod(0o777)
    with CacheDatabase(path, SCHEMA) as database:
        assert database.query("SELECT * FROM words") == []
        assert f"{tmp_path / name} can be written by other users" in database.note
    write_cached(path.with_name("x.json"), "x", b"text")
    if name.endswith("sqlite"):
        path.with_name("x.json").chmod(0o606)
    assert read_cached(path.with_name("x.json"), "x") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("name", ["patchgen", "patchgen/audit", "patchgen/audit/words.sqlite"])
def test_a_cache_of_another_user_is_not_read(tmp_path, name):
    path = tmp_path / "patchgen/audit/words.sqlite"
    with CacheDatabase(path, SCHEMA) as database:
        database.write("INSERT INTO words VALUES (?)", [["poison"]])
    os.chown(tmp_path / name, 12345, 12345)
    with CacheDatabase(path, SCHEMA) as database:
        assert database.query("SELECT * FROM words") == []
        assert f"{tmp_path / name} belongs to another user" in database.note


@pytest.mark.parametrize("name", ["patchgen", "patchgen/audit/words.sqlite"])
def test_a_symbolic_link_is_not_followed(tmp_path, name):
    path = tmp_path / "patchgen/audit/words.sqlite"
    assert note_of(path) == ""
    (tmp_path / name).rename(tmp_path / "elsewhere")
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    assert f"{tmp_path / name} is not a " in note_of(path)


def test_a_file_that_is_read_whole_is_found_again_and_only_under_its_name(tmp_path):
    path = tmp_path / "patchgen/verify/a.json"
    write_cached(path, "a", b"text")
    assert read_cached(path, "a") == b"text"
    assert read_cached(path, "b") is None and read_cached(path.with_name("b"), "b") is None
    assert [each.name for each in path.parent.iterdir()] == ["a.json"]


@given(strategies.binary(max_size=40), strategies.data())
def test_content_that_was_damaged_anywhere_does_not_open(content, data):
    sealed = seal("context", content)
    assert open_seal("context", sealed) == content
    at = data.draw(strategies.integers(0, len(sealed) - 1))
    flip = data.draw(strategies.integers(1, 255))
    damaged = sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :]
    assert open_seal("context", damaged) is None
    assert open_seal("context", sealed[:at]) is None
    assert open_seal("contex", sealed) is None and open_seal("context", "text") is None


def test_no_module_can_read_stored_code():
    banned = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    for path in Path(patchgen.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert banned.isdisjoint(name.partition(".")[0] for name in names), path
