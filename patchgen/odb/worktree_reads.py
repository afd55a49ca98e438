# SPDX-License-Identifier: GPL-2.0-or-later
"""Read files of a tree from the work tree if it has the same content, else from git's objects.

Another process has to inflate objects, which takes five times as long as reading and hashing a
file. A file has a blob's content exactly if its hash is the blob's id (git's book, "Git Objects"),
so nothing needs to be known about the state of the work tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from patchgen.errors import MissingObjectsError
from patchgen.model.base import TreeFile
from patchgen.odb.listing import read_blobs
from patchgen.odb.plumbing import make_oid
from patchgen.odb.repository import Repository


def read_contents(repository: Repository, files: Sequence[TreeFile]) -> Iterator[bytes]:
    """Yield the contents of files in their order.

    Raises MissingObjectsError, with all blobs that the repository lacks.
    """
    top = repository.work_tree
    plain = [_read_plain(top, file) if top else None for file in files]
    missing = [file.oid for file, text in zip(files, plain, strict=True) if text is None]
    blobs = read_blobs(repository, missing)
    for file, text in zip(files, plain, strict=True):
        try:
            content = next(blobs) if text is None else text
        except MissingObjectsError as err:
            raise MissingObjectsError(err.oids, what=str(file.path)) from None
        yield content


def _read_plain(top: Path, file: TreeFile) -> bytes | None:
    """Return the content at a file's path in the work tree, None if it is not the blob's."""
    with suppress(OSError, ValueError):
        # Opening must not block, should the path be a FIFO.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(top / file.path, flags), "rb") as opened:
            if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                text = opened.read()
                return text if make_oid("blob", text, like=file.oid) == file.oid else None
    return None
