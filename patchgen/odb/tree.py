# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a tree of a git repository by paths and globs, without a checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid, TreeFile, compile_glob
from patchgen.odb.missing import explain_failure, find_missing, require_objects
from patchgen.odb.repository import Repository

_GLOB = re.compile(r"[*?\[]")
_REGULAR = frozenset({"100644", "100755"})
# In a tree object the mode of a folder has no leading zero.
_FOLDER = "40000"


class _TreeEntry(NamedTuple):
    mode: str
    name: str
    oid: Oid


class GitTree:
    """A tree object; a TreeReader. Listings and contents are cached, as they cannot change."""

    def __init__(self, repository: Repository, tree: Oid):
        self._repository = repository
        self.oid = tree
        self._found: dict[str, list[TreeFile]] = {}
        self._content: dict[Oid, bytes] = {}
        self._folders: dict[Oid, list[_TreeEntry]] = {}

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path.

        `*` and `?` stay within a folder, `**` crosses folders. Symbolic links and submodules are
        not regular files.
        """
        found = {file.path: file for pattern in patterns for file in self._find_pattern(pattern)}
        return [found[path] for path in sorted(found)]

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file.

        Raises MissingObjectsError if the repository lacks the blob. The error also names the other
        missing blobs of the files found so far, since they are likely to be read, too.
        """
        if file.oid not in self._content:
            content = self._repository.read_blob(file.oid)
            if content is None:
                oids = [each.oid for files in self._found.values() for each in files]
                missing = find_missing(self._repository, [file.oid, *oids])
                raise MissingObjectsError(missing, what=str(file.path))
            self._content[file.oid] = content
        return self._content[file.oid]

    def require(self, patterns: Sequence[str]) -> None:
        """Raise MissingObjectsError, with all missing blobs, if the files lack their content."""
        require_objects(self._repository, [file.oid for file in self.find(patterns)])

    def _find_pattern(self, pattern: str) -> list[TreeFile]:
        if pattern not in self._found:
            self._found[pattern] = self._list(pattern)
        return self._found[pattern]

    def _list(self, pattern: str) -> list[TreeFile]:
        if not _GLOB.search(pattern):
            folder, _, name = pattern.rpartition("/")
            found = [entry for entry in self._open(folder) if entry.name == name]
            return [_to_file(folder, entry) for entry in found if entry.mode in _REGULAR]
        # Only the folder before the first wildcard is walked, not 80,000 files.
        folder = _GLOB.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        matches = compile_glob(pattern).fullmatch
        depth = pattern.count("/") if "**" not in pattern else None
        return [file for file in self._walk(folder, depth) if matches(str(file.path))]

    def _walk(self, folder: str, depth: int | None) -> Iterator[TreeFile]:
        """Yield the regular files of a folder and of those below it, down to `depth` slashes."""
        for entry in self._open(folder):
            if entry.mode in _REGULAR:
                yield _to_file(folder, entry)
            elif entry.mode == _FOLDER and (depth is None or folder.count("/") + 1 < depth):
                yield from self._walk(_join(folder, entry.name), depth)

    def _open(self, folder: str) -> list[_TreeEntry]:
        """Return the entries of a folder; none if the tree does not have it."""
        entries = self._read_folder(self.oid)
        for name in filter(None, folder.split("/")):
            below = [entry.oid for entry in entries if entry[:2] == (_FOLDER, name)]
            if not below:
                return []
            entries = self._read_folder(below[0])
        return entries

    def _read_folder(self, oid: Oid) -> list[_TreeEntry]:
        if oid not in self._folders:
            content = self._repository.read_tree(oid)
            if content is None:
                explain_failure(self._repository, ("ls-tree", self.oid), b"", "")
                raise MissingObjectsError((oid,))
            self._folders[oid] = list(_parse_tree(content, len(oid) // 2))
        return self._folders[oid]


def _parse_tree(content: bytes, width: int) -> Iterator[_TreeEntry]:
    """Yield the entries of a tree object: mode, space, name, NUL, and an id of `width` bytes.

    Source: git's Documentation/gitformat-pack.txt and tree-walk.c.
    """
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + width
        oid = Oid(content[end + 1 : at].hex())
        yield _TreeEntry(mode.decode(), name.decode("utf-8", "surrogateescape"), oid)


def _to_file(folder: str, entry: _TreeEntry) -> TreeFile:
    return TreeFile(PurePosixPath(_join(folder, entry.name)), entry.mode, entry.oid)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
