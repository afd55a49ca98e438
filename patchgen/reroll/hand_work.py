# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hand edits in the new version of a series, and carry its texts over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover, Identity, RecipientEdits, Signatures
from patchgen.odb import GitTree, Quarantine, digest_commits, write_commit_chain
from patchgen.reroll.changelog import DroppedTag, drop_tags
from patchgen.reroll.gone_patches import find_squashed
from patchgen.reroll.hand_edits import Carrier, NewCommit, carry_cover
from patchgen.reroll.source import Generated
from patchgen.series import HandWork, MatchedCommit, Record, SeriesDraft, digest_cover
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


def cite_from_version(
    quarantine: Quarantine, generated: Generated, carrier: Carrier, commits: Sequence[NewCommit]
) -> Generated:
    """Return the series with the calls that its texts cite as they are in the new version."""
    tree = commits[-1].tree
    if tree == list(carrier.generated.values())[-1].tree:
        return generated
    return generated.cite_from(GitTree(quarantine, tree))


def carry_messages(
    quarantine: Quarantine,
    generated: Generated,
    carrier: Carrier,
    commits: Sequence[NewCommit],
    signatures: Signatures,
) -> tuple[tuple[Message, ...], SeriesDraft]:
    """Return the messages of the new version's commits, and the draft that matches them."""
    base = generated.base.oid
    chain = [(commit.source, commit.tree, None) for commit in commits]
    written = write_commit_chain(quarantine, chain, base, signatures.committer)
    edited = find_edited(
        quarantine, base, commits, written, carrier.generated, carrier.change_digests
    )
    names = {oid: commit.name for commit, oid in zip(commits, written, strict=True)}
    find_hand = partial(
        find_hand_work,
        commits,
        edited=edited,
        squashed=find_squashed(quarantine, base, names, carrier.generated),
        generated=tuple(carrier.generated),
        planned=generated.names,
    )
    draft = generated.draft(signatures, find_hand([commit.subject for commit in commits]))
    messages = carrier.carry_messages(commits, draft.messages)
    hand = find_hand([message.subject for message in messages])
    return messages, generated.draft(signatures, hand)


def carry_letter(
    carrier: Carrier, branch: Cover | None, record: Record, generated: tuple[Cover, Cover]
) -> tuple[Cover, tuple[str, ...]]:
    """Return the cover letter of the new version, and warnings about it.

    `branch` is the letter of the branch, `record` its record, and `generated` are the letter for a
    series without hand edits, and the one for this series.
    """
    assert branch is not None
    if digest_cover(branch) == record.cover:
        return replace(generated[1], notes=branch.notes), ()
    if carrier.original is None or carrier.original.cover is None:
        return branch, (
            "the cover letter could not be generated again, so its lists and "
            f"numbers are those of v{record.revision}",
        )
    covers = (carrier.original.cover, branch, generated)
    return carry_cover(*covers, carrier.quarantine, carrier.labels, carrier.resolutions), ()


def find_edited(
    quarantine: Quarantine,
    base: Oid,
    commits: Sequence[NewCommit],
    written: Sequence[Oid],
    generated: Mapping[str, Commit],
    change_digests: Mapping[Oid, str],
) -> frozenset[str]:
    """Return the names of the patches that a person edited and that still differ from the
    generated ones.

    `written` are the ids of the commits, and `generated` the commits generated now on the base, by
    name; `change_digests` are those of the branch's commits.
    """
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
    *,
    edited: Collection[str],
    squashed: Mapping[str, str],
    generated: Collection[str],
    planned: Collection[str],
) -> HandWork:
    """Return the hand edits in a series whose commits have these subjects.

    `edited` are names of patches, `generated` those generated now, `planned` all that may be made,
    and `squashed` is as in HandWork.
    """
    subjects_by_name = {
        commit.name: subject
        for commit, subject in zip(commits, subjects, strict=True)
        if commit.name in planned
    }
    return HandWork(
        edited=tuple(name for name in subjects_by_name if name in edited),
        left_out=tuple(name for name in generated if name not in subjects_by_name),
        squashed=squashed,
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
