# SPDX-License-Identifier: GPL-2.0-or-later
"""Replace the folders that the user named for a new variant by globs, which manifests have."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError
from patchgen.model.base import glob_below, is_glob
from patchgen.odb import GitTree, Repository, is_folder


def expand_folders(tree: Path, on: Sequence[str]) -> tuple[str, ...]:
    """Return paths and globs, each folder of HEAD replaced by a glob for the C files below it.

    Without a tree, only a name that ends with a slash is a folder. As in the paths of `run`, `./`
    and the slash at the end are left out.
    """
    # An empty pattern is the manifest's error.
    plain = [str(PurePosixPath(pattern)) if pattern else "" for pattern in on]
    folders = {path for path, pattern in zip(plain, on, strict=True) if pattern.endswith("/")}
    folders |= _find_folders(tree, plain) | {"."}
    return tuple(glob_below(path) if path in folders else path for path in plain)


def _find_folders(tree: Path, paths: Sequence[str]) -> set[str]:
    names = [path for path in paths if not is_glob(path)]
    try:
        repository = Repository(tree)
    except RefusedError:
        return set()
    with closing(repository):
        try:
            head = repository.resolve_commit("HEAD")
        except RefusedError:
            return set()
        reader = GitTree(repository, repository.resolve_tree(head))
        return {name for name in names if is_folder(reader, name)}
