# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of earlier runs, by content: what was run once over a blob is not run again.

One SQLite file, `~/.cache/patchgen/sweep.sqlite` or below $XDG_CACHE_HOME. A *run* is everything
that a result depends on except the file: semantic patch, options, versions, patchgen's own code;
its digest is its name. For each key (a blob's id, or a digest of it and of the headers that it
sees) there is a row with its result, which is empty if nothing matched. A *fact* is other
information about a run, stored by name: the words that it needs, the files of a tree that have
results. Each result and fact is sealed (patchgen.cachefile) for its run and key, so that a damaged
row is treated as absent.

Several processes may use the file at once. Deleting it costs only time. It is created anew if it
cannot be read. Above LIMIT, the least recently used runs are dropped.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from patchgen.cachefile import CacheDatabase, open_seal, seal

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
# SQLite allows 32766 parameters in a statement (limits.html); each key is one.
_AT_ONCE = 20_000


class ResultCache:
    """The cached results of one run. Use in a `with`; each method is a transaction.

    Without a path nothing is cached. `note` is a warning about the file, "" if there is none.
    """

    def __init__(self, path: Path | None, digest: str):
        self._path = path
        self._digest = digest
        self._database = CacheDatabase(None, _SCHEMA)
        self._run = 0

    def __enter__(self) -> ResultCache:
        self._database = CacheDatabase(self._path, _SCHEMA)
        self._begin_run()
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @property
    def note(self) -> str:
        """A warning for the user about the file."""
        return self._database.note

    @property
    def is_open(self) -> bool:
        """Whether results can be found or cached."""
        return self._database.is_open

    def find(self, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """Return the cached results of these keys; None if nothing matched."""
        known: dict[bytes, bytes | None] = {}
        for at in range(0, len(keys), _AT_ONCE):
            part = keys[at : at + _AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, result FROM results WHERE run = ? AND key IN ({marks})"
            for key, row in self._database.query(query, (self._run, *part)):
                result = open_seal(self._context("result", key), row)
                if result is not None:
                    known[key] = result or None
        return known

    def store(self, results: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Cache results by their keys; None if nothing matched."""
        rows = [
            (self._run, key, seal(self._context("result", key), result or b""))
            for key, result in results
        ]
        if rows:
            self._database.write("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)

    def find_fact(self, name: bytes) -> bytes | None:
        """Return a cached fact, or None."""
        query = "SELECT fact FROM facts WHERE run = ? AND name = ?"
        for (row,) in self._database.query(query, (self._run, name)):
            return open_seal(self._context("fact", name), row)
        return None

    def store_fact(self, name: bytes, fact: bytes) -> None:
        """Cache a fact, replacing an earlier one."""
        row = (self._run, name, seal(self._context("fact", name), fact))
        self._database.write("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", [row])

    def _context(self, kind: str, key: bytes) -> str:
        return f"{self._digest} {kind} {key.hex()}"

    def _begin_run(self) -> None:
        """Record that the run is used, and make room."""
        self._database.write(
            "INSERT INTO runs (digest, used) VALUES (?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET used = excluded.used",
            [(self._digest, time.time_ns())],
        )
        query = "SELECT id FROM runs WHERE digest = ?"
        for (run,) in self._database.query(query, (self._digest,)):
            self._run = run
        _shrink(self._database, self._run)


def _shrink(database: CacheDatabase, run: int) -> None:
    """Drop the least recently used runs while the file is above its limit."""

    def pragma(name: str) -> int:
        return sum(int(value) for (value,) in database.query(f"PRAGMA {name}"))

    def used() -> int:
        return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")

    if used() <= LIMIT:
        return
    for old in database.query("SELECT id FROM runs WHERE id != ? ORDER BY used", (run,)):
        database.write("DELETE FROM results WHERE run = ?", [old])
        database.write("DELETE FROM facts WHERE run = ?", [old])
        database.write("DELETE FROM runs WHERE id = ?", [old])
        if used() <= LIMIT * 3 // 4:
            break
    database.give_back()
