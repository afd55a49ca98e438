# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hand edits in the new version of a series, from its commits alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover, Identity, RecipientEdits, Signatures
from patchgen.odb import Quarantine, digest_commits, write_commit_chain
from patchgen.reroll.changelog import DroppedTag, drop_tags
from patchgen.reroll.hand_edits import NewCommit
from patchgen.reroll.source import Generated
from patchgen.series import HandWork, MatchedCommit, Record
from patchgen.series.trailers import Message, parse_message


def expect_patch_names(
    generated: Generated,
    record: Record,
    branch: Sequence[MatchedCommit],
    change_digests: Mapping[Oid, str],
) -> list[str]:
    """Return the names of the patches that a version may have, before edits are carried over.

    These are the generated patches that no person left out, and those that a person edited.
    """
    branch_names = {matched.name for matched in branch}
    left_out = {patch.name for patch in record.patches} - branch_names
    names = [name for name in generated.names if name not in left_out | set(generated.present)]
    edited = [matched.name for matched in branch if matched.is_edited(change_digests)]
    return names + [name for name in edited if name not in names]


def find_edited(
    quarantine: Quarantine,
    base: Oid,
    commits: Sequence[NewCommit],
    generated: Mapping[str, Commit],
    change_digests: Mapping[Oid, str],
    signatures: Signatures,
) -> frozenset[str]:
    """Return the names of the patches that a person edited and that still differ from the
    generated ones.

    `generated` are the commits generated now on the base, by name; `change_digests` are those of
    the branch's commits.
    """
    chain = [(commit.source, commit.tree, None) for commit in commits]
    written = write_commit_chain(quarantine, chain, base, signatures.committer)
    digests = digest_commits(quarantine, base, written[-1])
    generated_digests = digest_commits(quarantine, base, list(generated.values())[-1].oid)
    return frozenset(
        commit.name
        for commit, oid in zip(commits, written, strict=True)
        if commit.matched is not None and commit.matched.is_edited(change_digests)
        if not commit.is_generated or digests[oid] != generated_digests[generated[commit.name].oid]
    )


def write_commits(
    quarantine: Quarantine,
    base: Oid,
    commits: Sequence[NewCommit],
    messages: Sequence[Message],
    committer: Identity,
) -> tuple[Oid, ...]:
    """Write the commits of a version with their messages, and return their ids."""
    chain = [
        (commit.source, commit.tree, str(message))
        for commit, message in zip(commits, messages, strict=True)
    ]
    return write_commit_chain(quarantine, chain, base, committer)


def find_hand_work(
    commits: Sequence[NewCommit],
    subjects: Sequence[str],
    edited: Collection[str],
    generated: Collection[str],
    planned: Collection[str],
) -> HandWork:
    """Return the hand edits in a series whose commits have these subjects.

    `edited` are names of patches, `generated` those generated now, `planned` all that may be made.
    """
    subjects_by_name = {
        commit.name: subject
        for commit, subject in zip(commits, subjects, strict=True)
        if commit.name in planned
    }
    return HandWork(
        edited=tuple(name for name in subjects_by_name if name in edited),
        left_out=tuple(name for name in generated if name not in subjects_by_name),
        subjects=subjects_by_name,
        added=tuple(
            subject
            for commit, subject in zip(commits, subjects, strict=True)
            if commit.name not in planned
        ),
    )


def find_lost_tags(
    branch: Sequence[MatchedCommit],
    commits: Sequence[NewCommit],
    present: Collection[str],
    change_digests: Mapping[Oid, str],
    revision: int,
) -> list[DroppedTag]:
    """Return the tags of the branch's patches that the new version omits.

    Edited patches, and those that the base already has (`present`), are not counted as lost.
    """
    carried = {commit.branch_commit.oid for commit in commits if commit.branch_commit}
    return [
        tag
        for matched in branch
        if matched.patch is not None
        and matched.commit.oid not in carried
        and matched.name not in present
        and not matched.is_edited(change_digests)
        for tag in drop_tags(
            parse_message(matched.commit.message), f"as the patch is not in v{revision}"
        )
    ]


def find_edited_recipients(cover: Cover | None, record: Record) -> RecipientEdits:
    """Return how people changed the recipients of the cover letter by hand."""
    assert cover is not None
    now = cover.recipients
    generated = record.generated_recipients or now
    return RecipientEdits(added=now.without(generated), removed=generated.without(now))
