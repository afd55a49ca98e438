# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn the patches that a plan made into commits in a quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgen.model.base import Oid
from patchgen.model.series import (
    CommitDraft,
    Cover,
    Identity,
    MadePatch,
    Signatures,
)
from patchgen.odb import Quarantine, digest_commits, put_empty_below
from patchgen.series.messages import render_cover, render_message
from patchgen.series.record import HandWork, Record, record_patches
from patchgen.series.tracking import Tracking, format_cover_commit

if TYPE_CHECKING:
    from patchgen.spec import SeriesPlan


@dataclass(frozen=True, slots=True)
class SeriesDraft:
    """The patches of a plan that the base does not have, with their cover letter and record.

    `drafts` are by the patches' names in the manifest, in order.
    """

    drafts: Mapping[str, CommitDraft]
    cover: Cover
    record: Record

    @property
    def messages(self) -> dict[str, str]:
        """The commit messages, by the patches' names."""
        return {name: draft.message for name, draft in self.drafts.items()}


def draft_series(
    plan: SeriesPlan,
    made_patches: Sequence[MadePatch],
    signer: Identity | None,
    record: Record,
    hand: HandWork,
) -> SeriesDraft:
    """Return the messages and edits of the patches that were made.

    `made_patches` has one result for each patch of the plan; at least one of them has edits.
    `signer` signs the patches off. `record` has everything but the patches. Messages and cover
    letter take account of hand edits (`hand`) in the branch.
    """
    drafts = {}
    for planned, patch in zip(plan.patches, made_patches, strict=True):
        if patch.present_at is None:
            edited = patch.name in hand.edited
            message = render_message(plan, planned, patch, signer, edited=edited)
            drafts[patch.name] = CommitDraft(message, patch.edits)
    subjects = {name: draft.subject for name, draft in drafts.items()} | dict(hand.subjects)
    cover = render_cover(plan, made_patches, subjects, hand)
    record = record.model_copy(update={"hand": hand})
    record = record_patches(record, plan, made_patches, drafts, cover)
    return SeriesDraft(drafts, cover, record)


def write_patches(
    quarantine: Quarantine, base: Oid, draft: SeriesDraft, signatures: Signatures
) -> tuple[tuple[Oid, ...], Record]:
    """Write the patches on top of the base; return the commits, and the record with digests."""
    commits = quarantine.write_commits(base, list(draft.drafts.values()), signatures)
    change_digests = digest_commits(quarantine, base, commits[-1])
    patches = tuple(
        patch.model_copy(update={"content": change_digests[commit]})
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
    """Write the cover letter's commit on the base, and the patches again on top of it."""
    message = format_cover_commit(cover, tracking)
    identities = (signatures.author, signatures.committer)
    cover_commit, *patches = put_empty_below(quarantine, base, commits, message, *identities)
    return cover_commit, tuple(patches)
