"""Turn what a plan came to into commits in a quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from patchgen.model.base import Oid
from patchgen.model.plan import Plan
from patchgen.model.series import (
    CommitDraft,
    Cover,
    MadePatch,
    Recipients,
    Series,
    Signatures,
)
from patchgen.odb import Quarantine, read_substances, rechain, write_empty_commit
from patchgen.series.messages import render_cover, render_message
from patchgen.series.record import Record, record_patches
from patchgen.series.tracking import Tracking, format_cover_commit


@dataclass(frozen=True, slots=True)
class SeriesDraft:
    """The patches of a plan that are not in the base yet, and what goes with them.

    `names` are the patches' names in the manifest, in the order of the drafts.
    """

    names: tuple[str, ...]
    drafts: tuple[CommitDraft, ...]
    cover: Cover
    record: Record


def draft_series(
    plan: Plan,
    made: Sequence[MadePatch],
    signatures: Signatures,
    record: Record,
    *,
    sign_off: bool,
) -> SeriesDraft:
    """Return the messages and edits of what was made, one result for each patch of the plan.

    At least one of them has edits. `record` knows everything but the patches.
    """
    signer = signatures.committer if sign_off else None
    drafts = {
        patch.name: CommitDraft(render_message(plan, planned, patch, signer), patch.edits)
        for planned, patch in zip(plan.patches, made, strict=True)
        if patch.present_at is None
    }
    cover = render_cover(plan, made, {name: draft.subject for name, draft in drafts.items()})
    record = record_patches(record, plan, made, drafts)
    return SeriesDraft(tuple(drafts), tuple(drafts.values()), cover, record)


def write_patches(
    quarantine: Quarantine, plan: Plan, draft: SeriesDraft, signatures: Signatures
) -> tuple[tuple[Oid, ...], Record]:
    """Write the patches on top of the base; return them, and the record with their contents."""
    commits = quarantine.write_commits(plan.base.oid, draft.drafts, signatures)
    substances = read_substances(quarantine, plan.base.oid, commits[-1])
    patches = tuple(
        patch.model_copy(update={"content": substances[commit]})
        for patch, commit in zip(draft.record.patches, commits, strict=True)
    )
    return commits, draft.record.model_copy(update={"patches": patches})


def put_cover_below(
    quarantine: Quarantine,
    base: Oid,
    cover: Cover,
    tracking: Tracking,
    commits: Sequence[Oid],
    signatures: Signatures,
) -> tuple[Oid, tuple[Oid, ...]]:
    """Write the cover letter's commit on the base, and the patches anew on top of it."""
    tree = Oid(quarantine.run("rev-parse", "--verify", f"{base}^{{tree}}").stdout.decode().strip())
    cover_commit = write_empty_commit(
        quarantine,
        base,
        tree,
        format_cover_commit(cover, tracking),
        signatures.author,
        signatures.committer,
    )
    return cover_commit, rechain(quarantine, commits, cover_commit)


def build_series(
    quarantine: Quarantine,
    plan: Plan,
    draft: SeriesDraft,
    commits: Sequence[Oid],
    signatures: Signatures,
    *,
    branch: str,
    tracking: Tracking,
    recipients: Recipients,
    with_cover: bool,
) -> Series:
    """Return the series of patches that are written, with its cover letter's commit below them.

    Unless that is not wanted: then the patches stay as they are.
    """
    cover = replace(draft.cover, recipients=recipients)
    stats = tuple(quarantine.read_stats(plan.base.oid, commits[-1]))
    cover_commit: Oid | None = None
    if with_cover:
        cover_commit, commits = put_cover_below(
            quarantine, plan.base.oid, cover, tracking, commits, signatures
        )
    return Series(
        base=plan.base,
        branch=branch,
        revision=tracking.revision,
        change_id=tracking.change_id,
        cover=cover,
        cover_commit=cover_commit,
        drafts=draft.drafts,
        commits=tuple(commits),
        stats=stats,
    )
