"""A git repository as patchgen uses it: where it is, what its names mean, who commits.

The only room that imports GitPython or runs git plumbing. Nothing here touches a work tree, an
index or HEAD, and hooks never run.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from patchgen.errors import BaseError, ToolError, UsageError
from patchgen.model.base import Oid
from patchgen.model.series import Identity, Signatures
from patchgen.process import Completed, run, stream

if TYPE_CHECKING:
    import git

MINIMUM_GIT = (2, 39)
_SHA1_DIGITS = 40
# So many processes of git's take less time than GitPython to be imported and to ask for versions.
_FEW_READS = 16


class Repository:
    """An opened repository: bare or not, a linked work tree, a shallow clone."""

    def __init__(self, path: Path):
        """Open the repository that `path` is in.

        Raises BaseError where there is none.
        """
        # Whose repository it is does not matter: nothing of it is executed.
        words = ("-c", "safe.directory=*", "-C", str(path), "rev-parse", "--path-format=absolute")
        asked = ("--git-dir", "--git-common-dir", "--is-bare-repository", "--show-toplevel")
        done = run(["git", *words, *asked], env=neutral_environment(), ok=None)
        said = os.fsdecode(done.stdout).splitlines()
        if len(said) < len(asked) - 1:
            raise _no_repository(path, done.errors)
        # The one of a linked work tree, and the one that has all refs and objects.
        self._own_dir = Path(said[0])
        self.git_dir = Path(said[1]).resolve()
        self.work_tree = _find_work_tree(self._own_dir, said[2] == "true", said[3:])
        self._reader: git.Repo | None = None
        self._reads = 0

    @property
    def top(self) -> Path:
        """The top of the work tree, or the repository itself where it is bare."""
        return self.work_tree or self.git_dir

    def read_blob(self, oid: Oid) -> bytes | None:
        """Return the content of a blob, or None where the repository lacks it."""
        self._reads += 1
        # GitPython 3.1 takes no header with a SHA-256 id from its cat-file.
        if self._reads <= _FEW_READS or len(oid) != _SHA1_DIGITS:
            done = self.run("cat-file", "blob", oid, ok=None)
            return done.stdout if done.returncode == 0 else None
        try:
            # GitPython keeps one `git cat-file --batch` running for all reads.
            *_, content = self._open_reader().git.get_object_data(oid)
        except ValueError:
            return None
        return bytes(content)

    def _open_reader(self) -> git.Repo:
        if self._reader is None:
            import git

            self._reader = git.Repo(self._own_dir)
        return self._reader

    def read_path(self, tree: Oid, path: str) -> bytes | None:
        """Return the content of one file of a tree, or None where there is none."""
        done = self.run("cat-file", "blob", f"{tree}:{path}", ok=None)
        return done.stdout if done.returncode == 0 else None

    def close(self) -> None:
        """End the processes that serve reads."""
        if self._reader is not None:
            self._reader.close()

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] | None = (0,),
        detached: bool = False,
    ) -> Completed:
        """Run git plumbing in this repository, without hooks and in the C locale."""
        environment = {**neutral_environment(), **(env or {})}
        argv = [*self._git_words(), *words]
        return run(argv, stdin=stdin, env=environment, ok=ok, detached=detached)

    def stream(self, *words: str, ok: tuple[int, ...] = (0,)) -> Iterator[bytes]:
        """Run git plumbing like `run`, and yield what it prints in pieces as they come."""
        return stream([*self._git_words(), *words], env=neutral_environment(), ok=ok)

    def _git_words(self) -> list[str]:
        return ["git", "--git-dir", str(self._own_dir), "-c", "core.hooksPath=/dev/null"]

    def resolve_commit(self, revision: str, option: str = "--base") -> Oid:
        """Return the id of the commit that a revision names; `option` is where the user gave it.

        Raises BaseError where it names none, UsageError where it is an option.
        """
        if revision.startswith("-") or "\n" in revision:
            raise UsageError(f"{revision!r} is not a revision")
        words = ("-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify")
        done = self.run(*words, f"{revision}^{{commit}}", ok=None)
        if match := re.search(r"^warning: refname '(.*)' is ambiguous", done.errors, re.MULTILINE):
            raise BaseError(
                f"{match[1]!r} is ambiguous: a branch and a tag have that name",
                hint=f"write refs/heads/{match[1]} or refs/tags/{match[1]}",
            )
        if done.returncode != 0:
            raise BaseError(
                f"{self.top} has no commit {revision!r}",
                hint=f"{option} takes a branch, a tag or a commit id",
            )
        return Oid(done.stdout.decode().strip())

    def resolve_tree(self, commit: Oid) -> Oid:
        """Return the id of a commit's tree."""
        return Oid(self.run("rev-parse", "--verify", f"{commit}^{{tree}}").stdout.decode().strip())

    def find_ref(self, ref: str) -> Oid | None:
        """Return what a full ref name points at, or None."""
        done = self.run("rev-parse", "--verify", "--quiet", ref, ok=None)
        return Oid(done.stdout.decode().strip()) if done.returncode == 0 else None

    def find_head_branch(self) -> str | None:
        """Return the branch that is checked out, None where HEAD is detached."""
        # With --short, a branch that has a tag's name is heads/NAME.
        done = self.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))
        return done.stdout.decode().strip().removeprefix("refs/heads/") or None

    def resolve_branch(self, name: str | None) -> tuple[str, Oid]:
        """Return a branch and its last commit; None means the one that is checked out.

        Raises UsageError where none is, BaseError where there is no such branch.
        """
        branch = name or self.find_head_branch()
        if branch is None:
            raise UsageError("HEAD is on no branch", hint="name the branch of the series")
        tip = self.find_ref(f"refs/heads/{branch}")
        if tip is None:
            raise BaseError(f"there is no branch {branch!r}", hint="`git branch` lists them")
        return branch, tip

    def describe(self, commit: Oid) -> str:
        """Return the tag on a commit where there is one, else its abbreviated id."""
        done = self.run("describe", "--tags", "--exact-match", commit, ok=None)
        return done.stdout.decode().strip() if done.returncode == 0 else commit[:12]

    def check_branch_name(self, branch: str) -> str:
        """Return the full ref name of a branch. Raises UsageError for a name that git refuses."""
        done = self.run("check-ref-format", "--branch", branch, ok=None)
        if done.returncode != 0 or branch.startswith(("-", "@")):
            raise UsageError(f"{branch!r} is not a branch name that git takes")
        return f"refs/heads/{branch}"

    def find_checkout(self, ref: str) -> Path | None:
        """Return the work tree that has a branch checked out, or None."""
        listing = self.run("worktree", "list", "--porcelain").stdout.decode()
        for entry in listing.split("\n\n"):
            lines = entry.splitlines()
            if f"branch {ref}" in lines:
                return Path(lines[0].removeprefix("worktree "))
        return None

    def read_signatures(self, *, as_of: Oid | None = None) -> Signatures:
        """Return author and committer as git would record them now.

        With SOURCE_DATE_EPOCH set (reproducible-builds.org), both dates are that moment, in UTC.
        With `as_of`, they are that commit's date, so that what was made with it is made again.
        Raises ToolError where git has no identity, UsageError for a date that is none.
        """
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        date = f"{_check_epoch(epoch)} +0000" if epoch else f"{int(time.time())} {_zone()}"
        if as_of is not None:
            words = ("show", "--no-patch", "--date=raw", "--format=%cd", as_of)
            date = self.run(*words).stdout.decode().strip()
        return Signatures(
            self._read_identity("GIT_AUTHOR_IDENT", date),
            self._read_identity("GIT_COMMITTER_IDENT", date),
        )

    def _read_identity(self, name: str, date: str) -> Identity:
        done = self.run("-c", "user.useConfigOnly=true", "var", name, ok=None)
        match = re.fullmatch(
            r"(?P<name>.*) <(?P<email>[^<>]*)> \d+ [-+]\d{4}",
            done.stdout.decode("utf-8", "replace").strip(),
        )
        if done.returncode != 0 or match is None:
            said = done.errors.splitlines()[-1:] or ["no reason given"]
            raise ToolError(
                f"git does not know who you are ({said[0].removeprefix('fatal: ')})",
                hint="git config user.name NAME; git config user.email ADDRESS",
            )
        return Identity(match["name"], match["email"], date)


