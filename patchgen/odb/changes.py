# SPDX-License-Identifier: GPL-2.0-or-later
"""What commits change, hunk by hunk: the removed and added lines, without their position.

Without context and line numbers, the same change is recognised in a file that differs elsewhere
(substance.py says why not by `git patch-id`), and a hunk can be reversed into its revert.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.odb.commits import decode_text
from patchgen.odb.plumbing import Git
from patchgen.odb.quoting import unquote_path

_MARK = b"\0commit "
_HEADER = b"diff --git "
# Up to this many paths, git compares every file of every commit with them quickly.
_QUICK = 100
_PATHS = ("--literal-pathspecs", "-c", "core.quotePath=false")
_DIFF = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--patch",
    "--binary",
    "--unified=0",
)


@dataclass(frozen=True, slots=True)
class CommitHunk:
    """Removed lines and the lines added in their place, without `-` and `+`.

    A change of the file as a whole (its mode, its creation, its binary content) is a hunk, too:
    `about` is git's description of it, and `lines` is empty.
    """

    removed: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()
    about: bytes = b""

    @property
    def reverse(self) -> CommitHunk:
        """The hunk that reverts this one, if it is one of lines."""
        return CommitHunk(self.added, self.removed, self.about)

    @property
    def folded(self) -> CommitHunk:
        """The hunk without white space and line breaks, unless it changes only these."""
        removed, added = (b"".join(b"".join(side).split()) for side in (self.removed, self.added))
        return CommitHunk((removed,), (added,), self.about) if removed != added else self

    @property
    def size(self) -> int:
        """The number of bytes on both sides."""
        return sum(map(len, self.removed + self.added))

    def covers(self, other: CommitHunk) -> bool:
        """Return whether each side contains that side of another hunk; both must be folded."""
        sides = ((self.removed, other.removed), (self.added, other.added))
        return not other.about and all(
            b"\n".join(theirs) in b"\n".join(ours) for ours, theirs in sides
        )


@dataclass(frozen=True, slots=True)
class FileChange:
    """The changes of one file."""

    hunks: tuple[CommitHunk, ...]
    is_deleted: bool = False

    def is_reverse_of(self, other: FileChange) -> bool:
        """Return whether this change reverts the other."""
        return self.hunks == tuple(hunk.reverse for hunk in other.hunks)


@dataclass(frozen=True, slots=True)
class CommitChanges:
    """A commit and its changes to some files; it may change other files, too."""

    oid: Oid
    subject: str
    files: Mapping[PurePosixPath, FileChange]


def read_changes(
    git: Git, base: Oid, tip: Oid, paths: Collection[PurePosixPath]
) -> tuple[CommitChanges, ...]:
    """Return the commits from `base` to `tip` that change any of the files, youngest first.

    Merges are left out, since `git log` shows no diff for them: what a merge discarded is not
    reported.
    """
    oids = _find_commits(git, base, tip, frozenset(paths))
    if not oids:
        return ()
    args = ("log", "--no-walk=unsorted", "--format=%x00commit %H %s", *_DIFF)
    shown = git.run(*_PATHS, *args, "--stdin", stdin=_to_stdin(oids, paths)).stdout
    commits = []
    for part in shown.split(_MARK)[1:]:
        head, _, diff = part.partition(b"\n")
        oid, _, subject = head.partition(b" ")
        commits.append(CommitChanges(Oid(oid.decode()), decode_text(subject), parse_diff(diff)))
    return tuple(commits)


def _find_commits(
    git: Git, base: Oid, tip: Oid, paths: frozenset[PurePosixPath]
) -> tuple[Oid, ...]:
    """Return the commits that touch any of the files, youngest first.

    git compares each file of each commit with each path, which takes minutes for thousands of
    paths. For many paths, git is given their folders instead.
    """
    args = ("log", "--topo-order", "--format=%x00commit %H", "--no-renames", "--name-only", "-z")
    stdin = _to_stdin([f"{base}..{tip}"], _coarsen(paths))
    shown = git.run(*_PATHS, *args, "--stdin", stdin=stdin).stdout
    names = {os.fsencode(str(path)) for path in paths}
    oids = []
    for part in shown.split(_MARK)[1:]:
        oid, *files = part.lstrip(b"\0").split(b"\0")
        if any(name.lstrip(b"\n") in names for name in files):
            oids.append(Oid(oid.decode()))
    return tuple(oids)


def _coarsen(paths: Collection[PurePosixPath]) -> set[PurePosixPath]:
    """Return the paths, or folders that contain them, few enough for git to be quick."""
    depth = max((len(path.parts) for path in paths), default=0)
    cut = set(paths)
    while len(cut) > _QUICK and depth > 1:
        depth -= 1
        cut = {PurePosixPath(*path.parts[:depth]) for path in paths}
    return cut


def _to_stdin(revisions: Iterable[str], paths: Iterable[PurePosixPath]) -> bytes:
    """Return the input of `--stdin` (git-rev-list(1)), which takes any number of arguments."""
    lines = [*revisions, "--", *sorted(map(str, paths))]
    return b"".join(os.fsencode(line) + b"\n" for line in lines)


def diff_trees(git: Git, before: str, after: str) -> dict[PurePosixPath, FileChange]:
    """Return the changes from one tree to another; either may be named by a commit."""
    return parse_diff(git.run(*_PATHS, "diff-tree", "-r", *_DIFF, before, after).stdout)


def parse_diff(diff: bytes) -> dict[PurePosixPath, FileChange]:
    """Parse a diff that git wrote without context and renames."""
    changes: dict[PurePosixPath, FileChange] = {}
    lines: list[bytes] = []
    for line in [*diff.split(b"\n"), _HEADER]:
        if line.startswith(_HEADER):
            if lines:
                changes[_read_path(lines[0])] = _read_change(lines[1:])
            lines = []
        if lines or line.startswith(_HEADER):
            lines.append(line)
    return changes


def _read_path(header: bytes) -> PurePosixPath:
    """Return the path in "diff --git a/PATH b/PATH"; it may contain spaces, or be quoted."""
    names = header.removeprefix(_HEADER)
    name = unquote_path(names[: len(names) // 2])
    return PurePosixPath(os.fsdecode(name.removeprefix(b"a/")))


def _read_change(lines: list[bytes]) -> FileChange:
    hunks: list[CommitHunk] = []
    about: list[bytes] = []
    removed: list[bytes] = []
    added: list[bytes] = []
    side = about
    for line in lines:
        if line.startswith(b"@@ "):
            hunks += _close(removed, added)
            removed, added = [], []
            side = removed
        elif side is about:
            if line and not line.startswith((b"index ", b"--- ", b"+++ ")):
                about.append(line)
        elif line.startswith((b"-", b"+")):
            side = removed if line.startswith(b"-") else added
            side.append(line[1:])
        elif line:
            # "\ No newline at end of file" belongs to the side of the line before it.
            side.append(line)
    hunks += _close(removed, added)
    whole = [CommitHunk(about=b"\n".join(about))] if about else []
    is_deleted = any(line.startswith(b"deleted file mode") for line in about)
    return FileChange((*whole, *hunks), is_deleted)


def _close(removed: list[bytes], added: list[bytes]) -> list[CommitHunk]:
    return [CommitHunk(tuple(removed), tuple(added))] if removed or added else []
