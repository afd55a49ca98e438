# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that hold what a run needs only while it runs, and removal of those of killed runs.

A run has one folder below $TMPDIR, `patchgen-run-PID-XXXXXXXX`, with mode 0700; all its scratch
folders are in it. What has to be renamed into place is staged in a folder of the same kind next to
its target. Each of these folders is locked with flock(2) by the process that made it. The kernel
gives the lock up when that process ends, however it ends, so an unlocked folder is left over from a
killed run, and the next run removes it. A pid would not tell: another process may have it by now.
The lock also keeps systemd-tmpfiles away from a run that takes weeks (tmpfiles.d(5), "Age"). Each
process has its own folder, so that a worker on another machine needs nothing of this one's.
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
# A run that removes the folders of dead ones may remove a new folder before it is locked.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class OwnedFolder:
    """A folder that its process has locked; `lock` is the open folder, -1 where it has no lock.

    File systems without flock(2) on folders (NFS) are worked on all the same; what a killed run
    leaves there has to be removed by hand.
    """

    path: Path
    lock: int


@contextmanager
def owned_folder(parent: Path, prefix: str) -> Iterator[OwnedFolder]:
    """Give a new, locked folder in `parent`, and remove it at the end of the block.

    Folders with this prefix that killed runs of the same user left in `parent` are removed first.
    The folder may be renamed meanwhile; it then stays. Raises OSError where it cannot be made.
    """
    remove_abandoned(parent, prefix)
    folder = _make(parent, prefix)
    try:
        yield folder
    finally:
        _discard(folder)


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Give a new folder in the scratch folder of this run, and remove it at the end of the block.

    `name` is for people who look at it. Safe to call from several threads at once. Raises ToolError
    where no folder can be made below $TMPDIR.
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
    """Return the open file that keeps this run's scratch folder, () where there is none.

    A program that reads a scratch folder, and has to come to its end when patchgen is killed, gets
    it as well: the folder then stays until that program has ended.
    """
    with _run.guard:
        return () if _run.folder is None or _run.folder.lock < 0 else (_run.folder.lock,)


def remove_abandoned_runs() -> None:
    """Remove what killed runs left below $TMPDIR, unless this run has done so already.

    The first scratch folder of a run does it, too; a command that is refused early has none.
    """
    with _run.guard, suppress(OSError):
        if not _run.has_looked:
            _run.has_looked = True
            remove_abandoned(Path(tempfile.gettempdir()), _PREFIX)


def remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders with a prefix that killed runs left in `parent`.

    Nothing is followed or removed but folders of this user that no process has locked: anyone may
    put names into /tmp.
    """
    pattern = re.compile(re.escape(prefix) + r"[0-9]+-[a-z0-9_]{8}")
    try:
        found = sorted(path for path in parent.iterdir() if pattern.fullmatch(path.name))
    except OSError:
        return
    for path in found:
        # It is in use, not a folder, or another run removes it, too: never this run's error.
        with suppress(OSError):
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            return
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # By the open folder, not by its name: it is the one that was looked at.
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
    """Remove a folder where it still has its name, then give up the lock."""
    try:
        _remove_tree(folder.path)
    finally:
        if folder.lock >= 0:
            os.close(folder.lock)


def _remove_tree(path: Path) -> None:
    """Remove a folder; one more Ctrl-C does not keep it from that."""
    try:
        shutil.rmtree(path, ignore_errors=True)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@dataclass(slots=True)
class _Run:
    """The scratch folder of this process, while anything in it is in use."""

    folder: OwnedFolder | None = None
    users: int = 0
    has_looked: bool = False
    guard: threading.RLock = field(default_factory=threading.RLock)


_run = _Run()


def _enter_run() -> Path:
    """Return the folder of this run, made where there is none, with one more user."""
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
    """Remove the folder of this run when nobody uses it any more."""
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
        hint="TMPDIR names the folder that they are written to",
    )


def _forget_run() -> None:
    """Leave the folder to the process that was forked, and its guard to that process's threads."""
    _run.folder, _run.users, _run.guard = None, 0, threading.RLock()


os.register_at_fork(after_in_child=_forget_run)
# A signal may come before a block is entered, or after it has ended.
atexit.register(_end_run)
