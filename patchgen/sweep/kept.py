"""Results of earlier runs, by content: what was run once over a blob is not run again.

One SQLite file, `~/.cache/patchgen/sweep.sqlite` or below $XDG_CACHE_HOME. A *run* is all that a
result depends on but the file: semantic patch, options, versions; its digest names it. For each
key (a blob's id, or a digest of it and of the headers that it sees) there is a row: its result, or
NULL where nothing matched. A *fact* is what else is known of a run, by a name: the words that it
needs, the files that have results in a tree. Each result and fact ends with its CRC-32, so that one
that was damaged on the disk counts as not there.

Several processes may use it at once. Nothing but time is lost when it is deleted; it is made anew
when it cannot be read, and above LIMIT the runs that were not used for longest are dropped.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from patchgen.cachefile import open_cache

LIMIT = 1 << 30
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, digest TEXT UNIQUE, used INTEGER);
CREATE TABLE IF NOT EXISTS results (
    run INTEGER, key BLOB, result BLOB, PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
    run INTEGER, name BLOB, fact BLOB, PRIMARY KEY (run, name)
) WITHOUT ROWID;
"""
# SQLite takes 32766 values in a statement (limits.html); each key is one.
_AT_ONCE = 20_000


class KeptResults:
    """The results of one run that are kept. Use in a `with`; each method is a transaction.

    Without a path nothing is known or kept. `note` says what went wrong, "" for nothing.
    """

    def __init__(self, path: Path | None, digest: str):
        self._path = path
        self._digest = digest
        self._connection: sqlite3.Connection | None = None
        self._run = 0
        self.note = ""

    def __enter__(self) -> KeptResults:
        if self._path is None:
            return self
        self._connection, self.note = open_cache(self._path, _SCHEMA)
        try:
            self._begin_run()
        except sqlite3.DatabaseError as err:
            self._give_up(err)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything to find, or to keep results in."""
        return self._connection is not None

    def find(self, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """Return the results that are known of these keys."""
        known: dict[bytes, bytes | None] = {}
        for at in range(0, len(keys) if self._connection else 0, _AT_ONCE):
            part = keys[at : at + _AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, result FROM results WHERE run = ? AND key IN ({marks})"
            for key, row in self._rows(query, part):
                result = None if row is None else _open_seal(row)
                if row is None or result is not None:
                    known[key] = result
        return known

    def keep(self, results: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Keep results by their keys; None where nothing matched."""
        if self._connection is None:
            return
        rows = [
            (self._run, key, None if result is None else _seal(result)) for key, result in results
        ]
        self._write("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)

    def find_fact(self, name: bytes) -> bytes | None:
        """Return a fact that was kept, or None."""
        found = self._rows("SELECT name, fact FROM facts WHERE run = ? AND name = ?", [name])
        return next((_open_seal(row) for _, row in found if row is not None), None)

    def keep_fact(self, name: bytes, fact: bytes) -> None:
        """Keep a fact, in the place of an earlier one."""
        self._write(
            "INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", [(self._run, name, _seal(fact))]
        )

    def _rows(self, query: str, keys: Sequence[bytes]) -> list[tuple[bytes, bytes | None]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(query, (self._run, *keys)).fetchall()
        except sqlite3.DatabaseError as err:
            self._give_up(err)
            return []

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._connection is None or not rows:
            return
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.DatabaseError as err:
            self._give_up(err)

    def _give_up(self, err: sqlite3.DatabaseError) -> None:
        self.note = f"results are not kept: {self._path}: {err}"
        self.__exit__()

    def _begin_run(self) -> None:
        """Note that the run is used, and make room."""
        connection = self._connection
        if connection is None:
            return
        with connection:
            connection.execute(
                "INSERT INTO runs (digest, used) VALUES (?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET used = excluded.used",
                (self._digest, time.time_ns()),
            )
        query = "SELECT id FROM runs WHERE digest = ?"
        (self._run,) = connection.execute(query, (self._digest,)).fetchone()
        _shrink(connection, self._run)


def _seal(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(4)


def _open_seal(row: bytes) -> bytes | None:
    """Return what was sealed, None where it is not that any more."""
    if not isinstance(row, bytes):
        return None
    content, seal = row[:-4], row[-4:]
    return content if zlib.crc32(content).to_bytes(4) == seal else None


def _shrink(connection: sqlite3.Connection, run: int) -> None:
    """Drop the runs that were not used for longest while the file is above its limit."""

    def used() -> int:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * size)

    if used() <= LIMIT:
        return
    query = "SELECT id FROM runs WHERE id != ? ORDER BY used"
    for (old,) in connection.execute(query, (run,)).fetchall():
        with connection:
            connection.execute("DELETE FROM results WHERE run = ?", (old,))
            connection.execute("DELETE FROM facts WHERE run = ?", (old,))
            connection.execute("DELETE FROM runs WHERE id = ?", (old,))
        if used() <= LIMIT * 3 // 4:
            break
    connection.execute("PRAGMA incremental_vacuum").fetchall()
