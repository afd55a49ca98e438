# SPDX-License-Identifier: GPL-2.0-or-later
"""A git repository as patchgen uses it: its folders, its revisions and refs, its committer.

Only this room imports GitPython or runs git plumbing. It does not touch work trees, indexes or
HEAD, hooks never run, and objects are not fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from patchgen.controls import escape_controls, has_controls
from patchgen.errors import RefusedError, RevisionError, ToolError, UsageError, find_similar
from patchgen.git_environment import reading_environment
from patchgen.interrupts import defer_interrupts
from patchgen.model.base import Oid
from patchgen.model.series import Identity, Signatures
from patchgen.odb.commits import parse_raw_commit
from patchgen.odb.identity import read_date, read_person
from patchgen.odb.missing import explain_failure
from patchgen.odb.objects import ObjectReader
from patchgen.odb.opening import Location, locate
from patchgen.odb.partial_view import PartialView, is_partial_clone
from patchgen.odb.plumbing import Git
from patchgen.process import Completed, run, stream

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Where patchgen and b4 put their branches.
_SERIES_FOLDER = re.compile(r"^(?:patchgen|b4)/")
_LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")
# git accepts each name of this form (git-check-ref-format(1)), so it need not be asked.
_PLAIN_BRANCH = re.compile(r"\w+(?:[-/]\w+)+", re.ASCII)
# Commands that only read objects; in a partial clone they must not fetch them.
_READ_OBJECTS = frozenset(
    {"cat-file", "diff", "diff-tree", "grep", "log", "ls-tree", "merge-base", "rev-list", "show"}
)


class Repository:
    """An opened repository: bare or not, a linked work tree, a shallow or a partial clone."""

    def __init__(self, path: Path):
        """Open the repository that `path` is in.

        Raises RefusedError if it is not in one, or if git refuses to open it.
        """
        location = locate(path)
        self._location = location
        # `_own_dir` belongs to a linked work tree, `git_dir` has all refs and objects.
        self._own_dir = location.own_dir
        self.git_dir = location.git_dir
        self.work_tree = location.work_tree
        self.object_format = location.object_format
        self._view = PartialView(location) if is_partial_clone(location) else None
        git_dirs = (self._own_dir, self.git_dir)
        if self._view is not None:
            git_dirs = (self._view.git_dir, self._view.git_dir)
        self.objects = ObjectReader(*git_dirs, reading_environment())
        self._people: dict[str, tuple[str, str]] = {}
        self._checkouts: dict[str, Path] = {}

    @property
    def location(self) -> Location:
        """The folders of the repository."""
        return self._location

    @property
    def is_partial(self) -> bool:
        """Whether it is a partial clone: objects that a remote promised may be missing."""
        return self._view is not None

    @property
    def top(self) -> Path:
        """The top of the work tree, or the repository's folder if it is bare."""
        return self.work_tree or self.git_dir

    def find_output_top(self, *, writes: bool) -> Path:
        """Return the folder that results go to by default: the top of the work tree.

        For a bare repository it is the current folder. Raises UsageError if the caller `writes`,
        and the folder is inside of the repository, whose files belong to git.
        """
        if self.work_tree is not None:
            return self.work_tree
        if writes and Path.cwd().is_relative_to(self.git_dir):
            raise UsageError(
                f"{self.git_dir} is a bare repository: mails cannot be written into it",
                code="bare-repository",
                hint="run patchgen in another folder",
                alternatives={"output": "name a folder"},
            )
        return Path.cwd()

    def read_blob(self, oid: Oid) -> bytes | None:
        """Return the content of a blob, or None if the repository lacks it."""
        [found] = self.objects.read([oid])
        return found and found[1]

    def close(self) -> None:
        """End the processes that serve reads, and remove the view that they read."""
        self.objects.close()
        if self._view is not None:
            self._view.close()

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] | None = (0,),
        detached: bool = False,
    ) -> Completed:
        """Run git plumbing in this repository, without hooks and in the C locale.

        Raises ToolError if git fails, MissingObjectsError if it fails because objects are missing.
        """
        environment = {**reading_environment(), **(env or {})}
        try:
            return run(
                self._make_argv(args), stdin=stdin, env=environment, ok=ok, detached=detached
            )
        except ToolError as err:
            self.explain(self, args, stdin, err)
            raise

    def stream(self, *args: str, ok: tuple[int, ...] = (0,)) -> Iterator[bytes]:
        """Run git plumbing like `run`, and yield its output piece by piece."""
        try:
            yield from stream(self._make_argv(args), env=reading_environment(), ok=ok)
        except ToolError as err:
            self.explain(self, args, b"", err)
            raise

    def explain(self, git: Git, args: Sequence[str], stdin: bytes, err: ToolError) -> None:
        """Raise MissingObjectsError if missing objects made git fail, here or in a scratch folder.

        Only a partial clone is searched: for other repositories git's own message is better.
        """
        if self.is_partial:
            explain_failure(git, args, stdin, err.message)

    def _make_argv(self, args: Sequence[str]) -> list[str]:
        """Return the arguments of a git that runs in this repository."""
        if self._view is not None and _find_subcommand(args) in _READ_OBJECTS:
            return ["git", "--no-pager", "--git-dir", str(self._view.git_dir), *args]
        # Paths start at the current folder, whatever core.worktree says.
        work_tree = () if self.work_tree is None else ("--work-tree=.",)
        return ["git", "--no-pager", "--git-dir", str(self._own_dir), *work_tree, *args]

    def resolve_commit(self, revision: str) -> Oid:
        """Return the id of the commit that a revision names (gitrevisions(7)).

        Raises RevisionError if it names no commit or several, UsageError if it is an option.
        """
        if revision.startswith("-") or "\n" in revision or "\0" in revision:
            raise UsageError(f"{revision!r} is not a revision", code="revision-unknown")
        args = ("-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify")
        completed = self.run(*args, f"{revision}^{{commit}}", ok=None)
        if match := re.search(
            r"^warning: refname '(.*)' is ambiguous", completed.errors, re.MULTILINE
        ):
            raise RefusedError(
                f"{match[1]!r} is ambiguous: a branch and a tag have that name",
                code="revision-ambiguous",
                hint=f"write refs/heads/{match[1]} or refs/tags/{match[1]}",
            )
        oid = completed.stdout.decode("utf-8", "replace").strip()
        if completed.returncode != 0:
            raise RevisionError(
                f"{self.top} has no commit {revision!r}", revision, code="revision-unknown"
            )
        # git accepts "^REV": everything that is not in the commit.
        if not _OID.fullmatch(oid):
            raise RevisionError(
                f"{revision!r} does not name a single commit", revision, code="revision-ambiguous"
            )
        return Oid(oid)

    def resolve_tree(self, commit: Oid) -> Oid:
        """Return the id of a commit's tree; the tree itself may be missing."""
        [found] = self.objects.read([commit])
        if found is None:
            raise RevisionError(
                f"{self.top} has no commit {commit!r}", commit, code="revision-unknown"
            )
        return parse_raw_commit(found[1]).tree

    def read_config(self, key: str) -> list[str]:
        """Return all values of a setting; the last one takes effect."""
        completed = self.run("config", "--null", "--get-all", key, ok=(0, 1))
        return [value for value in completed.stdout.decode("utf-8", "replace").split("\0") if value]

    def find_ref(self, ref: str) -> Oid | None:
        """Return the object that a full ref name points at, or None."""
        [found] = self.objects.find([ref])
        return found and found[0]

    def find_head_branch(self) -> str | None:
        """Return the current branch, None if HEAD is detached.

        It may be that of the last list of work trees, which saves a process.
        """
        listed = (ref for ref, folder in self._checkouts.items() if folder == self.work_tree)
        if branch := next(listed, None):
            return branch.removeprefix("refs/heads/")
        # With --short, git prints heads/NAME for a branch that shares its name with a tag.
        completed = self.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1))
        return completed.stdout.decode().strip().removeprefix("refs/heads/") or None

    def resolve_branch(self, name: str | None) -> tuple[str, Oid]:
        """Return a branch and its last commit; None means the current branch.

        Raises UsageError if HEAD is detached, RefusedError if the branch does not exist.
        """
        branch = name or self.find_head_branch()
        if branch is None:
            raise UsageError(
                "HEAD is detached", code="branch-unknown", hint="name the branch of the series"
            )
        tip = self.find_ref(f"refs/heads/{branch}")
        if tip is None:
            raise RefusedError(
                f"branch {branch!r} does not exist",
                code="branch-unknown",
                hint=self.suggest_branch(branch),
            )
        return branch, tip

    def suggest_branch(self, name: str) -> str:
        """Return a hint for an unknown branch: the branch with the most similar name, or a command.

        Names are compared without the prefix `patchgen/` or `b4/`, which users often leave out.
        """
        listed = self.run("for-each-ref", "--format=%(refname)", "refs/heads").lines
        branches = [line.removeprefix("refs/heads/") for line in listed]
        by_title = {_SERIES_FOLDER.sub("", branch): branch for branch in branches}
        similar = find_similar(_SERIES_FOLDER.sub("", name), by_title)
        if similar is None:
            return "`patchgen list` shows the series"
        return f"did you mean {by_title[similar]!r}?"

    def change_refs(self, commands: Sequence[str], *options: str, written: str) -> None:
        """Run commands of git-update-ref(1), "--stdin", in one transaction.

        `written` is what an interrupt reports to be written by then. Raises RefusedError, with
        git's message, if git refuses; it has a hint if another git's lock is the reason, or one
        left by a killed git.
        """
        lines = "\n".join(["start", *commands, "prepare", "commit", ""]).encode()
        try:
            with defer_interrupts(f"{written} was written before"):
                # If it were killed along with patchgen, it would leave a REF.lock.
                self.run("update-ref", "--stdin", *options, stdin=lines, detached=True)
        except ToolError as err:
            lock = _LOCK.search(err.message)
            if lock is None:
                raise RefusedError(err.message, code="ref-unwritable") from None
            # The rest is advice (git's lockfile.c).
            raise RefusedError(
                err.message.partition("\n\n")[0],
                code="ref-unwritable",
                hint="another git is running there, or one was killed; "
                f"if none runs, remove {lock[1]}",
            ) from None

    def describe(self, commit: Oid) -> str:
        """Return the tag on a commit, or else its abbreviated id."""
        completed = self.run("describe", "--tags", "--exact-match", commit, ok=None)
        return completed.stdout.decode().strip() if completed.returncode == 0 else commit[:12]

    def check_branch_name(self, branch: str) -> str:
        """Return the full ref name of a branch that will be created, or formatted as mails.

        Raises UsageError for a name that git refuses, and for one with control characters or bytes
        that are not UTF-8: the name is written into mails, records and file names.
        """
        if has_controls(branch):
            raise UsageError(
                f"the branch name {escape_controls(branch)} has a control character, or is not "
                "UTF-8",
                code="branch-name",
                hint="choose another name; `git branch -m` renames a branch",
                parameters=("branch",),
            )
        if _PLAIN_BRANCH.fullmatch(branch):
            return f"refs/heads/{branch}"
        completed = self.run("check-ref-format", "--branch", branch, ok=None)
        if completed.returncode != 0 or branch.startswith(("-", "@")):
            raise UsageError(f"{branch!r} is not a valid branch name for git", code="branch-name")
        return f"refs/heads/{branch}"

    def find_branch(self, ref: str) -> tuple[Oid | None, str | None]:
        """Return the object that a branch points at, and a ref that cannot exist next to it.

        Refs are named like files (git-check-ref-format(1)), even if they are packed: a ref excludes
        those above and below it.
        """
        parts = ref.split("/")
        above = ["/".join(parts[:count]) for count in range(3, len(parts))]
        args = ("for-each-ref", "--format=%(objectname) %(refname)", ref, *above)
        listed = self.run(*args).lines
        refs = {name: Oid(oid) for oid, _, name in (line.partition(" ") for line in listed)}
        clashes = (name for name in refs if name in above or name.startswith(f"{ref}/"))
        return refs.get(ref), next(clashes, None)

    def find_checkout(self, ref: str) -> Path | None:
        """Return the work tree that has a branch checked out, or None."""
        listing = os.fsdecode(self.run("worktree", "list", "--porcelain", "-z").stdout)
        entries = [entry.split("\0") for entry in listing.split("\0\0")]
        self._checkouts = {
            line.removeprefix("branch "): Path(lines[0].removeprefix("worktree "))
            for lines in entries
            for line in lines
            if line.startswith("branch ")
        }
        return self._checkouts.get(ref)

    def read_signatures(self, *, as_of: Oid | None = None) -> Signatures:
        """Return author and committer as git would record them now.

        With SOURCE_DATE_EPOCH set (reproducible-builds.org), both dates are that moment, in UTC.
        With `as_of`, both are that commit's date, so that the same commits are made again. Raises
        ToolError if git has no identity, UsageError if SOURCE_DATE_EPOCH is not a number.
        """
        date = read_date()
        if as_of is not None:
            args = ("show", "--no-patch", "--date=raw", "--format=%cd", as_of)
            date = self.run(*args).stdout.decode().strip()
        for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if name not in self._people:
                self._people[name] = read_person(self, name)
        return Signatures(*(Identity(*person, date) for person in self._people.values()))


def _find_subcommand(args: Sequence[str]) -> str:
    """Return the git command among arguments; "" if they choose a work tree (-C)."""
    remaining = iter(args)
    for arg in remaining:
        if arg == "-c":
            next(remaining, None)
        elif arg == "-C":
            return ""
        elif not arg.startswith("-"):
            return arg
    return ""
