# SPDX-License-Identifier: GPL-2.0-or-later
"""List many files of a tree, and read their contents, with few git processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from patchgen.errors import MissingObjectsError, RefusedError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb.missing import find_missing
from patchgen.odb.plumbing import Git, find_objects, list_tree, parse_raw_diff, read_objects

_REGULAR = ("100644", "100755")
_AT_ONCE = 400


# A file's mode and id. Creating a TreeFile for each of 80,000 files takes longer than listing them.
Entry = tuple[str, Oid]


def list_entries(
    git: Git,
    tree: Oid,
    paths: Sequence[PurePosixPath] = (),
    suffixes: tuple[str, ...] = ("",),
) -> dict[str, Entry]:
    """Return the regular files with these suffixes below any of the paths, in git's order.

    No paths means the whole tree.
    """
    return {
        name: (mode, oid)
        for mode, _, oid, name in list_tree(git, tree, [*map(str, paths)], "-r", suffixes=suffixes)
        if mode in _REGULAR
    }


def list_files(
    git: Git,
    tree: Oid,
    paths: Sequence[PurePosixPath] = (),
    suffixes: tuple[str, ...] = ("",),
) -> list[TreeFile]:
    """Return the result of list_entries as TreeFiles."""
    return [
        TreeFile(PurePosixPath(name), mode, oid)
        for name, (mode, oid) in list_entries(git, tree, paths, suffixes).items()
    ]


class ResolvedPath(NamedTuple):
    """A path of a tree, the id of its object, and whether it is a folder."""

    path: PurePosixPath
    oid: Oid
    is_folder: bool


def resolve_paths(git: Git, tree: Oid, paths: Sequence[PurePosixPath]) -> list[ResolvedPath]:
    """Return the objects at the paths. Raises RefusedError if a path does not exist."""
    names = [f"{tree}:" + ("" if str(path) == "." else str(path)) for path in paths]
    # A path cannot contain a newline: git would read it as two.
    answers = find_objects(git, [name.replace("\n", "\0") for name in names])
    found = []
    for path, answer in zip(paths, answers, strict=True):
        if answer is None or answer[1] not in ("blob", "tree"):
            raise RefusedError(f"the tree has no {path}", hint="`git ls-tree -r` lists its files")
        found.append(ResolvedPath(path, answer[0], answer[1] == "tree"))
    return found


def list_changed(git: Git, since: Oid, base: Oid) -> frozenset[PurePosixPath]:
    """Return the files of `base` that are missing from `since` or have another content there."""
    args = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d")
    names = git.run(*args, since, base).stdout.split(b"\0")
    return frozenset(
        PurePosixPath(name.decode("utf-8", "surrogateescape")) for name in names if name
    )


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

    None if the repository does not have the old tree. No paths means the whole trees.
    """
    args = ("--literal-pathspecs", "diff-tree", "-r", "-z", "--raw", "--no-renames", old, new)
    done = git.run(*args, "--", *map(str, paths), ok=None)
    if done.returncode != 0:
        return None
    before = set()
    after = {}
    for change in parse_raw_diff(done.stdout):
        if not change.path.endswith(suffixes):
            continue
        if change.old_mode in _REGULAR:
            before.add(PurePosixPath(change.path))
        if change.mode in _REGULAR:
            after[change.path] = (change.mode, change.oid)
    return TreeChanges(frozenset(before), after)


def read_blobs(git: Git, oids: Sequence[Oid]) -> Iterator[bytes]:
    """Yield the contents of blobs in their order, not all in memory at once.

    Raises MissingObjectsError, with all blobs that the repository lacks.
    """
    for start in range(0, len(oids), _AT_ONCE):
        for found in read_objects(git, oids[start : start + _AT_ONCE]):
            if found is None:
                raise MissingObjectsError(find_missing(git, oids))
            yield found[1]
