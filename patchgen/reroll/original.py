# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the series as it was generated, before people edited it: the base of each three-way merge.

It is looked up under the ref that a reroll writes, then in the branch's reflog, where `apply` and
`run --split` left it. Otherwise it is generated again, with the same result if the templates and
tools are the same. The record in the branch proves whether a candidate is the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import MissingObjectsError, PatchgenError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover, Signatures
from patchgen.odb import (
    Git,
    GitTree,
    Quarantine,
    Repository,
    digest_commits,
    read_commit,
    read_commits,
    resolve_object,
)
from patchgen.reroll.source import Generated
from patchgen.series import (
    HandWork,
    MatchedCommit,
    Record,
    SeriesBranch,
    SeriesDraft,
    Tracking,
    digest_cover,
    digest_message,
    put_cover_below,
    read_branch,
    take_out_testing,
    write_patches,
)

# The beginnings of the reflog entries that `apply` and `run --split` write.
_GENERATED = ("patchgen: apply ", "patchgen: run ")


@dataclass(frozen=True, slots=True)
class OriginalSeries:
    """The generated commits, by the names of their patches, and the generated cover letter.

    `cover` is None if the one generated today differs from the record.
    """

    commits: Mapping[str, Commit]
    cover: Cover | None


def original_ref(change_id: str, revision: int) -> str:
    """Return the ref under which a reroll stores the generated series, without hand edits."""
    return f"refs/patchgen/made/{change_id}/v{revision}"


def find_original(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    record: Record,
    regenerate: Callable[[], Generated | None],
    branch: Sequence[MatchedCommit],
) -> OriginalSeries | None:
    """Return the series as patchgen generated it, None if it can no longer be found.

    `branch` are the commits of the branch, with their recorded patches. `regenerate` generates the
    series again, as SeriesSource does.
    """
    return find_stored(repository, quarantine, series, record) or _regenerate(
        repository, quarantine, series, record, regenerate, branch
    )


def put_generated_cover(
    quarantine: Quarantine,
    base: Oid,
    cover: Cover,
    tracking: Tracking,
    commits: Sequence[Oid],
    signatures: Signatures,
) -> Oid:
    """Return the tip of the generated series, without hand edits, with its cover letter."""
    _, oids = put_cover_below(quarantine, base, cover, tracking, commits, signatures)
    return oids[-1]


def find_stored(
    repository: Repository, git: Git, series: SeriesBranch, record: Record
) -> OriginalSeries | None:
    """Return the series as patchgen generated it if the repository still has those commits."""
    candidates = _list_candidates(repository, series, record)
    found = (_read_original(repository, git, series.name, tip, record) for tip in candidates)
    return next((original for original in found if original is not None), None)


def _list_candidates(repository: Repository, series: SeriesBranch, record: Record) -> list[Oid]:
    tips = [series.tip]
    if series.tracking is not None:
        stored = repository.find_ref(original_ref(series.tracking.change_id, record.revision))
        tips += [stored] if stored else []
    log = repository.run(
        "reflog", "show", "--format=%H%x00%gs", f"refs/heads/{series.name}", ok=None
    )
    for line in log.lines:
        oid, _, reason = line.partition("\0")
        if reason.startswith(_GENERATED):
            tips.append(Oid(oid))
    return tips


def _read_original(
    repository: Repository, git: Git, name: str, tip: Oid, record: Record
) -> OriginalSeries | None:
    """Return the series that ends in `tip`, None if it does not match the record."""
    try:
        branch = read_branch(repository, git, name, tip)
    except MissingObjectsError:
        raise
    except PatchgenError:
        return None
    if branch.cover is None or branch.record is None:
        return None
    cover, original_record = take_out_testing(branch.cover, branch.record)
    is_original = original_record == record.model_copy(update={"testing": None})
    if not is_original or len(branch.commits) != len(record.patches):
        return None
    change_digests = digest_commits(git, branch.start, tip)
    for commit, patch in zip(branch.commits, record.patches, strict=True):
        is_original &= change_digests[commit.oid] == patch.content
        is_original &= digest_message(commit.message) == patch.message
    if not is_original or digest_cover(cover) != record.cover:
        return None
    names = [patch.name for patch in record.patches]
    return OriginalSeries(dict(zip(names, branch.commits, strict=True)), cover)


def _regenerate(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    record: Record,
    regenerate: Callable[[], Generated | None],
    branch: Sequence[MatchedCommit],
) -> OriginalSeries | None:
    signatures = _read_signatures(repository, quarantine, series)
    try:
        generated = regenerate()
        if generated is None or generated.is_empty:
            return None
        hand_work = record.hand or _guess_hand_work(generated.draft(signatures), record, branch)
        # The calls may be cited from the series with hand edits, if it has not changed since.
        tree = GitTree(quarantine, resolve_object(quarantine, f"{series.tip}^{{tree}}"))
        drafts = [generated.draft(signatures, hand_work)]
        drafts.append(generated.cite_from(tree).draft(signatures, hand_work))
        matching = (draft for draft in drafts if digest_cover(draft.cover) == record.cover)
        draft = next(matching, drafts[0])
        oids, written = write_patches(quarantine, record.base, draft, signatures)
    except MissingObjectsError:
        raise
    except PatchgenError:
        return None
    if [patch.content for patch in written.patches] != [patch.content for patch in record.patches]:
        return None
    commits = read_commits(quarantine, record.base, oids[-1])
    cover = draft.cover if written.cover == record.cover else None
    return OriginalSeries(dict(zip(draft.drafts, commits, strict=True)), cover)


def _guess_hand_work(
    draft: SeriesDraft, record: Record, branch: Sequence[MatchedCommit]
) -> HandWork:
    """Return the hand edits of a series from its messages, for a record without hand edits."""
    generated = {patch.name: patch for patch in draft.record.patches}
    subjects = {matched.name: matched.commit.subject for matched in branch if matched.name}
    edited = {
        patch.name: subjects.get(patch.name, patch.subject)
        for patch in record.patches
        if patch.name in generated and generated[patch.name].message != patch.message
    }
    return HandWork(edited=tuple(edited), subjects=edited)


def _read_signatures(
    repository: Repository, quarantine: Quarantine, series: SeriesBranch
) -> Signatures:
    """Return the author of the series: the patches were signed off with that name only."""
    signatures = repository.read_signatures()
    if series.cover_commit is None:
        return signatures
    author = read_commit(quarantine, series.cover_commit).author
    name, _, email = author.removesuffix(">").rpartition(" <")
    identity = replace(signatures.author, name=name, email=email)
    return Signatures(identity, identity)
