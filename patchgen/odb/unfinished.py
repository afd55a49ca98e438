# SPDX-License-Identifier: GPL-2.0-or-later
"""Find work on a branch that its commits do not have yet: a rebase, or uncommitted changes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

from patchgen.odb.plumbing import RawChange, make_oid, parse_raw_diff
from patchgen.odb.repository import Repository

# After a copy of the work tree, git lists all files. They are not all read for a warning.
_MAX_READ = 200


def warn_of_unfinished(repository: Repository, branch: str) -> Iterator[str]:
    """Yield a warning for work on a branch that is not in its commits."""
    if branch in _list_rebased(repository):
        yield f"a rebase of {branch} has not ended: these are the patches from before it"
    elif changed := _find_changed(repository, branch):
        yield (
            f"{branch} is checked out, and {changed} has changes that are not committed: the "
            "series does not have them"
        )


def _list_rebased(repository: Repository) -> Iterator[str]:
    """Yield the branches that a rebase in one of the work trees will move when it ends."""
    for folder in (repository.git_dir, *repository.git_dir.glob("worktrees/*")):
        for name in ("rebase-merge", "rebase-apply"):
            path = folder / name / "head-name"
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="surrogateescape")
                yield text.strip().removeprefix("refs/heads/")


def _find_changed(repository: Repository, branch: str) -> str:
    """Return a tracked file of the work tree that differs from the branch, "" without one.

    The branch must be checked out in the work tree that patchgen runs in.
    """
    top = repository.work_tree
    if top is None or repository.find_head_branch() != branch:
        return ""
    # In a submodule, git would run `git status` with the submodule's configuration.
    args = ("diff-index", "--raw", "-z", "--no-renames", "--ignore-submodules=all", "HEAD")
    listed = repository.run("-C", str(top), f"--work-tree={top}", *args, ok=None).stdout
    changes = itertools.islice(parse_raw_diff(listed), _MAX_READ)
    return next((change.path for change in changes if _is_changed(repository, change)), "")


def _is_changed(repository: Repository, change: RawChange) -> bool:
    """Return whether a file differs from its blob; git may have compared its times only."""
    if change.old_mode != change.mode or int(change.oid, 16):
        return True
    assert repository.work_tree is not None
    path = repository.work_tree / change.path
    try:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except OSError:
        return True
    return make_oid("blob", content, like=change.old_oid) != change.old_oid
