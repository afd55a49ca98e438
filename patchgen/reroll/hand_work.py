# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hand edits in the new version of a series, from its commits alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from patchgen.model.base import Oid
from patchgen.model.series import Cover, Recipients, Signatures
from patchgen.odb import Quarantine, digest_commits, write_commit_chain
from patchgen.pipeline.generate import GeneratedSeries
from patchgen.reroll.hand_edits import Placed
from patchgen.series import HandWork, MatchedCommit, Record


def expect_patch_names(
    made: GeneratedSeries,
    record: Record,
    branch: Sequence[MatchedCommit],
    change_digests: Mapping[Oid, str],
) -> list[str]:
    """Return the names of the patches that a version may have, before edits are carried over.

    These are the generated patches that no person left out, and those that a person edited.
    """
    there = {matched.name for matched in branch}
    had = {patch.name for patch in made.patches if patch.present_at}
    left_out = {patch.name for patch in record.patches} - there - had
    names = [patch.name for patch in made.patches if patch.name not in left_out | had]
    edited = [matched.name for matched in branch if matched.is_edited(change_digests)]
    return names + [name for name in edited if name not in names]


def find_edited(
    quarantine: Quarantine,
    base: Oid,
    placed: Sequence[Placed],
    made: Mapping[str, Oid],
    change_digests: Mapping[Oid, str],
    signatures: Signatures,
) -> frozenset[str]:
    """Return the names of the patches that a person edited and that still differ from the
    generated ones.

    `made` are the commits generated now on the base, by name, and `change_digests` those of the
    branch's commits.
    """
    lines = [(commit.source, commit.tree, None) for commit in placed]
    written = write_commit_chain(quarantine, lines, base, signatures.committer)
    have = digest_commits(quarantine, base, written[-1])
    plain = digest_commits(quarantine, base, list(made.values())[-1])
    return frozenset(
        commit.name
        for commit, oid in zip(placed, written, strict=True)
        if commit.matched is not None and commit.matched.is_edited(change_digests)
        if not commit.is_generated or have[oid] != plain[made[commit.name]]
    )


def find_hand_work(
    placed: Sequence[Placed],
    subjects: Sequence[str],
    edited: Collection[str],
    made: Collection[str],
    all_of: Collection[str],
) -> HandWork:
    """Return the hand edits in a series whose commits have these subjects.

    `edited` are names of patches, `made` those generated now, `all_of` those of the plan.
    """
    named = {
        commit.name: subject
        for commit, subject in zip(placed, subjects, strict=True)
        if commit.name in all_of
    }
    return HandWork(
        edited=tuple(name for name in named if name in edited),
        left_out=tuple(name for name in made if name not in named),
        subjects=named,
        added=tuple(
            subject
            for commit, subject in zip(placed, subjects, strict=True)
            if commit.name not in all_of
        ),
    )


def find_edited_recipients(cover: Cover | None, record: Record) -> tuple[Recipients, Recipients]:
    """Return the recipients that people added to the cover letter, and those they removed."""
    assert cover is not None
    now = cover.recipients
    generated = record.generated_recipients or now
    return _without(now, generated), _without(generated, now)


def _without(recipients: Recipients, others: Recipients) -> Recipients:
    known = set(others.to + others.cc)
    return Recipients(
        tuple(person for person in recipients.to if person not in known),
        tuple(person for person in recipients.cc if person not in known),
    )
