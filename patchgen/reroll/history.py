# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a series: its record, the versions that were sent, and the next version.

b4 records a version that it sent as a tag, and its message-ids in the cover letter's commit.
patchgen reads both, so either tool may send.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import PatchgenError, RefusedError, UsageError
from patchgen.model.base import Oid
from patchgen.odb import (
    Quarantine,
    Repository,
    SentVersion,
    digest_commits,
    read_commits,
    read_sent,
    warn_of_unfinished,
)
from patchgen.pipeline.journal import list_begun
from patchgen.pipeline.next_version import find_branch_of
from patchgen.reroll.audit_summary import take_out_audit
from patchgen.reroll.changelog import EarlierPatch
from patchgen.reroll.hand_edits import NewCommit
from patchgen.series import (
    Record,
    SeriesBranch,
    Tracking,
    compare_versions,
    read_branch,
    resolve_series,
    strip_version,
    take_out_testing,
)

_AUDIT_LOST = (
    "the cover letter has no summary of an audit any more, as that was of v{}; "
    "`patchgen audit --diff BASE..BRANCH` shows what holds now"
)


@dataclass(frozen=True, slots=True)
class SeriesHistory:
    """A series on its branch, and the versions of it that were sent.

    `sent` is the newest version that was sent before the one to make, None if none was. `revision`
    is the version to make. `unsent` is the branch's version if no mail of it was sent and the user
    did not choose the version to make, else None. `seen` is the newest version before the one to
    make of which any mail was sent, None without one. `warnings` report a newer version that was
    sent from another branch, and what the next cover letter loses.
    """

    series: SeriesBranch
    record: Record
    tracking: Tracking
    sent: SentVersion | None
    revision: int
    warnings: tuple[str, ...] = ()
    unsent: int | None = None
    seen: int | None = None

    @property
    def next_branch(self) -> str:
        """The name of a branch for the version to make."""
        return f"{strip_version(self.series.name)}-v{self.revision}"

    def find_earlier(
        self, git: Quarantine, commits: Sequence[NewCommit], change_digests: Mapping[Oid, str]
    ) -> list[EarlierPatch | None]:
        """Return the patch of each commit in the version that was sent last, None for a new one.

        If no version was sent, it is the patch on the branch.
        """
        branch = [commit.branch_commit for commit in commits]
        if self.sent is None:
            return [
                EarlierPatch(change_digests[commit.oid], commit.message) if commit else None
                for commit in branch
            ]
        base, tip = self.sent.base, self.sent.tip
        digests = digest_commits(git, base, tip)
        sent_commits = read_commits(git, base, tip)
        sent = [EarlierPatch(digests[commit.oid], commit.message) for commit in sent_commits]
        by_subject = {
            commit.subject: patch for commit, patch in zip(sent_commits, sent, strict=True)
        }
        by_digest = {patch.change_digest: patch for patch in sent}
        return [
            by_digest.get(change_digests[commit.oid]) or by_subject.get(commit.subject)
            if commit
            else None
            for commit in branch
        ]

    def compare(
        self, git: Quarantine, start: Oid, commits: Sequence[Oid], *, is_published: bool
    ) -> str:
        """Return the range-diff to these commits from the version sent last, or the branch."""
        earlier = (self.series.start, self.series.commits)
        if self.sent is not None:
            earlier = (self.sent.base, read_commits(git, self.sent.base, self.sent.tip))
        made = read_commits(git, start, commits[-1])
        hidden = () if is_published else commits
        return compare_versions(git, earlier, (start, made), hidden=hidden)


