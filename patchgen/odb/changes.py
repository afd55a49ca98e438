# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences of commits and of trees: files, hunks without context, and digests.

Without context and line numbers, the same change is recognised in a file with other differences,
and a hunk can be reversed into its revert. `git patch-id` includes the lines around a change, so it
differs if somebody else changed the line above; whether a review still holds depends on the change
itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.odb.commits import decode_text
from patchgen.odb.difftext import Kind, classify_lines, split_names
from patchgen.odb.objects import Entry
from patchgen.odb.plumbing import Git, parse_raw_diff
from patchgen.odb.tree import REGULAR

_MARK = b"\0commit "
# Up to this many paths, git compares every file of every commit with them quickly.
_MAX_QUICK_PATHS = 100
_PATHS = ("--literal-pathspecs", "-c", "core.quotePath=false")
_PATCH = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--patch")
_DIFF = (*_PATCH, "--binary", "--unified=0")
_LOG = ("log", "--format=%x00commit %H %s")


@dataclass(frozen=True, slots=True)
class CommitHunk:
    """Removed lines and the lines added in their place, without `-` and `+`.

    A change of the file as a whole (its mode, its creation, its binary content) is a hunk, too:
    `header` is git's description of it, and `lines` is empty.
    """

    removed: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()
    header: bytes = b""

    @property
    def reverse(self) -> CommitHunk:
        """The hunk that reverts this one, if it is one of lines."""
        return CommitHunk(self.added, self.removed, self.header)

    @property
    def folded(self) -> CommitHunk:
        """The hunk without white space and line breaks, unless it changes only these."""
        removed, added = (b"".join(b"".join(side).split()) for side in (self.removed, self.added))
        return CommitHunk((removed,), (added,), self.header) if removed != added else self

    @property
    def size(self) -> int:
        """The number of bytes on both sides."""
        return sum(map(len, self.removed + self.added))

    def covers(self, other: CommitHunk) -> bool:
        """Return whether each side contains that side of another hunk; both must be folded."""
        sides = ((self.removed, other.removed), (self.added, other.added))
        return not other.header and all(
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
    args = (*_PATHS, *_LOG, *_DIFF, "--no-walk=unsorted", "--stdin")
    return tuple(
        CommitChanges(oid, subject, parse_diff(diff))
        for oid, subject, diff in _read_log(git, *args, stdin=_format_stdin(oids, paths))
    )


def read_diffs(git: Git, base: Oid, tip: Oid) -> Mapping[Oid, bytes]:
    """Return the diff of each commit above `base`, oldest first, without context."""
    log = _read_log(git, *_LOG, *_DIFF, "--reverse", f"{base}..{tip}")
    return {oid: diff for oid, _, diff in log}


def read_diffs_to_show(git: Git, base: Oid, tip: Oid) -> Mapping[Oid, bytes]:
    """Return the diff of each commit above `base` as people read it: with three lines of context.

    The content of a binary file is not part of it.
    """
    log = _read_log(git, *_LOG, *_PATCH, "--unified=3", "--reverse", f"{base}..{tip}")
    return {oid: diff for oid, _, diff in log}


def digest_commits(git: Git, base: Oid, tip: Oid) -> Mapping[Oid, str]:
    """Return a digest of the changes of each commit above `base`, oldest first."""
    return {oid: digest_diff(diff) for oid, diff in read_diffs(git, base, tip).items()}


def digest_diff(diff: bytes) -> str:
    """Return a digest of the changes in a diff that `read_diffs` returned.

    Records of series have it (series/record.py), so it never changes.
    """
    digest = hashlib.sha256()
    for line in diff.split(b"\n"):
        # Blob ids and line numbers differ with the base.
        if line and not line.startswith((b"@@ ", b"index ")):
            digest.update(line + b"\n")
    return digest.hexdigest()


def _read_log(git: Git, *args: str, stdin: bytes = b"") -> Iterator[tuple[Oid, str, bytes]]:
    """Yield id, subject and diff of the commits that `_LOG` shows."""
    for part in git.run(*args, stdin=stdin).stdout.split(_MARK)[1:]:
        head, _, diff = part.partition(b"\n")
        oid, _, subject = head.partition(b" ")
        yield Oid(oid.decode()), decode_text(subject), diff


def _find_commits(
    git: Git, base: Oid, tip: Oid, paths: frozenset[PurePosixPath]
) -> tuple[Oid, ...]:
    """Return the commits that touch any of the files, youngest first.

    git compares each file of each commit with each path, which takes minutes for thousands of
    paths. For many paths, git is given their folders instead.
    """
    args = ("log", "--topo-order", "--format=%x00commit %H", "--no-renames", "--name-only", "-z")
    stdin = _format_stdin([f"{base}..{tip}"], _coarsen(paths))
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
    coarse = set(paths)
    while len(coarse) > _MAX_QUICK_PATHS and depth > 1:
        depth -= 1
        coarse = {PurePosixPath(*path.parts[:depth]) for path in paths}
    return coarse


def _format_stdin(revisions: Iterable[str], paths: Iterable[PurePosixPath]) -> bytes:
    """Return the input of `--stdin` (git-rev-list(1)), which takes any number of arguments."""
    lines = [*revisions, "--", *sorted(map(str, paths))]
    return b"".join(os.fsencode(line) + b"\n" for line in lines)


def diff_trees(git: Git, before: str, after: str) -> dict[PurePosixPath, FileChange]:
    """Return the changes from one tree to another; either may be named by a commit."""
    return parse_diff(git.run(*_PATHS, "diff-tree", "-r", *_DIFF, before, after).stdout)


def parse_diff(diff: bytes) -> dict[PurePosixPath, FileChange]:
    """Parse a diff that git wrote without context and renames."""
    changes: dict[PurePosixPath, _ChangedLines] = {}
    parts = _ChangedLines([], [])
    for kind, line in classify_lines(diff.decode("utf-8", "surrogateescape").split("\n")):
        raw = line.encode("utf-8", "surrogateescape")
        if kind is Kind.HUNK:
            removed, added = parts.hunks[-1]
            # "\ No newline at end of file" belongs to the side of the line before it.
            if line[:1] in ("-", "+"):
                parts.side = removed if line[0] == "-" else added
            parts.side.append(raw[1:] if line[:1] in ("-", "+") else raw)
        elif line.startswith("diff --git "):
            path = PurePosixPath(split_names(line).old.removeprefix("a/"))
            parts = changes[path] = _ChangedLines([], [])
        elif line.startswith("@@ "):
            parts.hunks.append(([], []))
        elif line and not parts.hunks and not line.startswith(("index ", "--- ", "+++ ")):
            parts.header.append(raw)
    return {path: parts.close() for path, parts in changes.items()}


@dataclass(slots=True)
class _ChangedLines:
    """The parts of a file's diff read so far; `side` is the list that the last line is in."""

    header: list[bytes]
    hunks: list[tuple[list[bytes], list[bytes]]]
    side: list[bytes] = field(default_factory=list)

    def close(self) -> FileChange:
        whole = [CommitHunk(header=b"\n".join(self.header))] if self.header else []
        hunks = [CommitHunk(tuple(removed), tuple(added)) for removed, added in self.hunks]
        is_deleted = any(line.startswith(b"deleted file mode") for line in self.header)
        return FileChange((*whole, *hunks), is_deleted)


def list_changed(git: Git, since: Oid, base: Oid) -> frozenset[PurePosixPath]:
    """Return the files of `base` that are missing from `since` or have another content there."""
    args = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d")
    names = git.run(*args, since, base).stdout.split(b"\0")
    return frozenset(PurePosixPath(os.fsdecode(name)) for name in names if name)


@dataclass(frozen=True, slots=True)
class TreeChanges:
    """Regular files that differ between two trees: those of the old tree and those of the new."""

    before: frozenset[PurePosixPath]
    after: dict[str, Entry]


def list_changes(
    git: Git,
    old: Oid,
    new: Oid,
    paths: Sequence[PurePosixPath],
    suffixes: tuple[str, ...],
) -> TreeChanges | None:
    """Return the regular files with these suffixes that differ below any of the paths.

    A path of a file counts, whatever its suffix. None if the repository does not have the old tree.
    No paths means the whole trees.
    """
    args = ("--literal-pathspecs", "diff-tree", "-r", "-z", "--raw", "--no-renames", old, new)
    completed = git.run(*args, "--", *map(str, paths), ok=None)
    if completed.returncode != 0:
        return None
    named = frozenset(map(str, paths))
    before = set()
    after = {}
    for change in parse_raw_diff(completed.stdout):
        if not (change.path.endswith(suffixes) or change.path in named):
            continue
        if change.old_mode in REGULAR:
            before.add(PurePosixPath(change.path))
        if change.mode in REGULAR:
            after[change.path] = (change.mode, change.oid)
    return TreeChanges(frozenset(before), after)
