# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the files that a series adds against the tree that they are added to.

git fast-import does not check them: a file added at the path of a folder replaces the folder, a
file below a file replaces that file, and `.git/hooks/x` becomes a tree that git refuses to check
out. So added files are checked before anything is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import CommitDraft
from patchgen.model.treepath import refuse_tree_path
from patchgen.odb.plumbing import Git
from patchgen.odb.tree import FOLDER, SUBMODULE, open_tree

_KINDS = {FOLDER: "a folder", SUBMODULE: "a submodule"}


def check_additions(git: Git, base: Oid, drafts: Sequence[CommitDraft]) -> None:
    """Refuse to add a file that would replace another, or whose path git does not check out.

    Raises RefusedError that names the commit, the path, and what would be replaced.
    """
    added = [
        (draft.subject, edit.path, edit.mode)
        for draft in drafts
        for edit in draft.edits
        if edit.before is None
    ]
    if not added:
        return
    tree = open_tree(git, base)
    names: dict[PurePosixPath, str] = {}
    folders: dict[PurePosixPath, str] = {}
    for subject, path, mode in added:
        if (reason := refuse_tree_path(str(path), mode)) is not None:
            raise RefusedError(
                f'"{subject}" adds the file {str(path)!r}; this path {reason}',
                code="name-invalid",
            )
        for folder in _with_above(path):
            entry = tree.get(str(folder))
            if entry is not None and (folder == path or entry[0] != FOLDER):
                kind = _KINDS.get(entry[0], "a file")
                raise RefusedError(
                    f'"{subject}" adds {path}, but the base has {kind} at {folder}',
                    code="path-added-twice",
                )
            if folder in names:
                raise RefusedError(
                    f'"{subject}" adds {path}, but "{names[folder]}" adds a file {folder}',
                    code="path-added-twice",
                )
        if path in folders:
            raise RefusedError(
                f'"{subject}" adds {path}, but "{folders[path]}" adds a file below it',
                code="path-added-twice",
            )
        names[path] = subject
        folders |= dict.fromkeys(_with_above(path)[1:], subject)


def _with_above(path: PurePosixPath) -> list[PurePosixPath]:
    """Return a path and the folders above it, without the top of the tree."""
    return [path, *list(path.parents)[:-1]]
