# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: values found again, shared by processes, bounded, and never in the way."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies

import patchgen
from patchgen import cachefile
from patchgen.cachefile import Cache, cache_path, open_seal, pack, seal, unpack
from patchgen.model.build import Build, BuildFailure, BuiltObject


def note_of(path: Path) -> str:
    with Cache(path, "words") as cache:
        assert cache.is_open == (not cache.note)
        return cache.note


def test_what_is_stored_is_found_again_and_only_in_its_namespace(tmp_path):
    path = tmp_path / "deep/er/cache.sqlite"
    with Cache(path, "one") as cache:
        assert cache.is_open and cache.note == ""
        assert cache.find([b"a"]) == {}
        cache.store([(b"a", b""), (b"b", b"result")])
        assert cache.find([b"a", b"b", b"c"]) == {b"a": b"", b"b": b"result"}
    with Cache(path, "one") as cache:
        assert cache.find([b"a", b"b", b"c"]) == {b"a": b"", b"b": b"result"}
        cache.store([(b"a", b"other")])
        assert cache.find([b"a"]) == {b"a": b"other"}
    with Cache(path, "two") as cache:
        assert cache.find([b"a", b"b"]) == {}


@pytest.mark.parametrize("column", ["namespace", "key"])
def test_a_row_that_was_moved_to_another_key_or_namespace_is_not_found(tmp_path, column):
    path = tmp_path / "cache.sqlite"
    with Cache(path, "one") as cache:
        cache.store([(b"a", b"value")])
    with sqlite3.connect(path) as database:
        [(before,)] = database.execute(f"SELECT {column} FROM cached")
    with Cache(path, "two") as cache:
        cache.store([(b"b", b"other")])
    with sqlite3.connect(path) as database:
        query = f"SELECT {column} FROM cached WHERE {column} != ?"
        [(after,)] = database.execute(query, [before])
        database.execute("DELETE FROM cached WHERE key = ?", [b"b"])
        database.execute(f"UPDATE cached SET {column} = ?", [after])
    database.close()
    for namespace in ("one", "two"):
        with Cache(path, namespace) as cache:
            assert cache.find([b"a", b"b"]) == {} and cache.note == ""


def test_a_value_of_another_type_is_treated_as_absent(tmp_path):
    build = Build(
        {"a.o": BuiltObject(("warning",), {"f": "12"})},
        failure=BuildFailure("text", log=Path("log")),
    )
    with Cache(tmp_path / "cache.sqlite", "one") as cache:
        cache.store_one(b"a", build)
        assert cache.find_one(Build, b"a") == build
        assert cache.find_one(Build, b"b") is None
        assert cache.find_one(BuildFailure, b"a") is None
        cache.store_one(b"c", BuildFailure("\udcff", log=Path()))
        assert cache.find_one(BuildFailure, b"c") is None
    assert unpack(dict[str, int], pack({"a": 1})) == {"a": 1}
    assert unpack(dict[str, int], b"not compressed") is None


def test_a_damaged_file_is_replaced_and_reported(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"no database at all, and longer than a header is" * 9)
    with Cache(path, "words") as cache:
        assert cache.is_open and "damaged" in cache.note and str(path) in cache.note
        cache.store([(b"a", b"")])
        assert cache.find([b"a"]) == {b"a": b""}
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


def test_without_a_folder_nothing_is_cached(tmp_path):
    (tmp_path / "file").write_text("")
    with Cache(tmp_path / "file" / "cache.sqlite", "words") as cache:
        assert cache.note.startswith("results are not cached: ") and not cache.is_open
        cache.store([(b"a", b"")])
        assert cache.find([b"a"]) == {}


