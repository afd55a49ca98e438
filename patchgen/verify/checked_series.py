# SPDX-License-Identifier: GPL-2.0-or-later
"""Open the series to check: a branch, a range, or mails to be applied as commits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.errors import RefusedError, RevisionError
from patchgen.mail import (
    PostedSeries,
    ReadableMail,
    choose_series,
    read_footer,
    read_mail,
    read_mails,
    restore_author,
)
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb import (
    Checkout,
    Repository,
    find_sent,
    format_commits,
    read_commits,
    resolve_object,
)
from patchgen.odb.difftext import find_strip, list_paths
from patchgen.series import Record, SeriesBranch, format_cover, read_branch, resolve_series

_OID = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class CheckedSeries:
    """A series to check: its commits exist in the checkout, above `start`.

    `start` is the base, or the commit of the cover letter on it. `mails` has one mail for each
    commit, in order: the named mails, or mails made from the commits. `senders` are the senders of
    the mails, "Name <address>". `series` is the named branch or range, `posted` the named mails;
    the other one is None. `signoff_command` adds a Signed-off-by to each commit of a branch, "" for
    other series.
    """

    name: str
    base: Oid
    start: Oid
    commits: tuple[Commit, ...]
    mails: tuple[Mail, ...]
    senders: tuple[str, ...]
    series: SeriesBranch | None = None
    posted: PostedSeries | None = None
    signoff_command: str = ""

    @property
    def tip(self) -> Oid:
        """The last commit."""
        return self.commits[-1].oid

    @property
    def cover(self) -> str:
        """The text of the cover letter from its subject on, "" without one.

        That of a branch has the lines of its commit.
        """
        if self.posted is not None:
            letter = self.posted.cover
            return f"{letter.subject.text}\n\n{letter.body.text}" if letter else ""
        cover = self.series.cover if self.series else None
        return format_cover(cover) if cover else ""

    @property
    def cover_subject(self) -> str:
        """The subject of the cover letter, "" without one."""
        if self.posted is not None:
            return self.posted.cover.subject.text if self.posted.cover else ""
        cover = self.series.cover if self.series else None
        return cover.subject if cover else ""

    @property
    def record(self) -> Record | None:
        """The record of how the series was generated, None without one."""
        return self.series.record if self.series else None

    @property
    def is_branch(self) -> bool:
        """Whether `name` is a branch of the repository."""
        return bool(self.signoff_command)

    @property
    def is_sendable(self) -> bool:
        """Whether `patchgen send` takes `name`: a branch or a folder with a cover letter."""
        if self.posted is not None:
            cover = self.posted.cover
            has_id = cover is not None and read_footer(cover.body.everything, "change-id")
            return bool(has_id) and Path(self.name).is_dir()
        return self.is_branch and self.series is not None and self.series.cover is not None


def open_target(
    repository: Repository,
    checkout: Checkout,
    name: str | None,
    base: str | None,
    *,
    fallback: Oid | None = None,
    revision: int | None = None,
) -> CheckedSeries:
    """Return the series of a name: BRANCH, BASE..TIP, a folder of mails or an mbox.

    None means the current branch. `fallback` is the base for mails that name no base in the
    repository. Of mails of several versions, those of `revision` are used, else the newest.
    Raises UsageError and RefusedError if the series does not exist, or if its start is ambiguous.
    """
    if name is None:
        name, _ = resolve_series(repository, None, has_start=base is not None)
    path = Path(name)
    if not path.exists():
        _refuse_missing_path(name)
        if ".." in name:
            # As in git, an end that is not named is HEAD.
            ends = [repository.resolve_commit(end or "HEAD") for end in name.split("..", 1)]
            return _from_commits(repository, checkout, name, *ends)
    branch = name.removeprefix("refs/heads/")
    tip = repository.find_ref(f"refs/heads/{branch}")
    is_branch = tip is not None
    if tip is None and path.exists():
        return _from_mails(repository, checkout, path, base, fallback, revision)
    if tip is None and (sent := find_sent(repository, name)) is not None:
        return _from_commits(repository, checkout, sent.tag, sent.base, sent.tip)
    if tip is None:
        tip = _resolve(repository, name)
    start_oid = repository.resolve_commit(base) if base else None
    target = _from_commits(repository, checkout, branch, start_oid, tip)
    if not is_branch:
        return target
    # The id of the start would be another one after a reroll of the same version.
    args = ("git", "rebase", "--signoff", f"{branch}~{len(target.commits)}", branch)
    return replace(target, signoff_command=shlex.join(args))


def _refuse_missing_path(name: str) -> None:
    """Raise RefusedError if a name can only be a path: git allows it for no branch and no range."""
    if name.startswith(("/", "./")) or ".." in name.split("/"):
        raise RefusedError(f"no such file or folder: {name}", code="file-missing")


def _resolve(repository: Repository, name: str) -> Oid:
    """Return the commit with a name that is not a branch's."""
    try:
        return repository.resolve_commit(name)
    except RevisionError:
        raise RefusedError(
            f"{name!r} is not a file, folder, branch or commit",
            code="revision-unknown",
            hint=repository.suggest_branch(name),
        ) from None


