# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the series of a variant on a base: a branch and a folder of mails.

The function prints nothing: progress goes to a callback, and the result is a value. Nothing is
visible before the ref update, and a run that ends before it needs no cleanup.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.edit import OnProgress
from patchgen.model.base import Oid
from patchgen.model.series import Signatures
from patchgen.odb import Git, Quarantine, Repository
from patchgen.pipeline.base_series import warn_of_base
from patchgen.pipeline.generate import GeneratedSeries, VariantRequest, plan_variant, run_plan
from patchgen.pipeline.next_version import NextVersion, find_begun_revision, track_series
from patchgen.pipeline.prepare import (
    PreparedSeries,
    WrittenSeries,
    prepare_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.pipeline.replaced_options import warn_of_replaced
from patchgen.pipeline.target import SeriesTarget, choose_new_target
from patchgen.pipeline.variant_places import record_variant
from patchgen.series import (
    Record,
    SeriesDraft,
    describe_empty_variables,
    format_reroll,
    warn_of_unsendable,
    write_patches,
)
from patchgen.spec import People, find_variant


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest(VariantRequest):
    """The options of `apply`.

    `branch` None means patchgen/VARIANT-vN. `revision` None means the variant's first version, or
    one more than the newest version that was sent. `output` None means the folder
    `outgoing/NAME-vN` at the top of the tree. `with_cover` stores the cover letter below the
    patches, in a commit that b4 recognises. `get_maintainer` is a program that names the
    maintainers, in place of MAINTAINERS.
    """

    tree: Path
    branch: str | None = None
    revision: int | None = None
    output: Path | None = None
    force: bool = False
    with_cover: bool = True
    dry_run: bool = False
    get_maintainer: Path | None = None

    @property
    def may_replace(self) -> bool:
        """Whether the branch and other files in the folder of mails may exist."""
        return self.force or self.dry_run


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The result of `apply`. `series` is None if the base has all patches.

    `requests` has a sentence for each empty variable that needs a value. `mails` are the files on
    disk. A dry run has `diffs` in place of `mails`.
    """

    generated: GeneratedSeries
    branch: str
    series: PreparedSeries | None = None
    mails: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
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
    with closing(Repository(request.tree)) as repository:
        # Fail before the expensive part.
        repository.read_signatures()
        people = find_people(repository, request)
        version, target = _choose_target(repository, request)
        plan = plan_variant(repository, request, version.revision)
        # `old_tip` is read before the expensive part, too, so that a branch that moves later is not
        # overwritten.
        old_tip = target.check(repository) if plan.has_required_patch else None
        of_base = warn_of_base(repository, request.base, plan.base.oid)
        generated = run_plan(plan, request, on_progress)
        generated = replace(generated, warnings=(*of_base, *generated.warnings))
        if generated.is_empty:
            return ApplyResult(generated, target.branch, warnings=generated.warnings)
        if not plan.has_required_patch:
            old_tip = target.check(repository)
        # The dates are those of the branch that a killed run left.
        signatures = repository.read_signatures(as_of=None if request.may_replace else old_tip)
        with Quarantine(repository) as quarantine:
            result = _prepare(
                quarantine,
                request,
                version,
                target,
                old_tip,
                generated,
                signatures,
                summarise,
                people,
            )
            return _publish(quarantine, request, target, old_tip, result)


def _publish(
    quarantine: Quarantine,
    request: ApplyRequest,
    target: SeriesTarget,
    old_tip: Oid | None,
    result: ApplyResult,
) -> ApplyResult:
    """Publish the branch and the mails; after a dry run, return the diffs instead."""
    series, variant = result.series, result.generated.plan.variant
    assert series is not None
    if request.dry_run:
        return replace(result, diffs=quarantine.show_patches(series.start, series.tip))
    reason = f"patchgen: apply {variant.name} v{series.tracking.revision}"
    mails = publish_series(quarantine, target, series, old_tip, reason)
    if request.with_cover:
        record_variant(quarantine.repository, series.tracking.change_id, variant)
    return replace(result, mails=mails)


def _choose_target(
    repository: Repository, request: ApplyRequest
) -> tuple[NextVersion, SeriesTarget]:
    variant = find_variant(request.variant)
    return choose_new_target(
        repository,
        variant.name,
        first_version=variant.manifest.variant.first_version,
        branch=request.branch,
        revision=request.revision,
        output=request.output,
        may_replace=request.may_replace,
        writes=not request.dry_run,
    )


def _prepare(
    quarantine: Quarantine,
    request: ApplyRequest,
    version: NextVersion,
    target: SeriesTarget,
    old_tip: Oid | None,
    generated: GeneratedSeries,
    signatures: Signatures,
    summarise: Summarise | None,
    people: People,
) -> ApplyResult:
    """Write the commits in a quarantine, and return them with their mails; nothing is published."""
    plan = generated.plan
    base = plan.base.oid
    draft, commits, record = _write_patches(quarantine, generated, signatures, summarise)
    tracking = track_series(
        quarantine,
        version,
        old_tip,
        title=plan.variant.name,
        branch=target.branch,
        base=base,
        tip=commits[-1],
        author=signatures.author,
        folder=target.folder if target.hidden else None,
    )
    series = prepare_series(
        quarantine,
        WrittenSeries(base, plan.tree, commits, draft.cover, tracking, record),
        signatures,
        people=people,
        with_cover=request.with_cover,
        get_maintainer=request.get_maintainer,
    )
    warnings = (
        *generated.warnings,
        *_warn_of_version(request, version),
        *warn_of_unsendable(draft, signatures.committer),
        *_warn_of_replaced(quarantine, request, plan.variant.name, old_tip),
        *series.warnings,
    )
    setter = _find_setter(quarantine.repository, request, target, record, old_tip)
    requests = tuple(describe_empty_variables(record, list(draft.messages.values()), setter))
    return ApplyResult(generated, target.branch, series, warnings=warnings, requests=requests)


def _find_setter(
    repository: Repository,
    request: ApplyRequest,
    target: SeriesTarget,
    record: Record,
    old_tip: Oid | None,
) -> str:
    """Return the reroll that can set an empty variable, "" if only `apply` can."""
    # `reroll` needs a branch with its record.
    if request.dry_run or not request.with_cover:
        return ""
    begun = find_begun_revision(repository, old_tip) if old_tip else None
    return format_reroll(target.branch, record, was_sent=begun == record.revision)


def _write_patches(
    quarantine: Quarantine,
    generated: GeneratedSeries,
    signatures: Signatures,
    summarise: Summarise | None,
) -> tuple[SeriesDraft, tuple[Oid, ...], Record]:
    """Write the commits of the patches, and return them with their draft, summary included."""
    base = generated.plan.base.oid
    draft = generated.draft(signatures)
    commits, record = write_patches(quarantine, base, draft, signatures)
    if summarise is not None:
        summary = summarise(quarantine, base, commits[-1])
        draft = replace(draft, cover=generated.with_summary(summary).draft(signatures).cover)
    return draft, commits, record


def _warn_of_replaced(
    git: Git, request: ApplyRequest, variant: str, old_tip: Oid | None
) -> tuple[str, ...]:
    """Return a warning if the version that --force replaces had options that this one lacks."""
    if not request.force:
        return ()
    definitions, backends = request.definitions, request.backends
    return warn_of_replaced(git, old_tip, variant, request, definitions, backends)


def _warn_of_version(request: ApplyRequest, version: NextVersion) -> tuple[str, ...]:
    """Return a warning if an earlier version was sent and the user chose no version."""
    if request.revision is not None or version.newest_sent is None:
        return ()
    return (
        f"v{version.newest_sent} was sent, so this is v{version.revision}; `patchgen reroll` also "
        "carries over hand edits",
    )
