# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a campaign: from edits to a branch and mails, in the same way as a variant's series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from patchgen.campaign.groups import PatchGroup, split_edits
from patchgen.campaign.merging import merge_groups
from patchgen.campaign.messages import WIDTH
from patchgen.campaign.places import PlaceCount, count_places
from patchgen.campaign.split_change import SplitChange
from patchgen.campaign.texts import CampaignTexts, choose_texts
from patchgen.campaign.trees import History, assign_trees, open_history
from patchgen.coccinelle import Header
from patchgen.kernel import find_file_trees
from patchgen.model.base import Base, Oid
from patchgen.model.series import CommitDraft, FileEdit, Signatures
from patchgen.model.sweep import CampaignRequest, Split, Sweep
from patchgen.odb import GitTree, Quarantine, Repository, resolve_object
from patchgen.pipeline.next_version import NextVersion, track_series
from patchgen.pipeline.prepare import (
    PreparedSeries,
    WrittenSeries,
    prepare_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.pipeline.target import SeriesTarget, choose_new_target
from patchgen.spec import People
from patchgen.sweep import SweepRequest


@dataclass(frozen=True, slots=True)
class Campaign:
    """The series that was made: its groups and messages, one per patch, and its mails on disk.

    `counts` are the places of each patch. `mails` is empty after a dry run.
    """

    branch: str
    groups: tuple[PatchGroup, ...]
    counts: tuple[PlaceCount, ...]
    drafts: tuple[CommitDraft, ...]
    series: PreparedSeries
    mails: tuple[Path, ...]
    warnings: tuple[str, ...]


def make_campaign(
    repository: Repository,
    request: CampaignRequest,
    run: SweepRequest,
    sweep: Sweep,
    command: str,
    *,
    edit_texts: Callable[[CampaignTexts], CampaignTexts] | None,
) -> Campaign:
    """Make a branch and mails from the edits of a sweep; there must be at least one edit.

    `command` is the command line that makes the edits, for messages. `edit_texts` lets the user
    change the texts. A dry run writes nothing. Raises RefusedError if the branch or the folder must
    not be used, or for a text that `git am` would cut; ToolError if git does not know the user's
    identity. Nothing is written then.
    """
    version, target = choose_new_target(
        repository,
        PurePosixPath(sweep.public_name).stem,
        first_version=1,
        branch=request.branch,
        revision=request.revision,
        output=request.output,
        may_replace=request.force,
    )
    old_tip = None if request.dry_run else target.check(repository)
    tree = GitTree(repository, sweep.base.tree)
    history = open_history(repository, sweep.base.oid)
    groups, problems = _group(tree, history, request, sweep.edits)
    texts = choose_texts(request, run.header or Header(), sweep.public_name)
    if edit_texts is not None:
        texts = edit_texts(texts)
    counts = count_places(sweep, [group.edits for group in groups])
    change = SplitChange(request, run, sweep, command, tuple(groups), tuple(counts), texts)
    drafts, series, mails = _write(repository, tree, history, change, version, target, old_tip)
    warnings = dict.fromkeys((*problems, *series.warnings, *_warn(drafts, request, texts)))
    return Campaign(
        target.branch, change.groups, change.counts, tuple(drafts), series, mails, tuple(warnings)
    )


def _write(
    repository: Repository,
    tree: GitTree,
    history: History,
    change: SplitChange,
    version: NextVersion,
    target: SeriesTarget,
    old_tip: Oid | None,
) -> tuple[Sequence[CommitDraft], PreparedSeries, tuple[Path, ...]]:
    """Write the branch and the mails, unless it is a dry run; return the patches, too."""
    request = change.request
    signatures = repository.read_signatures(as_of=None if request.force else old_tip)
    people = find_people(repository, request)
    with Quarantine(repository) as quarantine:
        drafts = change.draft(history, signatures.committer)
        series = _prepare(
            quarantine, tree, change, drafts, version, target.branch, old_tip, signatures, people
        )
        if request.dry_run:
            return drafts, series, ()
        reason = f"patchgen: run {change.sweep.public_name} v{version.revision}"
        return drafts, series, publish_series(quarantine, target, series, old_tip, reason)


def _prepare(
    quarantine: Quarantine,
    tree: GitTree,
    change: SplitChange,
    drafts: Sequence[CommitDraft],
    version: NextVersion,
    branch: str,
    old_tip: Oid | None,
    signatures: Signatures,
    people: People,
) -> PreparedSeries:
    """Write the patches, and return them with their cover letter, record and mails."""
    base = change.sweep.base
    commits = quarantine.write_commits(base.oid, drafts, signatures)
    _check_whole(quarantine, base, change.sweep.edits, commits[-1], signatures)
    cover = change.render_cover(drafts)
    tracking = track_series(
        quarantine,
        version,
        old_tip,
        title=PurePosixPath(change.sweep.public_name).stem,
        branch=branch,
        base=base.oid,
        tip=commits[-1],
        author=signatures.author,
    )
    record = change.record(quarantine, version.revision, drafts, cover, commits)
    return prepare_series(
        quarantine,
        WrittenSeries(base.oid, tree, commits, cover, tracking, record),
        signatures,
        people=people,
        get_maintainer=change.request.get_maintainer,
    )


def _group(
    tree: GitTree, history: History, request: CampaignRequest, edits: Sequence[FileEdit]
) -> tuple[list[PatchGroup], list[str]]:
    """Return the groups of edits that become patches, and warnings about MAINTAINERS."""
    by_tree = request.split is Split.TREE
    by_section = by_tree or request.split in (Split.MAINTAINER, Split.SUBSYSTEM)
    if not by_section and request.max_patches is None:
        return split_edits(edits, request.split, {}), []
    files = find_file_trees(tree, [edit.path for edit in edits])
    if files is None:
        groups = split_edits(edits, request.split, {})
        warnings = (
            ["the base has no MAINTAINERS, which would name the git trees"] if by_tree else []
        )
    else:
        trees = assign_trees(history if by_tree else history.without_log(), files)
        groups = split_edits(edits, request.split, files.owners, trees)
        warnings = list(files.warnings)
        if by_tree and not history.has_log:
            warnings.append(
                "the base has no history that names who applied patches: the git trees are those "
                "of MAINTAINERS"
            )
    if request.max_patches is None:
        return groups, warnings
    joined = merge_groups(groups, request.max_patches)
    if len(joined) > request.max_patches:
        warnings.append(
            f"{len(joined)} patches are left, not {request.max_patches}: patches for different git "
            "trees are not joined"
        )
    return joined, warnings


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


def _warn(
    drafts: Sequence[CommitDraft], request: CampaignRequest, texts: CampaignTexts
) -> list[str]:
    warnings = [
        f"the subject has more than {WIDTH} columns: {draft.subject}"
        for draft in drafts
        if len(draft.subject) > WIDTH
    ]
    if len(drafts) > 15 and request.max_patches is None and request.split is not Split.TREE:
        warnings.append(
            f"{len(drafts)} patches are many at once (submitting-patches.rst: 15 or so); "
            "--max-patches 15 joins groups"
        )
    if request.subject is None and texts.message.subject == texts.summary:
        warnings.append("the subjects quote the semantic patch; --subject sets your own")
    return warnings
