# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in the user's cache folder: their paths, and the checks on their owner and content.

Nothing depends on the cache. patchgen works without a database that it cannot open, and deletes
and rebuilds a damaged one. SQLite's own locks let several processes share it.

Only files of the user are read, in folders of the user that nobody else can write to: results that
another user wrote would decide what patchgen reports. Each stored value is sealed: a digest covers
the value and its context (its key, and what produced it). A damaged or misplaced value is treated
as absent. No stored value is code, and none is a pickle.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from patchgen.errors import PatchgenError
from patchgen.scratch import owned_folder
from patchgen.userfolder import user_folder

# A writer holds the lock for as long as one transaction takes.
_BUSY_S = 60
_FOLDER = "patchgen"
_SEAL_BYTES = 16
# SQLite result codes (rescode.html) that do not mean a damaged file: a lock that is never released,
# a full or read-only disk, no permission. Other processes may need the file.
_NOT_DAMAGED = frozenset(
    (
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )
)


def cache_path(name: str) -> Path:
    """Return the path of a file or folder in patchgen's cache (XDG Base Directory Specification).

    Raises PatchgenError if neither the environment nor the system's user list names a home.
    """
    return user_folder("XDG_CACHE_HOME", ".cache") / _FOLDER / name


def seal(context: str, content: bytes) -> bytes:
    """Return content with a digest of the content and its context in front."""
    return _digest(context, content) + content


def open_seal(context: str, row: object) -> bytes | None:
    """Return the content that was sealed for this context, None for any other row."""
    if not isinstance(row, bytes):
        return None
    content = row[_SEAL_BYTES:]
    return content if row[:_SEAL_BYTES] == _digest(context, content) else None


def _digest(context: str, content: bytes) -> bytes:
    named = context.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(b"%d:%b" % (len(named), named), digest_size=_SEAL_BYTES)
    digest.update(content)
    return digest.digest()


def read_cached(path: Path, context: str) -> bytes | None:
    """Return the content of a sealed file of the user, None if it is missing or unusable."""
    try:
        _check_folders(path)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(path, flags), "rb") as file:
            _check_owner(path, os.fstat(file.fileno()), stat.S_ISREG)
            return open_seal(context, file.read())
    except OSError:
        return None


def write_cached(path: Path, context: str, content: bytes) -> None:
    """Write a sealed file. If that fails, nothing is cached."""
    try:
        _make_folders(path)
        with owned_folder(path.parent, ".new-") as staged:
            file = staged.path / path.name
            file.write_bytes(seal(context, content))
            file.rename(path)
    except (OSError, PatchgenError):
        return


class CacheDatabase:
    """An SQLite database of cached values, created by the statements of `schema`.

    If it cannot be opened, queries return nothing and writes are dropped. `note` is a warning for
    the user, "" if there is none. Without a path the database is always empty. Use it in a `with`.
    """

    def __init__(self, path: Path | None, schema: str):
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.note = ""
        if path is not None:
            self._connection = self._open(path, schema)

    def __enter__(self) -> CacheDatabase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether queries and writes reach a database."""
        return self._connection is not None

    def close(self) -> None:
        """Close the file; later queries return nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a SELECT finds; none if the database cannot be read."""
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as err:
            self._give_up(err)
            return []

    def write(self, statement: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a statement for each row, in one transaction; return how many rows changed."""
        if self._connection is None:
            return 0
        try:
            with self._connection:
                return self._connection.executemany(statement, rows).rowcount
        except sqlite3.Error as err:
            self._give_up(err)
            return 0

    def give_back(self) -> None:
        """Shrink the file by its deleted pages."""
        if self._connection is None:
            return
        try:
            # execute() takes a single step of a statement without columns, which frees one page.
            self._connection.executescript("PRAGMA incremental_vacuum")
        except sqlite3.Error as err:
            self._give_up(err)

    def _open(self, path: Path, schema: str) -> sqlite3.Connection | None:
        try:
            _make_folders(path)
            return _connect(path, schema)
        except OSError as err:
            self.note = f"results are not cached: {err}"
        except sqlite3.Error as err:
            self._give_up(err)
            if not _is_damaged(err):
                return None
            try:
                return _connect(path, schema)
            except (OSError, sqlite3.Error) as again:
                self.note = f"results are not cached: {path}: {again}"
        return None

    def _give_up(self, err: sqlite3.Error) -> None:
        """Continue without the file. Delete a damaged one, so that the next run creates it anew."""
        self.close()
        self.note = f"results are not cached: {self._path}: {err}"
        if self._path is not None and _is_damaged(err):
            self.note = f"cached results were damaged and have been deleted: {self._path}: {err}"
            for suffix in ("", "-wal", "-shm", "-journal"):
                try:
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                except OSError as left:
                    self.note = f"results are not cached: {left}"


def _is_damaged(err: sqlite3.Error) -> bool:
    # The low byte is the primary code. An error about undecodable text has no code.
    return getattr(err, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _NOT_DAMAGED


def _connect(path: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


# --- ownership -------------------------------------------------------------------------------


def _private_folders(path: Path) -> list[Path]:
    """Return patchgen's own folders on the way to a file, the outermost first."""
    folders: list[Path] = []
    for folder in path.parents:
        folders.insert(0, folder)
        if folder.name == _FOLDER:
            return folders
    return [path.parent]


def _make_folders(path: Path) -> None:
    """Make the missing folders of a file, and check the others. Raises OSError."""
    folders = _private_folders(path)
    folders[0].parent.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        # Independent of the umask: the next run would refuse a folder that a group may write to.
        folder.mkdir(mode=0o700, exist_ok=True)
    _check_folders(path)
    if path.is_symlink() or path.exists():
        _check_owner(path, path.lstat(), stat.S_ISREG)


def _check_folders(path: Path) -> None:
    for folder in _private_folders(path):
        _check_owner(folder, folder.lstat(), stat.S_ISDIR)


def _check_owner(path: Path, found: os.stat_result, is_kind: Any) -> None:
    if not is_kind(found.st_mode):
        what = "directory" if is_kind is stat.S_ISDIR else "regular file"
        raise PermissionError(f"{path} is not a {what}; delete it")
    if found.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user; delete it, or set XDG_CACHE_HOME")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"{path} can be written by other users; delete it, or run chmod go-w {path}"
        )