def test_without_a_file_values_are_not_even_computed():
    def compute():
        raise AssertionError
        yield b"key", b"value"

    with Cache(None, "x") as cache:
        cache.store(compute())
        assert cache.find([b"key"]) == {}


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
    with Cache(path, "words") as cache:
        cache.store([(b"a", b"poison")])
    (tmp_path / name).chmod(0o777)
    with Cache(path, "words") as cache:
        assert cache.find([b"a"]) == {}
        assert f"{tmp_path / name} can be written by other users" in cache.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("name", ["patchgen", "patchgen/audit", "patchgen/audit/words.sqlite"])
def test_a_cache_of_another_user_is_not_read(tmp_path, name):
    path = tmp_path / "patchgen/audit/words.sqlite"
    with Cache(path, "words") as cache:
        cache.store([(b"a", b"poison")])
    os.chown(tmp_path / name, 12345, 12345)
    with Cache(path, "words") as cache:
        assert cache.find([b"a"]) == {}
        assert f"{tmp_path / name} belongs to another user" in cache.note


@pytest.mark.parametrize("name", ["patchgen", "patchgen/audit/words.sqlite"])
def test_a_symbolic_link_is_not_followed(tmp_path, name):
    path = tmp_path / "patchgen/audit/words.sqlite"
    assert note_of(path) == ""
    (tmp_path / name).rename(tmp_path / "elsewhere")
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    assert f"{tmp_path / name} is not a " in note_of(path)


def test_drops_the_namespaces_that_were_not_used_for_longest(tmp_path, monkeypatch):
    path = tmp_path / "cache.sqlite"
    keys = [b"%d" % number for number in range(150)]

    def use(namespace: str, *, write: bool = False) -> int:
        """Return how many values are there, before any is written."""
        with Cache(path, namespace) as cache:
            found = len(cache.find(keys))
            if write:
                cache.store([(key, bytes(1000)) for key in keys])
        return found

    # A value takes a page of its own, so that each namespace takes 730 kB or so.
    monkeypatch.setattr(cachefile, "LIMIT", 2_600_000)
    for namespace in ("first", "second", "third"):
        use(namespace, write=True)
    assert use("first") == 150
    use("fourth", write=True)
    assert path.stat().st_size > 2_600_000
    assert use("fifth") == 0
    used = {name: use(name) for name in ("first", "second", "third", "fourth")}
    assert used == {"first": 150, "second": 0, "third": 0, "fourth": 150}
    assert path.stat().st_size < 1_950_000
    # The namespace that is being used goes last, even if it was not used for longest.
    monkeypatch.setattr(cachefile, "LIMIT", 1_200_000)
    assert use("first") == 150 and use("fourth") == 0
    # One that is too large by itself is emptied.
    monkeypatch.setattr(cachefile, "LIMIT", 500_000)
    assert use("first") == 0
    assert path.stat().st_size < 500_000


def test_what_is_stored_in_a_namespace_that_was_dropped_meanwhile_is_bounded(tmp_path, monkeypatch):
    path = tmp_path / "cache.sqlite"
    with Cache(path, "first") as cache:
        cache.store([(b"%d" % number, bytes(1000)) for number in range(150)])
        monkeypatch.setattr(cachefile, "LIMIT", 500_000)
        with Cache(path, "second") as other:
            assert other.note == ""
        assert cache.find([b"0"]) == {}
        cache.store([(b"%d" % number, bytes(1000)) for number in range(150)])
        assert cache.find([b"0"]) == {b"0": bytes(1000)}
    assert note_of(path) == ""
    assert path.stat().st_size < 500_000


WRITER = """
import sys
from pathlib import Path
from patchgen.cachefile import Cache
with Cache(Path(sys.argv[1]), "one") as cache:
    for n in range(200):
        cache.store([(f"{sys.argv[2]}-{n}".encode(), b"x")])
    assert not cache.note, cache.note
"""


def test_several_processes_write_at_once(tmp_path):
    path = tmp_path / "cache.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    with Cache(path, "one") as cache:
        keys = [f"{number}-{n}".encode() for number in range(4) for n in range(200)]
        assert len(cache.find(keys)) == 800


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
