# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a repository is: its folders, as git finds them, or the reason why git does not open it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import BaseError
from patchgen.git_environment import reading_environment
from patchgen.odb.alternates import check_alternates
from patchgen.process import run

_ASKED = (
    "--is-bare-repository",
    "--show-object-format",
    "--git-dir",
    "--git-common-dir",
    # git has no answer to the last one in a bare repository, and inside of .git.
    "--show-toplevel",
)
_FOREIGN = re.compile(r"detected dubious ownership in repository at '(?P<path>.*?)'\n", re.DOTALL)
_TRUST = re.compile(r"^\s*(?P<command>git config --global --add safe\.directory .+)\Z", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Location:
    """The folders of a repository.

    `own_dir` is the git folder of its own that a linked work tree has, `git_dir` the one with all
    refs and objects; they are the same where there is one work tree. `work_tree` is None for a
    bare repository. `object_format` is "sha1" or "sha256".
    """

    own_dir: Path
    git_dir: Path
    work_tree: Path | None
    object_format: str


def locate(path: Path) -> Location:
    """Find the repository that a folder is in, by git's rules for that.

    Raises BaseError where there is none, where git refuses it because it belongs to another user,
    and where objects that it borrows from another repository are gone.
    """
    is_bare, object_format, own, common, top = _ask(path)
    own_dir, git_dir = _to_path(own), _real(_to_path(common))
    work_tree = None
    if is_bare != b"true":
        work_tree = _choose_work_tree(_real(path), own_dir, _to_path(top) if top else None)
    check_alternates(git_dir / "objects")
    return Location(own_dir, git_dir, work_tree, object_format.decode())


def _ask(path: Path) -> list[bytes]:
    """Return git's answers; the last one is b"" where git has none."""
    argv = ["git", "-C", str(path), "rev-parse", "--path-format=absolute"]
    env = reading_environment()
    done = run([*argv, *_ASKED], env=env, ok=None)
    answers = done.stdout.removesuffix(b"\n").split(b"\n")
    if done.returncode == 0 and len(answers) == len(_ASKED):
        return answers
    # A path may have a newline in it; alone, each answer ends with one more.
    answers = []
    for question in _ASKED:
        done = run([*argv, question], env=env, ok=None)
        if done.returncode != 0 and question != _ASKED[-1]:
            raise _refusal(path, done.stderr)
        answers.append(done.stdout.removesuffix(b"\n") if done.returncode == 0 else b"")
    return answers


def _choose_work_tree(path: Path, own_dir: Path, top: Path | None) -> Path | None:
    """Return the work tree that the path is in.

    core.worktree may name any folder of the machine. It counts where the path is in that folder,
    as it is in a submodule.
    """
    if top is not None and path.is_relative_to(_real(top)):
        return _real(top)
    return _real(own_dir).parent if own_dir.name == ".git" else None


def _refusal(path: Path, stderr: bytes) -> BaseError:
    errors = os.fsdecode(stderr)
    if (foreign := _FOREIGN.search(errors)) is not None:
        trust = _TRUST.search(errors)
        command = trust["command"].strip() if trust else "see safe.directory in git-config(1)"
        return BaseError(
            f"{foreign['path']} belongs to another user, and git does not open it",
            hint=f"if you trust its owner: {command}",
        )
    why = next((line for line in reversed(errors.splitlines()) if line.startswith("fatal: ")), "")
    why = why.removeprefix("fatal: ") or "git gives no reason"
    if not path.exists() or "not a git repository" in why:
        return BaseError(
            f"{path} is not in a git repository",
            hint="name the kernel's git tree",
            parameters=("tree",),
        )
    return BaseError(f"{path}: git cannot open the repository: {why}")


def _real(path: Path) -> Path:
    """Return a path without links. Path.resolve() raises RuntimeError for a loop of links."""
    return Path(os.path.realpath(path))


def _to_path(name: bytes) -> Path:
    return Path(os.fsdecode(name))
