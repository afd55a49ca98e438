"""A repository in a scratch folder that borrows the real one's objects.

What is written to it stays there until it is copied over; the real repository's refs, index, hooks
and configuration take no part.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from patchgen.odb.repository import Repository, neutral_environment
from patchgen.process import Completed, run


def create_scratch(repository: Repository, git_dir: Path, *, bare: bool) -> None:
    """Make `git_dir` a repository that has all objects of another, and none of its refs."""
    object_format = repository.run("rev-parse", "--show-object-format").stdout.decode()
    for folder in ("objects/info", "refs/heads"):
        (git_dir / folder).mkdir(parents=True)
    (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
    sha256 = object_format.strip() == "sha256"
    (git_dir / "config").write_text(
        f"[core]\n\tbare = {'true' if bare else 'false'}\n"
        + (
            "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"
            if sha256
            else "\trepositoryformatversion = 0\n"
        )
    )
    alternates = git_dir / "objects/info/alternates"
    alternates.write_bytes(os.fsencode(repository.git_dir / "objects") + b"\n")
    if (repository.git_dir / "shallow").is_file():
        shutil.copyfile(repository.git_dir / "shallow", git_dir / "shallow")


def run_in_scratch(
    *words: str,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    ok: tuple[int, ...] | None = (0,),
) -> Completed:
    """Run git in a scratch repository, with no configuration but its own and what is given."""
    neutral = {
        **{k: v for k, v in neutral_environment().items() if not k.startswith("GIT_CONFIG")},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **(env or {}),
    }
    return run(["git", *words], stdin=stdin, cwd=cwd, env=neutral, ok=ok)
