# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository in a scratch folder that borrows the real one's objects.

New objects stay there until they are copied over. It does not use the real repository's refs,
index, hooks or configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from patchgen.git_environment import scratch_environment
from patchgen.odb.partial_view import write_skeleton
from patchgen.odb.repository import Repository
from patchgen.process import Completed, run


def create_scratch(repository: Repository, git_dir: Path, *, bare: bool) -> None:
    """Make `git_dir` a repository with all objects of another, and none of its refs."""
    write_skeleton(git_dir, repository.location, bare=bare)
    (git_dir / "refs/heads").mkdir(parents=True)


def run_in_scratch(
    *args: str,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] | None = (0,),
) -> Completed:
    """Run git in a scratch repository, without the user's configuration."""
    environment = {**scratch_environment(), **(env or {})}
    return run(["git", "--no-pager", *args], stdin=stdin, cwd=cwd, env=environment, ok=ok)