def _from_commits(
    repository: Repository, checkout: Checkout, name: str, base: Oid | None, tip: Oid
) -> CheckedSeries:
    series = read_branch(repository, checkout, name, tip, base)
    mails = format_commits(checkout, series.start, tip)
    senders = tuple(commit.committer for commit in series.commits)
    return CheckedSeries(
        name, series.base, series.start, series.commits, tuple(mails), senders, series
    )


def _from_mails(
    repository: Repository,
    checkout: Checkout,
    path: Path,
    base: str | None,
    fallback: Oid | None,
    revision: int | None,
) -> CheckedSeries:
    posted = choose_series(read_mails(path), str(path), revision)
    if base:
        start = repository.resolve_commit(base)
    else:
        start = _find_base(repository, path, posted, fallback)
    checkout.choose_files(list_touched(posted.mails))
    restored = [restore_author(patch) for patch in posted.patches]
    mails = [mail for mail, _ in restored]
    oids = checkout.apply_mails(start, mails, find_strips(posted.mails))
    commits = _require_commits(
        str(path), read_commits(checkout, start, oids[-1] if oids else start)
    )
    senders = tuple(str(sender or "") for _, sender in restored)
    return CheckedSeries(str(path), start, start, commits, posted.mails, senders, posted=posted)


def _require_commits(name: str, commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
    if not commits:
        raise RefusedError(f"{name} has no commits of its own", code="series-start")
    return commits


def list_touched(mails: Sequence[Mail]) -> list[str]:
    """Return the paths in the diffs of mails, sorted, as patterns for a checkout."""
    return sorted("/" + _escape(path) for mail in mails for path in list_paths(_read_text(mail)))


def find_strips(mails: Sequence[Mail]) -> list[int]:
    """Return the number of folders to strip from the names in each mail's diff.

    It is 0 for mails written with diff.noprefix.
    """
    return [find_strip(_read_text(mail)) for mail in mails]


def find_am_fault(checkout: Checkout, parent: Oid, commit: Commit, mail: Mail) -> str:
    """Return why `git am` does not restore a commit from its mail, "" if it does."""
    if not commit.files:
        return "the commit is empty: `git am` refuses its mail"
    try:
        applied = checkout.apply_mails(parent, [mail], find_strips([mail]))
    except RefusedError as err:
        return err.message
    tree = resolve_object(checkout, f"{applied[-1]}^{{tree}}")
    return "" if tree == commit.tree else "applying the mail with `git am` gives another tree"


def _read_text(mail: Mail) -> str:
    read = read_mail(mail)
    return read.body.everything if isinstance(read, ReadableMail) else ""


def _escape(path: str) -> str:
    """Return a pattern that matches only this path (gitignore(5))."""
    return re.sub(r"([\\*?\[\]]| $)", r"\\\1", path)


def _find_base(
    repository: Repository, path: Path, posted: PostedSeries, fallback: Oid | None
) -> Oid:
    """Return the base that one of the mails names, else `fallback` or HEAD."""
    base_commits = (read_footer(mail.body.everything, "base-commit") for mail in posted.everything)
    base = next(filter(_OID.fullmatch, base_commits), None)
    if base is None:
        return fallback or repository.resolve_commit("HEAD")
    try:
        return repository.resolve_commit(base)
    except RefusedError:
        if fallback is not None:
            return fallback
        raise RefusedError(
            f"{path} is based on {base[:12]}, which this repository does not have",
            code="revision-unknown",
            hint="name another commit that the mails apply to",
            parameters=("start",),
        ) from None
