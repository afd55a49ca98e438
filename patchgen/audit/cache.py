"""What was read from files and trees before: one SQLite file that may be deleted at any time.

Table `kept` of `audit/facts.sqlite`: `key` names what a value follows from (the blob and the
version of the parser; or a tree, a .config and the tables), `value` is compressed, `used` the day
of the last use. A value that cannot be found or kept is made again, without a word.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from patchgen.cachefile import cache_path, open_cache

_DAY_S = 86400
# About five kernels' worth; what was not used for longest goes first.
_BOUND_BYTES = 400 << 20
_AT_ONCE = 500
_SCHEMA = "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB, used INTEGER);"


def cache_file() -> Path:
    """Return where the file is, or would be."""
    return cache_path("audit/facts.sqlite")


class FactsCache:
    """The opened file; where it cannot be had, a cache that forgets. Use in a `with`."""

    def __init__(self, path: Path):
        self._database, _ = open_cache(path, _SCHEMA)

    def __enter__(self) -> FactsCache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values that are kept under these keys."""
        found: dict[str, bytes] = {}
        database, today = self._database, int(time.time() // _DAY_S)
        if database is None:
            return found
        try:
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                among = f"key IN ({','.join('?' * len(part))})"
                found.update(database.execute(f"SELECT key, value FROM kept WHERE {among}", part))
                with database:
                    old = f"UPDATE kept SET used = ? WHERE used < ? AND {among}"
                    database.execute(old, [today, today, *part])
        except sqlite3.Error:
            return found
        return found

    def keep(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Keep values, and drop the oldest where there are too many."""
        today = int(time.time() // _DAY_S)
        if self._database is None:
            return
        try:
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)",
                    ((key, value, today) for key, value in values),
                )
                _shrink(self._database)
        except sqlite3.Error:
            return


def _shrink(database: sqlite3.Connection) -> None:
    def size() -> int:
        query = "SELECT coalesce(sum(length(value)), 0) FROM kept"
        return int(database.execute(query).fetchone()[0])

    while size() > _BOUND_BYTES:
        database.execute(
            "DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept ORDER BY used LIMIT 2000)"
        )
