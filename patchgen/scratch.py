# SPDX-License-Identifier: GPL-2.0-or-later
"""Scratch folders of a run, and removal of those that killed runs left.

A run has one folder below $TMPDIR, `patchgen-run-PID-XXXXXXXX`, with mode 0700, which contains all
its scratch folders. Files that will be renamed into place are staged in a folder of the same kind
next to their target. The process that makes such a folder locks it with flock(2). The kernel
releases the lock when that process ends, in whatever way, so an unlocked folder is left over from a
killed run, and the next run removes it. A pid would not do: another process may have it by now. The
lock also keeps systemd-tmpfiles away from a run that takes weeks (tmpfiles.d(5), "Age"). Each
process has its own folder, so a worker on another machine needs nothing from this machine's.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.errors import ToolError

_PREFIX = "patchgen-run-"
# Another run that removes abandoned folders may remove a new one before it is locked.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class OwnedFolder:
    """A folder that its process has locked; `lock` is the open folder, -1 if it is not locked.

    File systems without flock(2) on folders (NFS) can be used all the same; folders that a killed
    run leaves there have to be removed by hand.
    """

    path: Path
    lock: int


@contextmanager
def owned_folder(parent: Path, prefix: str) -> Iterator[OwnedFolder]:
    """Yield a new, locked folder in `parent`, and remove it at the end of the block.

    Folders with this prefix that killed runs of the same user left in `parent` are removed first.
    A folder that the block renames stays. Raises OSError if no folder can be made.
    """
    remove_abandoned(parent, prefix)
    folder = _make(parent, prefix)
    try:
        yield folder
    finally:
        _discard(folder)


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Yield a new folder in the scratch folder of this run, and remove it at the end of the block.

    `name` is for people who look into $TMPDIR. Thread-safe. Raises ToolError if no folder can be
    made below $TMPDIR.
    """
    run = _enter_run()
    try:
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=run))
        except OSError as err:
            raise _cannot_write(err) from None
        try:
            yield folder
        finally:
            _remove_tree(folder)
    finally:
        _leave_run()


def scratch_locks() -> tuple[int, ...]:
    """Return the descriptor that locks this run's scratch folder, () if there is none.

    A program that reads a scratch folder and must finish even if patchgen is killed inherits the
    descriptor: the folder then stays until that program ends.
    """
    with _run.guard:
        return () if _run.folder is None or _run.folder.lock < 0 else (_run.folder.lock,)


def remove_abandoned_runs() -> None:
    """Remove what killed runs left below $TMPDIR, once per run.

    A run's first scratch folder does so, too; a command that is refused early makes none.
    """
    with _run.guard, suppress(OSError):
        if not _run.has_cleaned:
            _run.has_cleaned = True
            remove_abandoned(Path(tempfile.gettempdir()), _PREFIX)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders with a prefix that killed runs left in `parent`.

    Only folders of this user that no process has locked are removed, and links are not followed:
    anyone may create names in /tmp.
    """
    pattern = re.compile(re.escape(prefix) + r"[0-9]+-[a-z0-9_]{8}")
    try:
        candidates = sorted(path for path in parent.iterdir() if pattern.fullmatch(path.name))
    except OSError:
        return
    for path in candidates:
        # It is locked, or not a folder, or another run is removing it: not an error of this run.
        with suppress(OSError):
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # By descriptor, not by name: this is the folder that was checked.
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.name, ignore_errors=True, dir_fd=folder)
                else:
                    os.unlink(entry.name, dir_fd=folder)
        path.rmdir()
    finally:
        os.close(folder)


def _make(parent: Path, prefix: str) -> OwnedFolder:
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=parent))
        try:
            # Not inherited by other programs (PEP 446).
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(path.lstat(), os.fstat(lock)):
                return OwnedFolder(path, lock)
        except (BlockingIOError, FileNotFoundError):
            # Another run is removing it.
            os.close(lock)
            continue
        except OSError:
            os.close(lock)
            return OwnedFolder(path, -1)
        os.close(lock)
    raise FileExistsError(f"{parent}: new folders are removed at once")


def _discard(folder: OwnedFolder) -> None:
    """Remove a folder unless it was renamed, then release the lock."""
    try:
        _remove_tree(folder.path)
    finally:
        if folder.lock >= 0:
            os.close(folder.lock)


def _remove_tree(path: Path) -> None:
    """Remove a folder, even if another Ctrl-C arrives meanwhile."""
    try:
        shutil.rmtree(path, ignore_errors=True)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@dataclass(slots=True)
class _ScratchFolder:
    """The scratch folder of this process, while it is in use."""

    folder: OwnedFolder | None = None
    users: int = 0
    has_cleaned: bool = False
    guard: threading.RLock = field(default_factory=threading.RLock)


_run = _ScratchFolder()


def _enter_run() -> Path:
    """Return the folder of this run, creating it if necessary, and count one more user."""
    with _run.guard:
        if _run.folder is None:
            try:
                _run.folder = _make_run()
            except OSError as err:
                raise _cannot_write(err) from None
        _run.users += 1
        return _run.folder.path


def _make_run() -> OwnedFolder:
    remove_abandoned_runs()
    return _make(Path(tempfile.gettempdir()), _PREFIX)


def _leave_run() -> None:
    """Remove the folder of this run when its last user has left."""
    with _run.guard:
        _run.users -= 1
        if _run.users == 0:
            _end_run()


def _end_run() -> None:
    if _run.folder is not None:
        folder, _run.folder = _run.folder, None
        _discard(folder)


def _cannot_write(err: OSError) -> ToolError:
    return ToolError(
        f"temporary files cannot be written: {err.strerror or err}",
        code="file-unwritable",
        hint="set TMPDIR to a folder that can be written to",
    )


def _forget_run() -> None:
    """Leave the folder to the parent process, and the guard to the parent's threads."""
    _run.folder, _run.users, _run.guard = None, 0, threading.RLock()


os.register_at_fork(after_in_child=_forget_run)
# A signal may arrive before a block is entered, or after it has ended.
atexit.register(_end_run)
