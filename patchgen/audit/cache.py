# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache of files' facts and of audits: one SQLite file that may be deleted at any time.

Table `cached` of `audit/facts.sqlite`: `key` names the input of a value (the blob; or a tree, a
.config and the tables), `value` is sealed (patchgen.cachefile) for its key and patchgen's code,
`used` is the day of the last use. A value that is damaged or of other code is treated as absent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from patchgen.cachefile import CacheDatabase, cache_path, open_seal, seal
from patchgen.resources import digest_code

_DAY_S = 86400
# About five kernels; the least recently used values are dropped first.
_BOUND_BYTES = 400 << 20
_AT_ONCE = 500
_SCHEMA = "CREATE TABLE IF NOT EXISTS cached (key TEXT PRIMARY KEY, value BLOB, used INTEGER);"


def cache_file() -> Path:
    """Return the path of the file, whether it exists or not."""
    return cache_path("audit/facts.sqlite")


class FactsCache(CacheDatabase):
    """The opened file; an empty cache if it cannot be opened. Use in a `with`."""

    def __init__(self, path: Path | None):
        super().__init__(path, _SCHEMA)

    def __enter__(self) -> FactsCache:
        return self

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values that are cached under these keys."""
        found: dict[str, bytes] = {}
        today = int(time.time() // _DAY_S)
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            among = f"key IN ({','.join('?' * len(part))})"
            for key, row in self.query(f"SELECT key, value FROM cached WHERE {among}", part):
                value = open_seal(_context(key), row)
                if value is not None:
                    found[key] = value
            old = f"UPDATE cached SET used = ? WHERE used < ? AND {among}"
            self.write(old, [[today, today, *part]])
        return found

    def keep(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Cache values, and drop the least recently used if they take too much space."""
        today = int(time.time() // _DAY_S)
        self.write(
            "INSERT OR REPLACE INTO cached VALUES (?, ?, ?)",
            ((key, seal(_context(key), value), today) for key, value in values),
        )
        size = "SELECT coalesce(sum(length(value)), 0) FROM cached"
        few = "SELECT rowid FROM cached ORDER BY used LIMIT ?"
        while any(bytes_used > _BOUND_BYTES for (bytes_used,) in self.query(size)):
            if self.write(f"DELETE FROM cached WHERE rowid IN ({few})", [[2000]]) < 1:
                return


def _context(key: str) -> str:
    return f"{digest_code()} {key}"
