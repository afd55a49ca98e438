# SPDX-License-Identifier: GPL-2.0-or-later
"""Read git objects one by one from a single `git cat-file --batch`, which GitPython keeps running.

GitPython adds to patchgen's own environment and removes nothing, so each variable that would point
git to other objects is set to its right value (git(1), ENVIRONMENT VARIABLES).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from patchgen.git_environment import reading_environment
from patchgen.model.base import Oid

if TYPE_CHECKING:
    import git


class ObjectReader:
    """Reads objects of the repository in `git_dir`, whose refs and objects are in `common_dir`."""

    def __init__(self, git_dir: Path, common_dir: Path):
        import git

        # Not git.Repo, which obeys GIT_WORK_TREE and core.worktree and starts git there.
        self._git: git.Git = git.Git(str(git_dir))
        self._git.update_environment(
            **reading_environment(),
            GIT_DIR=str(git_dir),
            GIT_COMMON_DIR=str(common_dir),
            GIT_OBJECT_DIRECTORY=str(common_dir / "objects"),
            GIT_ALTERNATE_OBJECT_DIRECTORIES="",
            GIT_WORK_TREE=str(git_dir),
            GIT_NAMESPACE="",
        )

    def read(self, oid: Oid) -> bytes | None:
        """Return the content of an object of any kind, or None if the repository lacks it."""
        try:
            *_, content = self._git.get_object_data(oid)
        except ValueError:
            return None
        return bytes(content)

    def close(self) -> None:
        """End the process."""
        self._git.clear_cache()
