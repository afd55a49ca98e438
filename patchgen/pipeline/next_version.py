# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the version to make: the first of a series, or the next after what was sent.

A version was sent if a tag records it (`patchgen send`, `patchgen import`, `b4 send`), or if the
history in the cover letter's commit, which b4 writes, lists it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.mail import read_change_id
from patchgen.model.base import Oid
from patchgen.model.series import Identity
from patchgen.odb import Git, Repository, list_sent, read_sent
from patchgen.pipeline.journal import list_begun
from patchgen.series import (
    Tracking,
    digest_content,
    find_tracking,
    make_change_id,
    read_record,
    strip_version,
)


@dataclass(frozen=True, slots=True)
class NextVersion:
    """A version to make.

    `newest_sent` is the newest version of the same series that was sent before it, and `tracking`
    is the tracking of that series. Both are None for a series of which nothing was sent.
    """

    revision: int
    newest_sent: int | None = None
    tracking: Tracking | None = None


def choose_version(
    repository: Repository, branch: str | None, name: str, *, first: int, requested: int | None
) -> NextVersion:
    """Return the version to make on a branch.

    The branches of one series differ in the -vN at their end; `branch` None means those of
    patchgen/NAME-vN. Without a `requested` version it is the next after the newest one that was
    sent, else the one of an existing `branch`, else `first`.
    """
    stem = strip_version(branch or f"patchgen/{name}")
    branches = list(_find_versions(repository, stem))
    versions = [(revision, tracking) for _, tracking, sent in branches for revision in sent]
    newest, tracking = max(versions, key=lambda version: version[0], default=(None, None))
    if requested is None and newest is None:
        present = (version.revision for existing, version, _ in branches if existing == branch)
        requested = next(present, first)
    revision = requested if requested is not None else (newest or 0) + 1
    if newest is None or revision <= newest:
        return NextVersion(revision)
    return NextVersion(revision, newest, tracking)


def find_earlier_branch(
    repository: Repository, branch: str, revision: int
) -> tuple[str, int] | None:
    """Return the branch with the newest earlier version of a series, and that version; else None.

    The branches of one series differ in the -vN at their end.
    """
    earlier = []
    for name, tracking in _read_branches(repository, strip_version(branch)):
        version = _read_revision(tracking)
        if version < revision:
            earlier.append((version, name))
    return max(earlier)[::-1] if earlier else None


def find_branch_of(repository: Repository, branch: str, revision: int) -> str | None:
    """Return a branch with a version of the same series as `branch`, None without one."""
    found = (
        name
        for name, tracking in _read_branches(repository, strip_version(branch))
        if _read_revision(tracking) == revision
    )
    return next(found, None)


def find_sent_revision(repository: Repository, tip: Oid) -> int | None:
    """Return the version of the series on a branch if it was sent, else None."""
    tracking = find_tracking(repository, tip)
    if tracking is None:
        return None
    revision = _read_revision(tracking)
    return revision if revision in _list_sent(repository, tracking) else None


def find_begun_revision(repository: Repository, tip: Oid) -> int | None:
    """Return the version of the series on a branch if any mail of it was sent, else None.

    `reroll` does not make such a version again. Raises RefusedError if the journal of a version
    cannot be read.
    """
    tracking = find_tracking(repository, tip)
    if tracking is None:
        return None
    revision = _read_revision(tracking)
    begun = (*_list_sent(repository, tracking), *list_begun(repository, tracking.change_id))
    return revision if revision in begun else None


def _read_revision(tracking: Tracking) -> int:
    """Return the version of a branch: b4 increments that in the tracking when it has sent one."""
    record = read_record(tracking)
    return record.revision if record else tracking.revision


def _list_sent(repository: Repository, tracking: Tracking) -> tuple[int, ...]:
    """Return the versions of a series that a tag or its history lists as sent."""
    tags = [sent.revision for sent in read_sent(repository, tracking.change_id)]
    listed = [int(version[1:]) for version in tracking.history if re.fullmatch(r"v\d+", version)]
    return (*tags, *listed)


def _find_versions(
    repository: Repository, stem: str
) -> Iterator[tuple[str, Tracking, tuple[int, ...]]]:
    """Yield the branches of a series with their tracking and the versions that were sent.

    A deleted branch is found by the tags with its name, which b4 and `record_sent` create.
    """
    for branch, tracking in _read_branches(repository, stem):
        yield branch, tracking, _list_sent(repository, tracking)
    for sent in list_sent(repository):
        branch = strip_version(sent.tag).removeprefix("sent/")
        # b4 leaves its own branch prefix out of the tag.
        if sent.change_id and strip_version(branch) == stem.removeprefix("b4/"):
            yield branch, Tracking(sent.change_id, sent.revision), (sent.revision,)


def _read_branches(repository: Repository, stem: str) -> Iterator[tuple[str, Tracking]]:
    """Yield the branches of a series with their tracking."""
    args = ("for-each-ref", "--format=%(refname)%00%(objectname)", f"refs/heads/{stem}*")
    for line in repository.run(*args).lines:
        ref, _, tip = line.partition("\0")
        branch = ref.removeprefix("refs/heads/")
        tracking = find_tracking(repository, Oid(tip)) if strip_version(branch) == stem else None
        if tracking is not None:
            yield branch, tracking


def track_series(
    git: Git,
    version: NextVersion,
    old_tip: Oid | None,
    *,
    title: str,
    branch: str,
    base: Oid,
    tip: Oid,
    author: Identity,
    folder: Path | None = None,
) -> Tracking:
    """Return the tracking of a version: that of its branch, `old_tip`, if it is made again.

    It includes what b4 noted: prefixes, and the versions that it sent. The next version after one
    that was sent has the same change-id; otherwise the series is new. `tip` is the last of its
    patches, on `base`. For a branch made without a cover letter's commit, the change-id is read
    from its mails if no other series shares their `folder`.
    """
    tracking = find_tracking(git, old_tip) if old_tip is not None else None
    tracking = tracking or version.tracking
    if tracking is None and old_tip is not None and folder is not None:
        tracking = _read_mails(folder, version.revision)
    if tracking is not None:
        return replace(tracking, revision=version.revision)
    content = digest_content(git, base, base, tip)
    return Tracking(make_change_id(title, branch, author, content), version.revision)


def _read_mails(folder: Path, revision: int) -> Tracking | None:
    """Return the tracking that the cover letter in a folder names, None if it names none."""
    prefix = f"v{revision}-" if revision > 1 else ""
    cover = folder / f"{prefix}0000-cover-letter.patch"
    change_id = read_change_id(cover.read_bytes()) if cover.is_file() else ""
    return Tracking(change_id, revision) if change_id else None
