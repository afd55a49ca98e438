# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the series of a variant on a base: a branch and a folder of mails.

The function prints nothing: progress goes to a callback, and the result is a value. Nothing is
visible before the ref update, and a run that ends before it needs no cleanup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.coccinelle import DEFAULT_TIMEOUT_S
from patchgen.edit import OnProgress
from patchgen.mail import Existing
from patchgen.model.base import Oid
from patchgen.model.series import Series, Signatures
from patchgen.odb import Git, Quarantine, Repository
from patchgen.pipeline.generate import GeneratedSeries, MakeRequest, plan_variant, run_plan
from patchgen.pipeline.next_version import NextVersion, choose_version, track_series
from patchgen.pipeline.prepare import (
    PreparedSeries,
    SeriesTarget,
    choose_target,
    describe_series,
    post_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.series import SeriesDraft, describe_asked, write_patches
from patchgen.spec import People, find_variant


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """The options of `apply`.

    `branch` None means patchgen/VARIANT-vN. `revision` None means the variant's first version, or
    one more than the newest version that was sent. `output` None means the folder
    `outgoing/NAME-vN` at the top of the tree. With `signatures` None, git determines author and
    committer. `with_cover` stores the cover letter below the patches, in a commit that b4
    recognises. `to` and `cc` get all mails, `cover_cc` the cover letter. `get_maintainer` is a
    program that names the maintainers, in place of MAINTAINERS.
    """

    variant: str
    tree: Path
    base: str = "HEAD"
    branch: str | None = None
    revision: int | None = None
    backends: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    output: Path | None = None
    sign_off: bool = False
    force: bool = False
    with_cover: bool = True
    dry_run: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    get_maintainer: Path | None = None
    signatures: Signatures | None = None

    @property
    def existing(self) -> Existing:
        """What an existing folder may contain when the mails are written to it."""
        return Existing.ANYTHING if self.force or self.dry_run else Existing.NOTHING

    def to_make(self, revision: int) -> MakeRequest:
        """Return the request to make the variant as a version."""
        return MakeRequest(
            variant=self.variant,
            base=self.base,
            revision=revision,
            backends=self.backends,
            definitions=self.definitions,
            sign_off=self.sign_off,
            timeout_s=self.timeout_s,
            to=self.to,
            cc=self.cc,
            cover_cc=self.cover_cc,
        )


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The result of `apply`. `series` is None if the base has all patches.

    `asked` has a sentence for each empty variable that needs a value. `mails` are the files on
    disk. A dry run has `diffs` in place of `mails`.
    """

    making: GeneratedSeries
    branch: str
    series: Series | None = None
    mails: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    diffs: str = ""


# Returns a summary of a series for its cover letter, from git, the base and the last patch.
Summarise = Callable[[Git, Oid, Oid], str]


def apply_variant(
    request: ApplyRequest,
    *,
    on_progress: OnProgress = lambda done, total: None,
    summarise: Summarise | None = None,
) -> ApplyResult:
    """Make a series; `summarise` returns a summary for its cover letter.

    Raises a PatchgenError, and then has written nothing.
    """
    repository = Repository(request.tree)
    try:
        # Fail before the expensive part.
        if request.signatures is None:
            repository.read_signatures()
        people = find_people(repository, request.to, request.cc, request.cover_cc)
        version = _choose_version(repository, request)
        planned = plan_variant(repository, request.to_make(version.revision))
        branch = request.branch or f"patchgen/{planned.variant.name}-v{version.revision}"
        target = choose_target(repository, branch, version.revision, request.output)
        may_replace = request.force or request.dry_run
        # Fail before the expensive part. `old` is read here, so a branch that moves later is not
        # overwritten.
        if planned.is_sure:
            old = target.check(repository, replace=may_replace, existing=request.existing)
            signatures = _sign(repository, request, old)
        making = run_plan(planned, on_progress)
        if making.is_nothing:
            return ApplyResult(making, branch, warnings=making.warnings)
        if not planned.is_sure:
            old = target.check(repository, replace=may_replace, existing=request.existing)
            signatures = _sign(repository, request, old)
        return _make_series(
            repository, request, version, target, old, making, signatures, summarise, people
        )
    finally:
        repository.close()


def _sign(repository: Repository, request: ApplyRequest, old: Oid | None) -> Signatures:
    """Return author and committer; their dates are those of the branch that a killed run left."""
    may_replace = request.force or request.dry_run
    return request.signatures or repository.read_signatures(as_of=None if may_replace else old)


def _choose_version(repository: Repository, request: ApplyRequest) -> NextVersion:
    variant = find_variant(request.variant)
    first = variant.manifest.variant.first_version
    return choose_version(
        repository, request.branch, variant.name, first=first, wanted=request.revision
    )


def _make_series(
    repository: Repository,
    request: ApplyRequest,
    version: NextVersion,
    target: SeriesTarget,
    old: Oid | None,
    making: GeneratedSeries,
    signatures: Signatures,
    summarise: Summarise | None,
    people: People,
) -> ApplyResult:
    """Write the commits in a quarantine; then show them, or publish them with their mails."""
    base = making.plan.base
    warnings = (*making.warnings, *_warn_of_version(request, version))
    with Quarantine(repository) as quarantine:
        draft, posted = _post_series(
            quarantine, request, version, target, old, making, signatures, summarise, people
        )
        series = describe_series(quarantine, base, target.branch, posted, draft.drafts)
        result = ApplyResult(
            making,
            target.branch,
            series,
            warnings=(*warnings, *posted.warnings),
            asked=tuple(describe_asked(target.branch, draft.record, list(draft.messages.values()))),
        )
        if request.dry_run:
            start = posted.cover_commit or base.oid
            diffs = quarantine.show_patches(start, series.tip)
            return replace(result, diffs=diffs)
        mails = publish_series(
            quarantine,
            target,
            posted.mails,
            base.oid,
            series.tip,
            old,
            f"patchgen: apply {making.plan.variant} v{version.revision}",
            replace=request.force,
            existing=request.existing,
        )
        return replace(result, mails=mails)


def _post_series(
    quarantine: Quarantine,
    request: ApplyRequest,
    version: NextVersion,
    target: SeriesTarget,
    old: Oid | None,
    making: GeneratedSeries,
    signatures: Signatures,
    summarise: Summarise | None,
    people: People,
) -> tuple[SeriesDraft, PreparedSeries]:
    """Write the commits in a quarantine, and return their draft, and the series with its mails."""
    base = making.plan.base
    draft = making.draft(signatures)
    commits, record = write_patches(quarantine, base.oid, draft, signatures)
    if summarise is not None:
        summary = summarise(quarantine, base.oid, commits[-1])
        draft = replace(draft, cover=making.with_summary(summary).draft(signatures).cover)
    tracking = track_series(
        quarantine,
        version,
        old,
        title=making.plan.variant,
        branch=target.branch,
        base=base.oid,
        tip=commits[-1],
        author=signatures.author,
        folder=target.folder if target.hidden else None,
    )
    posted = post_series(
        quarantine,
        making.tree,
        base.oid,
        draft.cover,
        tracking,
        record,
        commits,
        signatures,
        with_cover=request.with_cover,
        people=people,
        get_maintainer=request.get_maintainer,
    )
    return draft, posted


def _warn_of_version(request: ApplyRequest, version: NextVersion) -> tuple[str, ...]:
    """Return a warning if an earlier version was sent and the user chose no version."""
    if request.revision is not None or version.after is None:
        return ()
    return (
        f"v{version.after} was sent, so this is v{version.revision}; `patchgen reroll` also "
        "carries over hand edits",
    )