def _find_work_tree(own_dir: Path, is_bare: bool, top: list[str]) -> Path | None:
    if top:
        return Path(top[0]).resolve()
    # From inside of .git, git names no work tree.
    return own_dir.resolve().parent if own_dir.name == ".git" and not is_bare else None


def _no_repository(path: Path, errors: str) -> BaseError:
    said = errors.splitlines()[-1:] or [""]
    why = said[0].removeprefix("fatal: ")
    if not path.exists() or "not a git repository" in why:
        return BaseError(
            f"{path} is not in a git repository", hint="name the kernel's git tree with --tree"
        )
    return BaseError(f"{path}: git cannot open the repository: {why}")


def git_version() -> str:
    """Return git's version. Raises ToolError where git is missing or too old."""
    said = run(["git", "--version"]).stdout.decode()
    match = re.search(r"(\d+)\.(\d+)(?:\.\d+)*", said)
    if match is None:
        raise ToolError(f"git does not say its version: {said.strip()!r}")
    if (int(match[1]), int(match[2])) < MINIMUM_GIT:
        wanted = ".".join(map(str, MINIMUM_GIT))
        raise ToolError(f"git {match[0]} is too old; {wanted} or later is needed")
    return match[0]


def find_git_subcommand(name: str) -> Callable[[], str]:
    """Return a function that gives the path of a git subcommand, or raises ToolError."""

    def find() -> str:
        path = Path(run(["git", "--exec-path"]).stdout.decode().strip()) / f"git-{name}"
        if not path.is_file():
            raise ToolError("not installed")
        return str(path)

    return find


# Of git's own variables, who commits and how git runs are the user's to say. All others lead it to
# another repository (a hook or an alias that calls patchgen leaves GIT_DIR set) or change what it
# prints (GIT_DIFF_OPTS, GIT_ICASE_PATHSPECS).
_KEPT = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG",
    "GIT_CEILING_",
    "GIT_EXEC_PATH",
    "GIT_TRACE",
)


def neutral_environment() -> dict[str, str]:
    """Return the environment for git: the user's own, but for what would lead it elsewhere."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return {**env, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def _check_epoch(epoch: str) -> int:
    if not re.fullmatch(r"\d{1,11}", epoch):
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}: seconds since 1970 are wanted")
    return int(epoch)


def _zone() -> str:
    return time.strftime("%z")
