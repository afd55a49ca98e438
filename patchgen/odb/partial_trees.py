# SPDX-License-Identifier: GPL-2.0-or-later
"""Write trees that contain only a few files, or differ in a few files from another.

A merge of trees with only these files finds no other renames.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.odb.plumbing import parse_raw_diff
from patchgen.odb.quarantine import Quarantine
from patchgen.odb.tree import FILES, read_files
from patchgen.scratch import scratch_folder

TreeFiles = Mapping[PurePosixPath, TreeFile]


def write_tree(
    quarantine: Quarantine,
    files: TreeFiles,
    *,
    base: Oid | None = None,
    without: Iterable[PurePosixPath] = (),
) -> Oid:
    """Write a tree of exactly these files, or of those of `base`, `without` some, and these."""
    # Mode 0 removes an entry (git-update-index(1), "Using --index-info").
    entries = [(path, f"0 {'0' * len(base or '')}") for path in without]
    entries += [(path, f"{file.mode} {file.oid}") for path, file in files.items()]
    lines = (f"{entry}\t".encode() + os.fsencode(str(path)) + b"\0" for path, entry in entries)
    with scratch_folder("index") as folder:
        env = {"GIT_INDEX_FILE": str(folder / "index")}
        if base is not None:
            quarantine.run("read-tree", base, env=env)
        quarantine.run("update-index", "-z", "--index-info", stdin=b"".join(lines), env=env)
        return Oid(quarantine.run("write-tree", env=env).stdout.decode().strip())


def move_files(
    quarantine: Quarantine, tree: Oid, moves: Mapping[PurePosixPath, PurePosixPath]
) -> Oid:
    """Return a tree with some files renamed."""
    files = read_files(quarantine, tree, moves)
    renamed = {moves[path]: file for path, file in files.items()}
    return write_tree(quarantine, renamed, base=tree, without=files)


def find_renames(
    quarantine: Quarantine, old: Oid, new: Oid, missing: TreeFiles
) -> dict[PurePosixPath, PurePosixPath]:
    """Return the new names of files that the first tree has and the second has not.

    A file is renamed if git says so: half of its content is the same (git-diff(1), -M). Only new
    files with the same suffix are compared.
    """
    if not missing:
        return {}
    suffixes = {path.suffix for path in missing}
    added = _read_added(quarantine, old, new, suffixes)
    if not added:
        return {}
    trees = (write_tree(quarantine, missing), write_tree(quarantine, added))
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
        if change.mode in FILES and path.suffix in suffixes:
            added[path] = TreeFile(path, change.mode, change.oid)
    return added
