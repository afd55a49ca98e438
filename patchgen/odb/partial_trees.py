# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a few files of a tree, and write trees that contain nothing else.

A question about ten files then does not walk a kernel of 80,000 files, and a merge of trees with
only these ten finds no other renames.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.odb.plumbing import Git, list_tree, parse_raw_diff
from patchgen.odb.quarantine import Quarantine
from patchgen.scratch import scratch_folder

TreeFiles = Mapping[PurePosixPath, TreeFile]

_KINDS = frozenset({"100644", "100755", "120000"})
# Number of paths in one git command; the kernel's longest paths have 100 bytes.
_AT_ONCE = 5000


def read_files(
    git: Git, tree: str, paths: Iterable[PurePosixPath]
) -> dict[PurePosixPath, TreeFile]:
    """Return those of the paths that are files or links in a tree; `tree` is any tree-ish."""
    found: dict[PurePosixPath, TreeFile] = {}
    wanted = set(paths)
    left = iter(sorted(wanted))
    while chunk := list(islice(left, _AT_ONCE)):
        for mode, _, oid, name in list_tree(git, tree, [*map(str, chunk)], "-r"):
            path = PurePosixPath(name)
            # A path may name a folder; git then lists the files in it.
            if path in wanted and mode in _KINDS:
                found[path] = TreeFile(path, mode, oid)
    return found


def write_tree(quarantine: Quarantine, files: TreeFiles) -> Oid:
    """Write a tree of exactly these files."""
    entries = b"".join(
        f"{file.mode} {file.oid}\t".encode() + os.fsencode(str(path)) + b"\0"
        for path, file in files.items()
    )
    with scratch_folder("index") as folder:
        env = {"GIT_INDEX_FILE": str(folder / "index")}
        quarantine.run("update-index", "-z", "--index-info", stdin=entries, env=env)
        return Oid(quarantine.run("write-tree", env=env).stdout.decode().strip())


def find_renames(
    quarantine: Quarantine, old: Oid, new: Oid, lost: TreeFiles
) -> dict[PurePosixPath, PurePosixPath]:
    """Return the new names of files that the first tree has and the second has not.

    A file is renamed if git says so: half of its content is the same (git-diff(1), -M). Only new
    files with the same suffix are compared.
    """
    if not lost:
        return {}
    suffixes = {path.suffix for path in lost}
    added = _read_added(quarantine, old, new, suffixes)
    if not added:
        return {}
    trees = (write_tree(quarantine, lost), write_tree(quarantine, added))
    # No limit to the number of comparisons (-l0): one side is small.
    args = ("diff-tree", "-r", "-z", "-M", "-l0", "--diff-filter=R", "--name-status")
    fields = quarantine.run(*args, *trees).stdout.split(b"\0")[:-1]
    names = [PurePosixPath(os.fsdecode(field)) for field in fields]
    return dict(zip(names[1::3], names[2::3], strict=True))


def _read_added(
    quarantine: Quarantine, old: Oid, new: Oid, suffixes: Collection[str]
) -> dict[PurePosixPath, TreeFile]:
    args = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--diff-filter=A")
    added = {}
    for change in parse_raw_diff(quarantine.run(*args, old, new).stdout):
        path = PurePosixPath(change.path)
        if change.mode in _KINDS and path.suffix in suffixes:
            added[path] = TreeFile(path, change.mode, change.oid)
    return added
