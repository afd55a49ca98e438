# SPDX-License-Identifier: GPL-2.0-or-later
"""Record a version that was posted without patchgen, as b4 and patchgen record what they send.

A reroll then links to it, replies to it find their patches, and `verify --against vN` compares with
it.
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import RefusedError, UsageError
from patchgen.mail import PostedSeries, parse_subject, read_footer
from patchgen.model.base import Oid
from patchgen.model.series import Cover
from patchgen.odb import Checkout, Repository, record_sent, reparent
from patchgen.series import make_change_id, read_branch
from patchgen.verify import CheckedSeries, open_target

# Below a cover letter's text: a cut, the signature, or the shortlog of git format-patch.
_END = re.compile(r"^---$|^-- $|^\S.* \(\d+\):\n  ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The parameters of `patchgen import`.

    `source` is an mbox, a folder of mails or a branch. `series` is the branch of the series that
    the version belongs to. `revision` is the version; None means the one that the mails name, or
    the one before the branch's. `start` is the commit below the first patch, None if the mails or
    the branch show it.
    """

    tree: Path
    source: str
    series: str | None = None
    revision: int | None = None
    start: str | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The recorded version: its tag, its commits, their subjects, and the message-ids."""

    tag: str
    revision: int
    base: Oid
    tip: Oid
    subjects: tuple[str, ...]
    message_ids: tuple[str, ...]


def import_series(request: ImportRequest) -> ImportResult:
    """Record a version that was posted, as a tag on commits of its own.

    Raises a PatchgenError with nothing written.
    """
    with closing(Repository(request.tree)) as repository, Checkout(repository) as checkout:
        target = open_target(
            repository, checkout, request.source, request.start, revision=request.revision
        )
        posted = target.posted
        if posted is not None:
            _check_version(request, posted)
        cover = _choose_cover(target)
        change_id, following = _identify(repository, checkout, request, target, cover)
        revision = _choose_revision(request, posted, following)
        base = target.base
        # Without the cover letter's commit, as in b4's tags.
        tip = reparent(checkout, [commit.oid for commit in target.commits], base)[-1]
        checkout.copy_commits(base, tip)
        signatures = repository.read_signatures()
        ids = tuple(_message_ids(posted)) if posted else ()
        tag = record_sent(
            repository,
            change_id,
            revision,
            cover,
            base,
            tip,
            ids,
            signatures.committer,
            branch=request.series,
        )
        subjects = tuple(commit.subject for commit in target.commits)
        return ImportResult(tag, revision, base, tip, subjects, tuple(filter(None, ids)))


def _choose_revision(request: ImportRequest, posted: PostedSeries | None, following: int) -> int:
    """Return the requested version, that of the mails, or the one before the branch's."""
    revision = request.revision or (posted.revision if posted else 0) or following - 1
    if revision < 1:
        raise UsageError(
            "cannot tell which version it is",
            code="version-unknown",
            hint="name the version",
            parameters=("revision",),
        )
    return revision


def _check_version(request: ImportRequest, posted: PostedSeries) -> None:
    """Refuse mails of a version other than the requested one."""
    # Mails that name no version may be of any.
    is_named = posted.versions not in ((0,), (1,))
    if request.revision is not None and request.revision not in posted.versions and is_named:
        raise UsageError(
            f"{request.source} has {', '.join(f'v{version}' for version in posted.versions)}, "
            f"not v{request.revision}",
            code="version-unknown",
        )


def _identify(
    repository: Repository,
    checkout: Checkout,
    request: ImportRequest,
    target: CheckedSeries,
    cover: Cover,
) -> tuple[str, int]:
    """Return the change-id, and the version that the branch has; 0 without a branch."""
    if request.series is not None:
        tip = repository.find_ref(f"refs/heads/{request.series}")
        if tip is None:
            raise RefusedError(
                f"branch {request.series!r} does not exist",
                code="branch-unknown",
                hint=repository.suggest_branch(request.series),
            )
        tracking = read_branch(repository, checkout, request.series, tip).tracking
        if tracking is None:
            raise RefusedError(
                f"{request.series} has no change-id: it has no cover letter's commit",
                code="cover-missing",
                hint="patchgen apply and b4 prep make one",
            )
        return tracking.change_id, tracking.revision
    if target.series is not None and target.series.tracking is not None:
        return target.series.tracking.change_id, 0
    for mail in target.posted.everything if target.posted else ():
        if change_id := read_footer(mail.body.everything, "change-id"):
            return change_id, 0
    author = repository.read_signatures().author
    return make_change_id(cover.subject, cover.subject, author), 0


def _choose_cover(target: CheckedSeries) -> Cover:
    """Return the cover letter of the imported version, or one that states that there was none."""
    if target.series is not None and target.series.cover is not None:
        return target.series.cover
    letter = target.posted.cover if target.posted else None
    if letter is None:
        subject = parse_subject(target.commits[0].subject).text
        return Cover(subject, "(posted without a cover letter)\n")
    above = _END.split(letter.body.text, maxsplit=1)[0]
    return Cover(letter.subject.text, above.strip() + "\n")


def _message_ids(posted: PostedSeries) -> list[str]:
    """Return the mails' message-ids, the cover letter's first; none unless all mails have one.

    The id of the cover letter is "" if there was none.
    """
    ids = [mail.message_id for mail in posted.everything]
    if not all(len(message_id.split()) == 1 for message_id in ids):
        return []
    return ids if posted.cover else ["", *ids]
