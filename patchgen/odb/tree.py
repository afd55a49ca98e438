"""Read a tree of a git repository by paths and globs, without a checkout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid, TreeFile, compile_glob
from patchgen.odb.missing import find_missing, require_objects
from patchgen.odb.repository import Repository

_GLOB = re.compile(r"[*?\[]")
_REGULAR = frozenset({"100644", "100755"})


class GitTree:
    """A tree object; a TreeReader. Listings and contents are kept, as they cannot change."""

    def __init__(self, repository: Repository, tree: Oid):
        self._repository = repository
        self.oid = tree
        self._found: dict[str, list[TreeFile]] = {}
        self._content: dict[Oid, bytes] = {}

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path.

        `*` and `?` stay within a folder, `**` crosses folders. Symbolic links and submodules are
        not regular files.
        """
        found = {file.path: file for pattern in patterns for file in self._find_pattern(pattern)}
        return [found[path] for path in sorted(found)]

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file.

        Raises MissingObjectsError where the repository lacks the blob, with all others that it
        lacks of the files found so far: they are likely to be read, too.
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
        """Raise MissingObjectsError, with all that are missing, where files lack their content."""
        require_objects(self._repository, [file.oid for file in self.find(patterns)])

    def _find_pattern(self, pattern: str) -> list[TreeFile]:
        if pattern not in self._found:
            self._found[pattern] = self._list(pattern)
        return self._found[pattern]

    def _list(self, pattern: str) -> list[TreeFile]:
        words = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree"]
        wanted = None
        if _GLOB.search(pattern):
            # Only the folders before the first wildcard are walked, not 80,000 files.
            fixed = _GLOB.split(pattern, maxsplit=1)[0].rpartition("/")[0]
            words += ["-r", self.oid, *(("--", fixed + "/") if fixed else ())]
            wanted = compile_glob(pattern)
        else:
            words += [self.oid, "--", pattern]
        files = []
        for entry in self._repository.run(*words).stdout.split(b"\0"):
            if not entry:
                continue
            head, _, name = entry.partition(b"\t")
            mode, _, oid = head.decode().split(" ")
            path = name.decode("utf-8", "surrogateescape")
            if mode in _REGULAR and (wanted is None or wanted.fullmatch(path)):
                files.append(TreeFile(PurePosixPath(path), mode, Oid(oid)))
        return files
