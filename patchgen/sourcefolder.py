# SPDX-License-Identifier: GPL-2.0-or-later
"""The only access to the files of a variant and of `templates/`.

These files end up in commits and public mails, and the author of the variant chose the names. So a
name leads to a regular file below the folder or to an error: never through a symbolic link, out of
the folder, to a device, or to a file that would fill the memory. Each folder on the way is opened
from the one above it (openat(2) with O_NOFOLLOW), so nothing can be exchanged between a check and
its use. The folder itself may be reached through a link: the user named it.

A hard link cannot be distinguished from the file that it links to.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.errors import ErrorPlace, SpecError

# The longest file of a shipped variant has 20 kB.
LARGEST_BYTES = 4 << 20

_HINT = "a variant consists of regular files below its folder"
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a FIFO must not block, and a terminal must not become the controlling one.
_FILE_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder whose files are read by name: `root`, or the folder `below` it.

    `root` may be a symbolic link; nothing below it may.
    """

    root: Path
    below: PurePosixPath = field(default_factory=PurePosixPath)

    @property
    def path(self) -> Path:
        """The path, for messages."""
        return self.root / self.below

    def folder(self, name: str) -> SourceFolder:
        """Return a folder in this one."""
        return SourceFolder(self.root, self.below / name)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None if the file does not exist.

        Raises SpecError if the name leads out of the folder, or if the file is not regular or
        larger than LARGEST_BYTES.
        """
        path = self.path / name
        parts = PurePosixPath(name).parts
        if not parts or "\0" in name or PurePosixPath(name).is_absolute() or ".." in parts:
            raise SpecError(
                f"{name!r} is not the name of a file in {self.path}",
                code="file-outside",
                hint=_HINT,
            )
        try:
            with _open_folder(self.root, [*self.below.parts, *parts[:-1]]) as folder:
                _check_kind(parts[-1], folder)
                descriptor = os.open(parts[-1], _FILE_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
                return _read_regular(descriptor)
        except _NotThereError:
            return None
        except OSError as err:
            missing = err.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
            if missing:
                return None
            reason = f"cannot be read: {err.strerror or err}"
            raise SpecError(reason, code="file-unreadable", place=ErrorPlace(str(path))) from None
        except ValueError as err:
            raise SpecError(
                str(err), code="file-unreadable", place=ErrorPlace(str(path)), hint=_HINT
            ) from None

    def digest(self) -> str:
        """Return a digest of the paths and contents of all regular files."""
        digest = hashlib.sha256()
        for path in sorted(self._list_files(), key=lambda file: file.parts):
            content = self.read(path.as_posix())
            if content is not None:
                digest.update(
                    f"{path.as_posix()}\0{len(content)}\0".encode(errors="surrogateescape")
                )
                digest.update(content)
        return digest.hexdigest()

    def _list_files(self) -> Iterator[PurePosixPath]:
        """Yield the regular files, except those that are too large to be read."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = Path(folder) / name
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_BYTES:
                    yield PurePosixPath(path.relative_to(self.path).as_posix())


def read_regular(path: Path) -> bytes:
    """Return the content of a user's file, which may be reached through links.

    Raises SpecError if it is not a regular file or larger than LARGEST_BYTES; OSError.
    """
    try:
        return _read_regular(os.open(path, _FILE_FLAGS))
    except ValueError as err:
        raise SpecError(str(err), code="file-unreadable", place=ErrorPlace(str(path))) from None


class _NotThereError(Exception):
    """The name is that of a folder, or a file is where a folder should be."""


@contextmanager
def _open_folder(root: Path, names: Sequence[str]) -> Iterator[int]:
    descriptor = os.open(root, _FOLDER_FLAGS)
    try:
        for name in names:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                raise ValueError(f"the folder {name} is a symbolic link")
            parent = descriptor
            descriptor = os.open(name, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
            os.close(parent)
        yield descriptor
    finally:
        os.close(descriptor)


_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _check_kind(name: str, folder: int) -> None:
    """Check before opening: opening a device can have side effects."""
    kind = stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    if kind == stat.S_IFDIR:
        raise _NotThereError
    if kind != stat.S_IFREG:
        raise ValueError(f"is {_KINDS.get(kind, 'not a regular file')}")


def _read_regular(descriptor: int) -> bytes:
    """Read a file from its descriptor, and close the descriptor."""
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not a regular file")
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"is larger than {LARGEST_BYTES >> 20} MiB")
    return content


def split_template(content: bytes) -> list[str]:
    """Return the lines of a template, split where Jinja2 does (jinja2.lexer.newline_re)."""
    return re.split(r"\r\n|\r|\n", content.decode("utf-8", "replace"))


def decode_text(content: bytes, place: ErrorPlace) -> str:
    """Return the text of a file. Raises SpecError, with the line, if it is not plain UTF-8."""
    line = 1
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as err:
        line += content.count(b"\n", 0, err.start)
        raise SpecError(
            f"is not UTF-8 (the byte {content[err.start]:#04x})",
            code="not-utf8",
            place=ErrorPlace(place.file, line),
            hint="convert the file, for example: `iconv -f latin1 -t utf-8`",
        ) from None
    if text.startswith("\ufeff"):
        raise SpecError(
            "begins with a byte order mark; remove it",
            code="not-utf8",
            place=ErrorPlace(place.file, 1),
        )
    if "\0" in text:
        line += text.count("\n", 0, text.index("\0"))
        raise SpecError(
            "has a NUL character", code="control-characters", place=ErrorPlace(place.file, line)
        )
    return text
