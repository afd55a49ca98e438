# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: results of earlier work, in one SQLite file in the user's cache folder.

The file is `~/.cache/patchgen/cache.sqlite`, or below $XDG_CACHE_HOME. A *namespace* names all that
its values depend on except their keys: a semantic patch, options, versions, patchgen's own code. A
row of `cached` is one value; `namespaces` has the time of each namespace's last use. Above LIMIT,
the namespaces that have not been used for longest are dropped.

Nothing depends on the cache. patchgen works without a file that it cannot open, and deletes and
rebuilds a damaged one. SQLite's own locks let several processes share it.

Only a file of the user is read, in folders of the user that nobody else can write to: results that
another user wrote would decide what patchgen reports. Each value is sealed: a digest covers the
value, its namespace and its key. A damaged or misplaced value is treated as absent. No value is
code, and none is a pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from patchgen.userfolder import user_folder

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")
LIMIT = 1 << 30
# A writer holds the lock for one transaction.
_BUSY_S = 60
_FOLDER = "patchgen"
_SEAL_BYTES = 16
# SQLite allows 32766 parameters in a statement (limits.html); each key is one.
_AT_ONCE = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS namespaces (id INTEGER PRIMARY KEY, used INTEGER);
CREATE TABLE IF NOT EXISTS cached (
    namespace INTEGER, key BLOB, value BLOB, PRIMARY KEY (namespace, key)
) WITHOUT ROWID;
"""
_USE = """
INSERT INTO namespaces VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET used = excluded.used
"""
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


def cache_file() -> Path:
    """Return the path of the cache, whether it exists or not."""
    return cache_path("cache.sqlite")


def make_key(*parts: object) -> bytes:
    """Return a digest of values that JSON can represent, as the key of what depends on them."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()


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


def pack(value: object) -> bytes:
    """Return a value as compressed JSON, in pydantic's form for its type.

    Raises ValueError for text that UTF-8 cannot represent.
    """
    return zlib.compress(_adapter(cast(Any, type(value))).dump_json(value), 1)


def unpack(kind: type[_T], packed: bytes) -> _T | None:
    """Return the value of this type that `pack` was given, None if it is of another type."""
    try:
        value: _T = _adapter(cast(Any, kind)).validate_json(zlib.decompress(packed))
    except (ValueError, zlib.error):
        return None
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # The import takes longer than a whole command that does not use it.
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


class Cache:
    """The cached values of one namespace. Use it in a `with`; each method is a transaction.

    If the file cannot be opened, nothing is found and nothing is stored. `note` is a warning for
    the user, "" if there is none. Without a path the cache is always empty.
    """

    def __init__(self, path: Path | None, namespace: str):
        self._path = path
        self._namespace = namespace
        digest = hashlib.blake2b(namespace.encode("utf-8", "surrogateescape"), digest_size=8)
        self._id = int.from_bytes(digest.digest(), signed=True)
        self._connection: sqlite3.Connection | None = None
        self.note = ""
        if path is not None:
            self._connection = self._open(path)
            self._write(_USE, [self._make_use()])
            self._shrink()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether values can be found and stored."""
        return self._connection is not None

    def close(self) -> None:
        """Close the file; nothing is found later."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def find(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the values that are cached under these keys."""
        values: dict[bytes, bytes] = {}
        remaining = iter(keys)
        while part := list(islice(remaining, _AT_ONCE)):
            placeholders = ",".join("?" * len(part))
            query = f"SELECT key, value FROM cached WHERE namespace = ? AND key IN ({placeholders})"
            for key, row in self._query(query, (self._id, *part)):
                value = open_seal(self._context(key), row)
                if value is not None:
                    values[key] = value
        return values

    def store(self, values: Iterable[tuple[bytes, bytes]]) -> None:
        """Cache values by their keys, and replace earlier ones."""
        rows = ((self._id, key, seal(self._context(key), value)) for key, value in values)
        if self.is_open and (first := next(rows, None)) is not None:
            # Another process may have dropped the namespace meanwhile.
            self._write(_USE, [self._make_use()])
            self._write("INSERT OR REPLACE INTO cached VALUES (?, ?, ?)", chain([first], rows))

    def find_one(self, kind: type[_T], key: bytes) -> _T | None:
        """Return the value of this type that `store_one` cached, None if there is none."""
        values = self.find([key])
        return unpack(kind, values[key]) if key in values else None

    def store_one(self, key: bytes, value: object) -> None:
        """Cache a value of any type that pydantic can dump, unless JSON cannot represent it."""
        try:
            self.store([(key, pack(value))])
        except ValueError:
            return

    def _context(self, key: bytes) -> str:
        return f"{self._namespace} {key.hex()}"

    def _make_use(self) -> tuple[int, int]:
        return self._id, time.time_ns()

    def _shrink(self) -> None:
        """Drop the least recently used namespaces if the file is above its limit, this one last."""
        size = self._size()
        if size <= LIMIT:
            return
        order = "SELECT id FROM namespaces ORDER BY id = ?, used"
        for (old,) in self._query(order, (self._id,)):
            if size <= (LIMIT if old == self._id else LIMIT * 3 // 4):
                break
            self._write("DELETE FROM cached WHERE namespace = ?", [(old,)])
            self._write("DELETE FROM namespaces WHERE id = ?", [(old,)])
            size = self._size()
        self._run(
            # execute() takes a single step of a statement without columns, which frees one page.
            lambda connection: connection.executescript("PRAGMA incremental_vacuum")
        )

    def _size(self) -> int:
        def pragma(name: str) -> int:
            return sum(int(value) for (value,) in self._query(f"PRAGMA {name}"))

        return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")

    def _query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._run(lambda file: file.execute(statement, values).fetchall()) or []

    def _write(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        def write(file: sqlite3.Connection) -> None:
            with file:
                file.executemany(statement, rows)

        self._run(write)

    def _run(self, use: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Return the result of using the file; if that fails, None, and never use it again."""
        if self._connection is None:
            return None
        try:
            return use(self._connection)
        except sqlite3.Error as err:
            self._give_up(err)
            return None

    def _open(self, path: Path) -> sqlite3.Connection | None:
        try:
            _make_folders(path)
            return _connect(path)
        except OSError as err:
            self.note = f"results are not cached: {err}"
        except sqlite3.Error as err:
            self._give_up(err)
            if not _is_damaged(err):
                return None
            try:
                return _connect(path)
            except (OSError, sqlite3.Error) as again:
                self.note = f"results are not cached: {path}: {again}"
        return None

    def _give_up(self, err: sqlite3.Error) -> None:
        """Continue without the file; delete a damaged one, for the next run to make a new one."""
        self.close()
        self.note = f"results are not cached: {self._path}: {err}"
        if self._path is not None and _is_damaged(err):
            self.note = f"cached results were damaged and have been deleted: {self._path}: {err}"
            for suffix in ("", "-wal", "-shm", "-journal"):
                try:
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                except OSError as failure:
                    self.note = f"results are not cached: {failure}"


def _is_damaged(err: sqlite3.Error) -> bool:
    # The low byte is the primary code. An error about undecodable text has no code.
    return getattr(err, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _NOT_DAMAGED


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
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


def _check_owner(path: Path, status: os.stat_result, is_kind: Any) -> None:
    if not is_kind(status.st_mode):
        what = "directory" if is_kind is stat.S_ISDIR else "regular file"
        raise PermissionError(f"{path} is not a {what}; delete it")
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user; delete it, or set XDG_CACHE_HOME")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"{path} can be written by other users; delete it, or run chmod go-w {path}"
        )
