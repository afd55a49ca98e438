"""What was read from files and trees before: one SQLite file that may be deleted at any time.

`patchgen/audit/facts.sqlite` in the cache folder (XDG Base Directory Specification). Table `kept`:
`key` names what a value follows from (the blob and the version of the parser; or a tree, a .config
and the tables), `value` is compressed, `used` the day of the last use. SQLite's own locks let
several processes share it; a value that cannot be read or kept is made again, without a word.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

_DAY_S = 86400
# About five kernels' worth; what was not used for longest goes first.
_BOUND_BYTES = 400 << 20
_BUSY_S = 10.0


def cache_file() -> Path:
    """Return where the file is, or would be."""
    home = os.environ.get("XDG_CACHE_HOME")
    folder = Path(home) if home else Path.home() / ".cache"
    return folder / "patchgen" / "audit" / "facts.sqlite"


class FactsCache:
    """The opened file; without a folder that can be written, a cache that forgets."""

    def __init__(self, path: Path):
        self._path = path
        self._database = self._open()

    def __enter__(self) -> FactsCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return self._prepare(str(self._path))
        except sqlite3.DatabaseError:
            # No database, or a broken one: what it kept can be made again.
            self._path.unlink(missing_ok=True)
            try:
                return self._prepare(str(self._path))
            except sqlite3.Error:
                return self._prepare(":memory:")
        except OSError:
            return self._prepare(":memory:")

    @staticmethod
    def _prepare(name: str) -> sqlite3.Connection:
        database = sqlite3.connect(name, timeout=_BUSY_S, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.execute(
            "CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB, used INTEGER)"
        )
        return database

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values that are kept under these keys."""
        found: dict[str, bytes] = {}
        today = int(time.time() // _DAY_S)
        try:
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                found.update(
                    self._database.execute(
                        f"SELECT key, value FROM kept WHERE key IN ({marks})", part
                    )
                )
                self._database.execute(
                    f"UPDATE kept SET used = ? WHERE used < ? AND key IN ({marks})",
                    [today, today, *part],
                )
        except sqlite3.Error:
            return found
        return found

    def keep(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Keep values, and drop the oldest where there are too many."""
        today = int(time.time() // _DAY_S)
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)",
                ((key, value, today) for key, value in values),
            )
            self._shrink()
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _shrink(self) -> None:
        (size,) = self._database.execute(
            "SELECT coalesce(sum(length(value)), 0) FROM kept"
        ).fetchone()
        while size > _BOUND_BYTES:
            (oldest,) = self._database.execute("SELECT min(used) FROM kept").fetchone()
            self._database.execute(
                "DELETE FROM kept WHERE rowid IN "
                "(SELECT rowid FROM kept WHERE used = ? LIMIT 2000)",
                [oldest],
            )
            (size,) = self._database.execute(
                "SELECT coalesce(sum(length(value)), 0) FROM kept"
            ).fetchone()
