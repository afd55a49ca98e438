# SPDX-License-Identifier: GPL-2.0-or-later
"""List many files of a tree, and read their contents, with few git processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from patchgen.errors import BaseError, MissingObjectsError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb.commits import Git
from patchgen.odb.missing import find_missing

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
    args = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", tree]
    listing = git.run(*args, "--", *map(str, paths)).stdout
    found = {}
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        # "100644 blob OID", a tab, and the path
        if entry.endswith(suffixes) and entry.startswith(_REGULAR):
            head, _, name = entry.partition("\t")
            found[name] = (head[:6], Oid(head[12:]))
    return found


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
    """Return the objects at the paths. Raises BaseError if a path does not exist."""
    names = [f"{tree}:" + ("" if str(path) == "." else str(path)) for path in paths]
    # A path cannot contain a newline: git would read it as two.
    stdin = "".join(name.replace("\n", "\0") + "\n" for name in names)
    answers = git.run(
        "cat-file", "--batch-check", stdin=stdin.encode("utf-8", "surrogateescape")
    ).stdout.decode("utf-8", "surrogateescape")
    found = []
    for path, line in zip(paths, answers.splitlines(), strict=True):
        # "OID blob 123", or "NAME missing"
        oid, _, rest = line.partition(" ")
        if not rest.startswith(("blob ", "tree ")) or not rest[5:].isdigit():
            raise BaseError(
                f"the tree has no {path}", hint="paths are relative to the top of the tree"
            )
        found.append(ResolvedPath(path, Oid(oid), rest.startswith("tree ")))
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
    fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    # ":100644 100644 OID OID M", then the path.
    for head, name in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, _, oid, _ = head.removeprefix(":").split(" ")
        if not name.endswith(suffixes):
            continue
        if old_mode in _REGULAR:
            before.add(PurePosixPath(name))
        if mode in _REGULAR:
            after[name] = (mode, Oid(oid))
    return TreeChanges(frozenset(before), after)


def read_blobs(git: Git, oids: Sequence[Oid]) -> Iterator[bytes]:
    """Yield the contents of blobs in their order, not all in memory at once.

    Raises MissingObjectsError, with all blobs that the repository lacks.
    """
    for start in range(0, len(oids), _AT_ONCE):
        part = oids[start : start + _AT_ONCE]
        stdin = "".join(f"{oid}\n" for oid in part).encode()
        out = git.run("cat-file", "--batch", "--buffer", stdin=stdin).stdout
        at = 0
        for _ in part:
            end = out.index(b"\n", at)
            header = out[at:end].split()
            if len(header) != 3:
                raise MissingObjectsError(find_missing(git, oids))
            begin = end + 1
            at = begin + int(header[2]) + 1
            yield out[begin : at - 1]
