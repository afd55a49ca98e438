"""Files in the user's cache folder: where they lie, and SQLite databases that may be lost.

Nothing depends on what a cache holds: a database that cannot be opened is done without, and one
that is damaged is replaced. SQLite's own locks let several processes share it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

# A writer holds the lock for as long as one transaction takes.
_BUSY_S = 60


def cache_path(name: str) -> Path:
    """Return the path of a file or folder of ours (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "patchgen" / name


def open_cache(path: Path, schema: str) -> tuple[sqlite3.Connection | None, str]:
    """Open a database, made by the statements of `schema` where there is none.

    Returns the connection, or None where it cannot be had, and what there is to say of it: "" for
    nothing.
    """
    try:
        return _open(path, schema), ""
    except OSError as err:
        return None, f"results are not kept: {err}"
    except sqlite3.OperationalError as err:
        # A full or read-only disk, or a lock that does not go away: others may need the file.
        return None, f"results are not kept: {path}: {err}"
    except sqlite3.DatabaseError as err:
        return _start_anew(path, schema, err)


def _start_anew(
    path: Path, schema: str, err: sqlite3.DatabaseError
) -> tuple[sqlite3.Connection | None, str]:
    """Replace a file that is no database, or is damaged."""
    try:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _open(path, schema), f"kept results were lost: {path}: {err}"
    except (OSError, sqlite3.DatabaseError) as again:
        return None, f"results are not kept: {path}: {again}"


def _open(path: Path, schema: str) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_S)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection
