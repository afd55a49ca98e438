# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed git, and the folders of a repository, or the reason why git does not open it.

A repository may borrow objects from others. The format of objects/info/alternates
(gitrepository-layout(5), and parse_alt_odb_entry() in git's object-file.c): one folder per line;
`#` begins a comment; a line that begins with `"` is a C string. A relative path starts at the
borrowing repository's `objects`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import RefusedError, ToolError
from patchgen.git_environment import reading_environment
from patchgen.process import run
from patchgen.quoting import unquote_path

MINIMUM_GIT = (2, 39)
# Git does not follow longer chains of alternates.
_DEEPEST = 6
_QUESTIONS = (
    "--is-bare-repository",
    "--show-object-format",
    "--git-dir",
    "--git-common-dir",
    # In a bare repository, and inside of .git, git does not answer this one.
    "--show-toplevel",
)
_FOREIGN = re.compile(r"detected dubious ownership in repository at '(?P<path>.*?)'\n", re.DOTALL)
_TRUST = re.compile(r"^\s*(?P<command>git config --global --add safe\.directory .+)\Z", re.M | re.S)


def git_version() -> str:
    """Return git's version. Raises ToolError if git is missing or too old."""
    output = run(["git", "--version"]).stdout.decode()
    match = re.search(r"(\d+)\.(\d+)(?:\.\d+)*", output)
    if match is None:
        raise ToolError(
            f"git does not report its version: {output.strip()!r}", code="program-version"
        )
    if (int(match[1]), int(match[2])) < MINIMUM_GIT:
        minimum = ".".join(map(str, MINIMUM_GIT))
        raise ToolError(
            f"git {match[0]} is too old; version {minimum} or later is needed",
            code="program-version",
        )
    return match[0]


def find_git_subcommand(name: str) -> Path | None:
    """Return the path of a git subcommand's program, None if it is not installed."""
    path = Path(run(["git", "--exec-path"]).stdout.decode().strip()) / f"git-{name}"
    return path if path.is_file() else None


@dataclass(frozen=True, slots=True)
class Location:
    """The folders of a repository.

    `own_dir` is the git folder of a linked work tree, `git_dir` the one with all refs and objects;
    they are the same for the main work tree. `work_tree` is None for a bare repository.
    `object_format` is "sha1" or "sha256".
    """

    own_dir: Path
    git_dir: Path
    work_tree: Path | None
    object_format: str


def locate(path: Path) -> Location:
    """Find the repository that contains a folder, by git's rules.

    Raises RefusedError if the folder is not in one, if git refuses it because it belongs to another
    user, and if another repository that it borrows objects from is gone.
    """
    is_bare, object_format, own_name, common_name, top_name = _ask(path)
    own_dir, git_dir = _to_path(own_name), _real(_to_path(common_name))
    work_tree = None
    if is_bare != b"true":
        work_tree = _choose_work_tree(
            _real(path), own_dir, _to_path(top_name) if top_name else None
        )
    check_alternates(git_dir / "objects")
    return Location(own_dir, git_dir, work_tree, object_format.decode())


def _ask(path: Path) -> list[bytes]:
    """Return git's answers; the last one is b"" if git does not print it."""
    argv = ["git", "-C", str(path), "rev-parse", "--path-format=absolute"]
    env = reading_environment()
    completed = run([*argv, *_QUESTIONS], env=env, ok=None)
    answers = completed.stdout.removesuffix(b"\n").split(b"\n")
    if answers[0] == b"true":
        answers.append(b"")
    elif completed.returncode != 0:
        answers = []
    if len(answers) == len(_QUESTIONS):
        return answers
    # A path may contain newlines. Asked alone, each answer ends with one more newline.
    answers = []
    for question in _QUESTIONS:
        completed = run([*argv, question], env=env, ok=None)
        if completed.returncode != 0 and question != _QUESTIONS[-1]:
            raise _refusal(path, completed.stderr)
        answers.append(completed.stdout.removesuffix(b"\n") if completed.returncode == 0 else b"")
    return answers


def has_tag(path: Path, name: str) -> bool:
    """Return whether the repository that a folder is in has a tag of that name."""
    argv = ["git", "-C", str(path), "rev-parse", "--verify", "--quiet", f"refs/tags/{name}"]
    return run(argv, env=reading_environment(), ok=None).returncode == 0


def find_absent(path: Path, commit: str, files: Collection[str]) -> list[str]:
    """Return those of the files that a commit does not have; [] if git cannot list its files.

    `path` is a folder in the repository.
    """
    options = ("-z", "--full-tree", "--name-only")
    argv = ["git", "-C", str(path), "ls-tree", *options, commit, "--", *files]
    listed = run(argv, env=reading_environment(), ok=None)
    if listed.returncode != 0:
        return []
    present = listed.stdout.split(b"\0")
    return [name for name in files if os.fsencode(name) not in present]


def check_alternates(objects: Path) -> None:
    """Raise RefusedError if a folder that objects are borrowed from does not exist."""
    seen: set[Path] = set()
    pending = [(objects, 0)]
    while pending:
        folder, depth = pending.pop()
        file = folder / "info" / "alternates"
        for alternate in read_alternates(folder):
            if not alternate.is_dir():
                raise RefusedError(
                    f"{objects.parent} borrows objects from {alternate}, which does not exist",
                    code="repository-unreadable",
                    hint=f"restore that folder, or correct its path in {file}",
                )
            if alternate not in seen and depth < _DEEPEST:
                seen.add(alternate)
                pending.append((alternate, depth + 1))


def read_alternates(objects: Path) -> Iterator[Path]:
    """Yield the folders that an object folder borrows from directly."""
    try:
        lines = (objects / "info" / "alternates").read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as err:
        raise RefusedError(
            f"{err.filename} cannot be read: {err.strerror}", code="repository-unreadable"
        ) from None
    for line in lines:
        if line and not line.startswith(b"#"):
            yield objects / os.fsdecode(unquote_path(line))


def _choose_work_tree(path: Path, own_dir: Path, top: Path | None) -> Path | None:
    """Return the work tree that contains the path.

    core.worktree may name any folder of the machine. It is used only if the path is in that folder,
    as in a submodule.
    """
    if top is not None and path.is_relative_to(_real(top)):
        return _real(top)
    return _real(own_dir).parent if own_dir.name == ".git" else None


def _refusal(path: Path, stderr: bytes) -> RefusedError:
    errors = os.fsdecode(stderr)
    if (foreign := _FOREIGN.search(errors)) is not None:
        trust = _TRUST.search(errors)
        command = trust["command"].strip() if trust else "see safe.directory in git-config(1)"
        return RefusedError(
            f"{foreign['path']} belongs to another user; git refuses to open it",
            code="repository-unreadable",
            hint=f"if you trust its owner: {command}",
        )
    reason = next(
        (line for line in reversed(errors.splitlines()) if line.startswith("fatal: ")), ""
    )
    reason = reason.removeprefix("fatal: ") or "git gives no reason"
    if not path.exists() or "not a git repository" in reason:
        return RefusedError(
            f"{path} is not in a git repository",
            code="not-a-repository",
            hint="name the kernel's git tree",
            parameters=("tree",),
        )
    return RefusedError(
        f"{path}: git cannot open the repository: {reason}", code="repository-unreadable"
    )


def _real(path: Path) -> Path:
    """Resolve links in a path. Path.resolve() would raise RuntimeError for a loop of links."""
    return Path(os.path.realpath(path))


def _to_path(name: bytes) -> Path:
    return Path(os.fsdecode(name))
