"""Turn what a plan came to into commits in a quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.model.plan import Plan
from patchgen.model.series import CommitDraft, MadePatch, Series, Signatures
from patchgen.odb import Quarantine
from patchgen.series.messages import render_cover, render_message


def build_series(
    plan: Plan,
    made: Sequence[MadePatch],
    quarantine: Quarantine,
    signatures: Signatures,
    *,
    branch: str,
    revision: int,
    sign_off: bool,
) -> Series:
    """Write the commits of all patches that are not in the base yet, and return the series.

    `made` are the results of the plan's patches, in their order; at least one has edits.
    """
    signer = signatures.committer if sign_off else None
    drafts = []
    subjects: dict[str, str] = {}
    for planned, patch in zip(plan.patches, made, strict=True):
        if patch.present_at is None:
            draft = CommitDraft(render_message(plan, planned, patch, signer), patch.edits)
            subjects[patch.name] = draft.subject
            drafts.append(draft)
    cover_subject, cover_body = render_cover(plan, made, subjects)
    commits = quarantine.write_commits(plan.base.oid, drafts, signatures)
    return Series(
        base=plan.base,
        branch=branch,
        revision=revision,
        cover_subject=cover_subject,
        cover_body=cover_body,
        drafts=tuple(drafts),
        commits=commits,
        stats=tuple(quarantine.read_stats(plan.base.oid, commits[-1])),
    )
