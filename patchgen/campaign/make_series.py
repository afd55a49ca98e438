# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a campaign: from edits to a branch and mails, in the same way as a variant's series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from patchgen.campaign.divide import divide_change
from patchgen.campaign.split_change import SplitChange
from patchgen.campaign.texts import CampaignTexts
from patchgen.errors import RefusedError
from patchgen.mail import address_of, list_addresses, list_recipients
from patchgen.model.base import Base, Oid
from patchgen.model.series import CommitDraft, FileEdit, RecipientRoles, Signatures
from patchgen.model.sweep import CampaignRequest, Sweep
from patchgen.odb import Quarantine, Repository, resolve_object
from patchgen.pipeline.base_series import warn_of_base
from patchgen.pipeline.next_version import NextVersion, find_earlier_branch, track_series
from patchgen.pipeline.prepare import (
    PreparedSeries,
    WrittenSeries,
    prepare_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.pipeline.replaced_options import warn_of_replaced
from patchgen.pipeline.target import SeriesTarget, choose_new_target
from patchgen.series import warn_of_unsendable, write_patches
from patchgen.spec import People
from patchgen.sweep import SweepRequest


@dataclass(frozen=True, slots=True)
class Campaign:
    """A series, the change that it was made from, and its mails on disk.

    After a dry run, `mails` is empty, and `diffs` has the messages and diffs of the patches.
    """

    branch: str
    change: SplitChange
    series: PreparedSeries
    mails: tuple[Path, ...]
    warnings: tuple[str, ...]
    diffs: str = ""


def make_campaign(
    repository: Repository,
    request: CampaignRequest,
    run: SweepRequest,
    sweep: Sweep,
    *,
    edit_texts: Callable[[CampaignTexts], CampaignTexts] | None,
) -> Campaign:
    """Make a branch and mails from the edits of a sweep; there must be at least one edit.

    `edit_texts` lets the user change the texts. A dry run writes nothing. Raises RefusedError if
    the branch or the folder must not be used, if a branch has an earlier version, or for a text
    that `git am` would cut; ToolError if git does not know the user's identity. Nothing is written
    then.
    """
    version, target = choose_new_target(
        repository,
        PurePosixPath(sweep.public_name).stem,
        first_version=1,
        branch=request.branch,
        revision=request.revision,
        output=request.output,
        may_replace=request.force,
        writes=not request.dry_run,
    )
    old_tip = None if request.dry_run else target.check(repository)
    if not request.force:
        _refuse_second_version(repository, target.branch, version.revision)
    change = divide_change(repository, request, run, sweep, version.revision, edit_texts=edit_texts)
    replaced = old_tip if request.force else None
    lost = warn_of_replaced(repository, replaced, change.title, request, run.run.definitions)
    series, mails, diffs = _write(repository, change, version, target, old_tip)
    warnings = (
        *warn_of_base(repository, run.run.base, run.base.oid),
        *lost,
        *change.warnings,
        *series.warnings,
        *_warn_of_missing_recipients(change, series),
    )
    return Campaign(target.branch, change, series, mails, tuple(dict.fromkeys(warnings)), diffs)


def _refuse_second_version(repository: Repository, branch: str, revision: int) -> None:
    """Raise RefusedError if a branch has an earlier version: its tags and edits would be lost."""
    earlier = find_earlier_branch(repository, branch, revision)
    if earlier is not None:
        raise RefusedError(
            f"{earlier[0]} is version {earlier[1]} of this series; to run the semantic patch alone "
            f"would make version {revision} without its review tags and hand edits",
            code="series-exists",
            hint=f"`patchgen reroll {earlier[0]}` makes the next version with them",
            alternatives={"force": "make the version without them"},
        )


def _warn_of_missing_recipients(change: SplitChange, series: PreparedSeries) -> Iterator[str]:
    """Yield a warning for each patch that is not sent to the person who applies it.

    The log shows who applied most of the last patches to the files. The recipients come from
    MAINTAINERS, which may not name this person.
    """
    if change.request.policy.roles is RecipientRoles.LISTS:
        return
    mails = zip(change.patches, series.mails[1:], strict=True)
    for number, (patch, mail) in enumerate(mails, 1):
        person = patch.group.tree.location if patch.group.tree else ""
        # The location of a tree without a repository is a person.
        if person.endswith(">") and address_of(person) not in list_addresses(list_recipients(mail)):
            yield (
                f"patch {number} is not sent to {person}, who applied most of the last patches to "
                "its files: MAINTAINERS does not name this person"
            )


def _write(
    repository: Repository,
    change: SplitChange,
    version: NextVersion,
    target: SeriesTarget,
    old_tip: Oid | None,
) -> tuple[PreparedSeries, tuple[Path, ...], str]:
    """Write the branch and the mails; in a dry run, return the diffs of the patches instead."""
    request = change.request
    signatures = repository.read_signatures(as_of=None if request.force else old_tip)
    people = find_people(repository, request)
    with Quarantine(repository) as quarantine:
        series = _prepare(quarantine, change, version, target.branch, old_tip, signatures, people)
        if request.dry_run:
            return series, (), quarantine.show_patches(series.start, series.tip)
        reason = f"patchgen: run {change.title} v{version.revision}"
        return series, publish_series(quarantine, target, series, old_tip, reason), ""


def _prepare(
    quarantine: Quarantine,
    change: SplitChange,
    version: NextVersion,
    branch: str,
    old_tip: Oid | None,
    signatures: Signatures,
    people: People,
) -> PreparedSeries:
    """Write the patches, and return them with their cover letter, record and mails."""
    base = change.base
    draft = change.draft(signatures)
    commits, record = write_patches(quarantine, base.oid, draft, signatures)
    _check_whole(quarantine, base, change.sweep.edits, commits[-1], signatures)
    tracking = track_series(
        quarantine,
        version,
        old_tip,
        title=PurePosixPath(change.title).stem,
        branch=branch,
        base=base.oid,
        tip=commits[-1],
        author=signatures.author,
    )
    series = prepare_series(
        quarantine,
        WrittenSeries(base.oid, change.tree, commits, draft.cover, tracking, record),
        signatures,
        people=people,
        get_maintainer=change.request.get_maintainer,
    )
    unsendable = warn_of_unsendable(draft, signatures.committer)
    return replace(series, warnings=(*unsendable, *series.warnings))


def _check_whole(
    quarantine: Quarantine,
    base: Base,
    edits: Sequence[FileEdit],
    tip: Oid,
    signatures: Signatures,
) -> None:
    """Check that the patches together equal the change that was split."""
    [whole] = quarantine.write_commits(
        base.oid, [CommitDraft("everything\n", tuple(edits))], signatures
    )
    trees = {resolve_object(quarantine, f"{commit}^{{tree}}") for commit in (whole, tip)}
    if len(trees) != 1:
        raise AssertionError("the patches together are not the whole change")