def read_history(
    repository: Repository,
    quarantine: Quarantine,
    branch: str | None,
    requested: int | None,
) -> SeriesHistory:
    """Read a branch (None: the current one) and choose the next version.

    Raises RefusedError if the branch has no record, or if the requested version was sent already;
    UsageError if it is older than the branch.
    """
    name, tip = resolve_series(repository, branch, needs_cover=True)
    series = read_branch(repository, quarantine, name, tip)
    record, tracking = _require_record(series)
    lost: tuple[str, ...] = ()
    if series.cover is not None:
        # These are not hand edits, and may not hold for the next version.
        cover, had_audit = take_out_audit(take_out_testing(series.cover, record)[0])
        series = replace(series, cover=cover)
        lost = (_AUDIT_LOST.format(record.revision),) if had_audit else ()
    sent = read_sent(repository, tracking.change_id)
    revisions = {version.revision for version in sent}
    revisions.update(list_begun(repository, tracking.change_id))
    if requested is not None and requested < record.revision:
        raise _refuse_older(repository, name, record, requested, revisions)
    revision = _choose_revision(requested, record, tracking, revisions)
    newest = max(
        (version for version in sent if version.revision < revision),
        key=lambda version: version.revision,
        default=None,
    )
    unfinished = warn_of_unfinished(repository, name)
    warnings = (*unfinished, *lost, *_warn_of_newer(repository, name, record, tracking, revisions))
    is_newest = revision == record.revision + 1 and record.revision not in revisions
    return SeriesHistory(
        series,
        record,
        _with_sent(tracking, sent),
        newest,
        revision,
        warnings,
        unsent=record.revision if requested is None and is_newest else None,
        seen=max((number for number in revisions if number < revision), default=None),
    )


def _warn_of_newer(
    repository: Repository,
    branch: str,
    record: Record,
    tracking: Tracking,
    sent_revisions: Collection[int],
) -> Iterator[str]:
    """Yield a warning if a newer version than the branch's was sent: its changes would be lost.

    b4 sends several versions from one branch, and then increments the version in its tracking.
    """
    newest = max(sent_revisions, default=0)
    if newest <= record.revision or newest < tracking.revision:
        return
    newer_branch = f"{strip_version(branch)}-v{newest}"
    exists = repository.find_ref(f"refs/heads/{newer_branch}") is not None
    where = f"; {newer_branch} has it" if exists and newer_branch != branch else ""
    yield (
        f"v{newest} was sent, but this reroll starts from {branch}, which has v{record.revision}: "
        f"changes made for v{newest} will be missing{where}"
    )


def _require_record(series: SeriesBranch) -> tuple[Record, Tracking]:
    if series.record is None or series.tracking is None:
        raise RefusedError(
            f"{series.name} has no record of how it was generated, so it cannot be rerolled",
            code="record-missing",
            hint="`patchgen apply --b4`, the default, and `patchgen run --split` store one in the "
            "cover letter's commit",
        )
    return series.record, series.tracking


def _with_sent(tracking: Tracking, sent: Sequence[SentVersion]) -> Tracking:
    """Return the tracking with the versions that tags record, as b4 stores them."""
    for version in sent:
        tracking = tracking.with_sent(
            version.revision, tuple(filter(None, version.message_ids[:1]))
        )
    return tracking


def _choose_revision(
    requested: int | None, record: Record, tracking: Tracking, sent_revisions: Collection[int]
) -> int:
    """Return the version to make: the next one, or a requested one that was not sent.

    b4 increments the version after sending one, patchgen when it rerolls.
    """
    if requested is None:
        return max(
            tracking.revision, *(number + 1 for number in (record.revision, *sent_revisions))
        )
    if requested in sent_revisions:
        raise _refuse_sent(requested)
    return requested


def _refuse_older(
    repository: Repository,
    branch: str,
    record: Record,
    requested: int,
    sent_revisions: Collection[int],
) -> PatchgenError:
    """Return the error for a version older than the branch's; its hint names the one to reroll."""
    if requested in sent_revisions:
        return _refuse_sent(requested)
    older = find_branch_of(repository, branch, requested)
    hint = "omit the version to make the next one"
    if older is not None:
        quoted = shlex.quote(older)
        hint = f"`patchgen reroll {quoted} -v {requested}` makes v{requested} again; or {hint}"
    return UsageError(
        f"v{requested} is older than {branch}, which has v{record.revision}",
        code="version-unknown",
        hint=hint,
        parameters=("revision",),
    )


def _refuse_sent(revision: int) -> PatchgenError:
    return RefusedError(
        f"v{revision} was sent already",
        code="already-sent",
        hint="omit the version to make the next one",
        parameters=("revision",),
    )
