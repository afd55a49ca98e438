# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain which patches, or parts of them, the next version of a series omits, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from patchgen.commands.status import judge_patches
from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.finding import list_first
from patchgen.odb import Quarantine, Repository, digest_commits
from patchgen.reroll.hand_edits import NewCommit
from patchgen.reroll.source import Generated, OnStage
from patchgen.series import MatchedCommit, SeriesBranch, match_commits
from patchgen.status import FileStatus, PatchState, PatchStatus, UpstreamCommit
from patchgen.status.remarks import show_commit


class UpstreamStates:
    """The states of the patches of a series on a newer base, computed when first needed."""

    def __init__(
        self,
        repository: Repository,
        quarantine: Quarantine,
        series: SeriesBranch,
        onto: str | None,
        on_stage: OnStage,
    ):
        """`onto` None means the series' own base."""
        self._repository = repository
        self._quarantine = quarantine
        self._series = series
        self._onto = repository.resolve_commit(onto) if onto else series.base
        self._on_stage = on_stage
        self._patches: Mapping[Oid, PatchStatus] | None = None

    @property
    def is_newer(self) -> bool:
        """Whether the base is another one than that of the series."""
        return self._onto != self._series.base

    def find(self, commit: Commit) -> PatchStatus | None:
        """Return the status of a commit on a newer base, None on the same base."""
        if not self.is_newer:
            return None
        if self._patches is None:
            patches = judge_patches(
                self._repository,
                self._quarantine,
                self._series,
                self._onto,
                {},
                self._on_stage("comparing with the base"),
            )
            self._patches = {patch.commit.oid: patch for patch in patches}
        return self._patches.get(commit.oid)

    def list_applied(self) -> list[str]:
        """Return the names of the series' patches that a newer base has."""
        record = self._series.record
        if record is None or not self.is_newer:
            return []
        digests = digest_commits(self._quarantine, self._series.start, self._series.tip)
        matched = match_commits(self._series.commits, digests, record)
        return [entry.name for entry in matched if entry.name and self.is_applied(entry.commit)]

    def is_applied(self, commit: Commit) -> bool:
        """Return whether a newer base has the change of a commit."""
        status = self.find(commit)
        return status is not None and status.state is PatchState.APPLIED

    def describe(self, commit: Commit) -> str:
        """Return why the new series omits a commit, "" if the reason is unknown."""
        status = self.find(commit)
        if status is None or status.state not in (PatchState.APPLIED, PatchState.GONE):
            return ""
        if status.state is PatchState.GONE:
            return "the code that it changes is gone"
        return "the base has it" + _name_commits(status.made_by)


def refuse_empty(
    generated: Generated,
    branch: Sequence[MatchedCommit],
    states: UpstreamStates,
    reasons: Sequence[str] = (),
) -> RefusedError:
    """Return the error for a new version without a patch.

    The semantic patch may just not match, so the base "has the series" only if it has each patch of
    the branch. `reasons` say why the patches were left out if any were generated.
    """
    base, hint = generated.base.describe, "`patchgen status` shows the state of each patch"
    applied = (one.name in generated.present or states.is_applied(one.commit) for one in branch)
    if all(applied):
        message = f"{base} has the whole series: no patch is left"
        return RefusedError(message, code="already-applied", hint=hint)
    why = generated.why_empty if generated.is_empty else "; ".join(reasons)
    return RefusedError(
        f"no patch is left: {why}", code="no-patch-left", hint=hint if states.is_newer else None
    )


def list_applied(
    branch: Sequence[MatchedCommit], commits: Sequence[NewCommit], states: UpstreamStates
) -> Iterator[str]:
    """Yield the names of the patches that the new version omits because the base has them."""
    carried = {commit.branch_commit.oid for commit in commits if commit.branch_commit}
    for matched in branch:
        if matched.commit.oid not in carried and states.is_applied(matched.commit):
            yield matched.name


def list_applied_parts(
    commits: Sequence[NewCommit], generated: Mapping[str, Commit], states: UpstreamStates
) -> Iterator[str]:
    """Yield a remark for each patch of which the base already has the change of some files.

    `generated` are the newly generated patches by name.
    """
    for commit in commits:
        before = commit.branch_commit
        if before is None or not commit.is_generated:
            continue
        lost = set(before.files) - set(generated[commit.name].files)
        status = states.find(before) if lost else None
        files = [file for file in status.files if file.path in lost] if status else []
        present = [file for file in files if file.state is PatchState.APPLIED]
        if present:
            yield f'{_describe_files(present)}: "{before.subject}"'


def _describe_files(files: Sequence[FileStatus]) -> str:
    makers = tuple(dict.fromkeys(commit for file in files for commit in file.made_by))
    names = list_first([str(file.path) for file in files])
    return f"smaller, the base has the change of {names}{_name_commits(makers)}"


def _name_commits(commits: Sequence[UpstreamCommit]) -> str:
    """Return ", by COMMIT" for the commits that made a change, "" without any."""
    return f", by {list_first(list(map(show_commit, commits)))}" if commits else ""
