# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a tree of a git repository without a checkout: its files by path and glob, and contents.

Only the folders on the way are read, so a question about ten files does not walk the 80,000 files
of a kernel. If the work tree has a file with the same content, that file is read: another process
has to inflate objects, which takes five times as long as reading and hashing a file. A file has a
blob's content exactly if its hash is the blob's id (git's book, "Git Objects"), so nothing needs to
be known about the state of the work tree.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from patchgen.errors import MissingObjectsError, RefusedError, ToolError, find_similar
from patchgen.model.base import Oid, TreeFile, compile_glob
from patchgen.odb.missing import explain_failure, find_missing, require_objects
from patchgen.odb.objects import Entry, Folder
from patchgen.odb.plumbing import Git, make_oid
from patchgen.odb.repository import Repository

_GLOB = re.compile(r"[*?\[]")
REGULAR = frozenset({"100644", "100755"})
FILES = REGULAR | {"120000"}
FOLDER, SUBMODULE = "40000", "160000"


class GitTree:
    """A tree object; a TreeReader. Contents are cached, as they cannot change."""

    def __init__(self, git: Git, tree: Oid):
        self._git = git
        self.oid = tree
        self._matches: dict[str, list[TreeFile]] = {}
        self._content: dict[Oid, bytes] = {}

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path.

        `*` and `?` match within a folder, `**` crosses folders. Symbolic links and submodules are
        not regular files.
        """
        files = {file.path: file for pattern in patterns for file in self._find_pattern(pattern)}
        return [files[path] for path in sorted(files)]

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file.

        Raises MissingObjectsError if the repository lacks the blob. The error also names the other
        missing blobs of the files found so far, since they are likely to be read, too.
        """
        return self.read_all([file])[0]

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        """Return the contents of files. Raises as `read` does."""
        new = {file.oid: file for file in files if file.oid not in self._content}
        for (oid, file), blob in zip(new.items(), self._git.objects.read(list(new)), strict=True):
            if blob is None:
                oids = [entry.oid for files in self._matches.values() for entry in files]
                missing = find_missing(self._git, [oid, *oids])
                raise MissingObjectsError(missing, what=str(file.path))
            self._content[oid] = blob[1]
        return [self._content[file.oid] for file in files]

    def require(self, patterns: Sequence[str]) -> None:
        """Raise MissingObjectsError, with all missing blobs, if the files lack their content."""
        require_objects(self._git, [file.oid for file in self.find(patterns)])

    def get(self, path: str) -> Entry | None:
        """Return mode and id of the entry at a path, None without one; "" is the tree itself."""
        mode, oid = FOLDER, self.oid
        for name in path.split("/") if path else ():
            entry = self._open([oid])[0].get(name) if mode == FOLDER else None
            if entry is None:
                return None
            mode, oid = entry
        return mode, oid

    def suggest(self, path: str) -> str:
        """Return a hint for a path that does not exist: the most similar one, else a command.

        Names are compared where the path leaves the tree: drivers/led/x.c becomes drivers/leds/x.c.
        """
        parts = path.split("/")
        depth = next(
            number
            for number in range(len(parts), -1, -1)
            if (entry := self.get("/".join(parts[:number]))) is not None and entry[0] == FOLDER
        )
        parent, rest = "/".join(parts[:depth]), parts[depth + 1 :]
        assert entry is not None
        [folder] = self._open([entry[1]])
        similar = find_similar(parts[depth], folder) if depth < len(parts) else None
        if similar is None:
            below = f" {shlex.quote(parent + '/')}" if parent else ""
            return f"`git ls-tree {self.oid[:12]}{below}` lists the names there"
        found = _join(parent, similar)
        whole = "/".join([found, *rest])
        return f"did you mean {(whole if self.get(whole) is not None else found)!r}?"

    def list_entries(
        self, paths: Iterable[PurePosixPath] = (), suffixes: tuple[str, ...] = ("",)
    ) -> dict[str, Entry]:
        """Return the regular files with these suffixes below any of the paths, in git's order.

        No paths means the whole tree.
        """
        names = {"" if str(path) == "." else str(path) for path in paths} or {""}
        starts = {name: entry for name in names if (entry := self.get(name)) is not None}
        # git sorts a folder as if its name ended with a slash.
        ends = {name: f"{name}/" if starts[name][0] == FOLDER else name for name in starts}
        return {
            path: entry
            for name in sorted(starts, key=lambda name: os.fsencode(ends[name]))
            for path, entry in self._walk(name, starts[name])
            if path.endswith(suffixes) and entry[0] in REGULAR
        }

    def _find_pattern(self, pattern: str) -> list[TreeFile]:
        if pattern not in self._matches:
            self._matches[pattern] = [
                TreeFile(PurePosixPath(path), mode, oid)
                for path, (mode, oid) in self._match(pattern)
                if mode in REGULAR
            ]
        return self._matches[pattern]

    def _match(self, pattern: str) -> Iterator[tuple[str, Entry]]:
        if not _GLOB.search(pattern):
            if (entry := self.get(pattern)) is not None:
                yield pattern, entry
            return
        # Only the folder before the first wildcard is walked.
        folder = _GLOB.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        matches = compile_glob(pattern).fullmatch
        depth = pattern[len(folder) :].strip("/").count("/") + 1
        if (top := self.get(folder)) is not None:
            for path, entry in self._walk(folder, top, None if "**" in pattern else depth):
                if matches(path):
                    yield path, entry

    def _walk(
        self, path: str, entry: Entry, depth: int | None = None
    ) -> Iterator[tuple[str, Entry]]:
        """Yield a file, or the files of a folder down to `depth` folders, in git's order."""
        if entry[0] != FOLDER:
            yield path, entry
            return
        level, below = [entry[1]], depth
        # Read level by level, so that git gets many requests at once.
        while level and below != 0:
            folders = self._open(level)
            level = [oid for folder in folders for mode, oid in folder.values() if mode == FOLDER]
            below = None if below is None else below - 1
        yield from self._emit(path, entry[1], depth)

    def _emit(self, path: str, oid: Oid, depth: int | None) -> Iterator[tuple[str, Entry]]:
        [folder] = self._open([oid])
        for name, entry in folder.items():
            if entry[0] != FOLDER:
                yield _join(path, name), entry
            elif depth is None or depth > 1:
                yield from self._emit(_join(path, name), entry[1], depth and depth - 1)

    def _open(self, oids: Sequence[Oid]) -> list[Folder]:
        folders = self._git.objects.read_folders(oids)
        for oid, folder in zip(oids, folders, strict=True):
            if folder is None:
                explain_failure(self._git, ("ls-tree", self.oid), b"", "")
                raise MissingObjectsError((oid,))
        return [folder for folder in folders if folder is not None]


def open_tree(git: Git, name: str) -> GitTree:
    """Return the tree that a revision names. Raises MissingObjectsError if it is missing."""
    return GitTree(git, resolve_object(git, f"{name}^{{tree}}"))


def is_folder(tree: GitTree, path: str) -> bool:
    """Return whether a tree has a folder at a path."""
    entry = tree.get(path)
    return entry is not None and entry[0] == FOLDER


def resolve_object(git: Git, name: str) -> Oid:
    """Return the id of the object that a revision names, such as "COMMIT^" or "COMMIT^{tree}".

    Raises MissingObjectsError if it is missing, ToolError if the revision does not name an object.
    """
    [found] = git.objects.find([name])
    if found is None:
        explain_failure(git, ("rev-parse", name), b"", "")
        raise ToolError(f"git cannot find {name}", code="git-failed")
    return found[0]


def list_entries(
    git: Git, tree: str, paths: Sequence[PurePosixPath] = (), suffixes: tuple[str, ...] = ("",)
) -> dict[str, Entry]:
    """Return GitTree.list_entries() of the tree that a revision names."""
    return open_tree(git, tree).list_entries(paths, suffixes)


def list_files(
    git: Git, tree: str, paths: Sequence[PurePosixPath] = (), suffixes: tuple[str, ...] = ("",)
) -> list[TreeFile]:
    """Return the result of list_entries as TreeFiles."""
    return [
        TreeFile(PurePosixPath(name), mode, oid)
        for name, (mode, oid) in list_entries(git, tree, paths, suffixes).items()
    ]


def read_files(
    git: Git, tree: str, paths: Iterable[PurePosixPath]
) -> dict[PurePosixPath, TreeFile]:
    """Return those of the paths that are files or links in the tree that a revision names."""
    opened = open_tree(git, tree)
    entries = {path: opened.get(str(path)) for path in sorted(set(paths))}
    return {
        path: TreeFile(path, *entry)
        for path, entry in entries.items()
        if entry is not None and entry[0] in FILES
    }


def read_file(git: Git, tree: str, path: PurePosixPath) -> bytes | None:
    """Return the content of a file or link in the tree that a revision names, None without it.

    Raises MissingObjectsError if the repository lacks the blob.
    """
    files = read_files(git, tree, [path])
    return next(read_blobs(git, [files[path].oid])) if files else None


class ResolvedPath(NamedTuple):
    """A path of a tree, the id of its object, and whether it is a folder."""

    path: PurePosixPath
    oid: Oid
    is_folder: bool


def resolve_paths(git: Git, tree: Oid, paths: Sequence[PurePosixPath]) -> list[ResolvedPath]:
    """Return the objects at the paths. Raises RefusedError if a path does not exist."""
    opened = open_tree(git, tree)
    resolved = []
    for path in paths:
        entry = opened.get("" if str(path) == "." else str(path))
        if entry is None or entry[0] == SUBMODULE:
            raise RefusedError(
                f"the tree has no {path}",
                code="path-unknown",
                hint=opened.suggest(str(path)),
            )
        resolved.append(ResolvedPath(path, entry[1], entry[0] == FOLDER))
    return resolved


def read_blobs(git: Git, oids: Sequence[Oid]) -> Iterator[bytes]:
    """Yield the contents of blobs in their order, not all in memory at once.

    Raises MissingObjectsError, with all blobs that the repository lacks.
    """
    for found in git.objects.read(oids):
        if found is None:
            raise MissingObjectsError(find_missing(git, oids))
        yield found[1]


def read_contents(repository: Repository, files: Sequence[TreeFile]) -> Iterator[bytes]:
    """Yield the contents of files in their order, from the work tree where it has the same.

    Raises MissingObjectsError, with all blobs that the repository lacks.
    """
    top = repository.work_tree
    checked_out = [_read_checked_out(top, file) if top else None for file in files]
    others = [file.oid for file, found in zip(files, checked_out, strict=True) if found is None]
    blobs = read_blobs(repository, others)
    for file, found in zip(files, checked_out, strict=True):
        try:
            content = next(blobs) if found is None else found
        except MissingObjectsError as err:
            raise MissingObjectsError(err.oids, what=str(file.path)) from None
        yield content


def _read_checked_out(top: Path, file: TreeFile) -> bytes | None:
    """Return the content at a file's path in the work tree, None if it is not the blob's."""
    with suppress(OSError, ValueError):
        # Opening must not block, should the path be a FIFO.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(top / file.path, flags), "rb") as opened:
            if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                content = opened.read()
                return content if make_oid("blob", content, like=file.oid) == file.oid else None
    return None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
