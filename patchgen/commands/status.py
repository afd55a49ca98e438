# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status`: the state of each patch of a branch on a newer base.

The patches are applied on top of each other, as in a rebase, except those that conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from patchgen.edit import OnProgress
from patchgen.errors import RefusedError
from patchgen.model.base import Oid, TreeFile
from patchgen.model.commit import Commit
from patchgen.odb import (
    CommitChanges,
    CommitHunk,
    Quarantine,
    Repository,
    find_renames,
    read_changes,
    read_files,
    require_objects,
)
from patchgen.series import SeriesBranch, read_branch, resolve_series
from patchgen.status.cherry_pick import PickedFile, Picker
from patchgen.status.newer_base import choose_newer_base
from patchgen.status.result import FileStatus, PatchState, PatchStatus, SeriesStatus
from patchgen.status.upstream import UpstreamHistory


def find_status(
    tree: Path,
    branch: str | None = None,
    onto: str | None = None,
    *,
    on_progress: OnProgress = lambda done, total: None,
) -> SeriesStatus:
    """Return the state of each patch of a series on a newer base; the repository does not change.

    `branch` None means the current branch, `onto` None the branch that contains the series' base.
    Raises RefusedError for a branch or a revision that cannot be read, UsageError if `onto` is
    missing and ambiguous.
    """
    with closing(Repository(tree)) as repository:
        name, tip = resolve_series(repository, branch)
        with Quarantine(repository) as quarantine:
            series = _read_series(repository, quarantine, name, tip)
            if onto is None:
                newer, oid = choose_newer_base(repository, series)
            else:
                newer, oid = onto, repository.resolve_commit(onto)
            patches = _judge(repository, quarantine, series, oid, on_progress)
            count = quarantine.run("rev-list", "--count", f"{series.base}..{oid}").stdout
            return SeriesStatus(
                branch=name,
                base=(series.base, repository.describe(series.base)),
                onto=(oid, newer),
                newer=int(count),
                patches=patches,
                record=series.record,
                warnings=_warn(quarantine, series.base, oid, newer),
            )


def _read_series(
    repository: Repository, quarantine: Quarantine, name: str, tip: Oid
) -> SeriesBranch:
    try:
        return read_branch(repository, quarantine, name, tip)
    except RefusedError as err:
        raise RefusedError(
            err.message,
            hint="a branch made by `patchgen run --split` or `patchgen apply` has its base in the "
            "cover letter's commit, below a line of patches",
        ) from None


def _warn(quarantine: Quarantine, base: Oid, onto: Oid, name: str) -> tuple[str, ...]:
    if base == onto:
        return (f"{name} is the series' own base; status needs a newer commit",)
    merge_base = quarantine.run("merge-base", base, onto, ok=(0, 1)).stdout.decode().strip()
    if not merge_base:
        return (
            f"{name} and the series' base share no history here (a shallow clone?): commits that "
            "made the same changes cannot be named",
        )
    return (f"{name} is older than the series' base",) if merge_base == onto else ()


def _judge(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    onto: Oid,
    on_progress: OnProgress,
) -> tuple[PatchStatus, ...]:
    files = {path for commit in series.commits for path in commit.files}
    old_files = read_files(quarantine, series.base, files)
    new_files = read_files(quarantine, onto, files)
    if repository.is_partial:
        require_objects(quarantine, [file.oid for file in new_files.values()])
    missing = {path: file for path, file in old_files.items() if path not in new_files}
    moves = find_renames(quarantine, series.base, onto, missing)
    picker = Picker(quarantine, moves)
    changes = read_changes(quarantine, series.base, onto, files | set(moves.values()))
    history = UpstreamHistory([_move(commit, moves) for commit in changes], picker)
    judge = _PatchJudge(picker, history, picker.read(onto, *files))
    patches = []
    for number, commit in enumerate(series.commits, 1):
        on_progress(number - 1, len(series.commits))
        patches.append(judge.judge(number, commit))
    return tuple(patches)


def _move(commit: CommitChanges, moves: Mapping[PurePosixPath, PurePosixPath]) -> CommitChanges:
    """Return a commit with files under their new names, without deletions of the old names."""
    files = {
        moves.get(path, path): change
        for path, change in commit.files.items()
        if path not in moves or not change.is_deleted
    }
    return replace(commit, files=files)


@dataclass(slots=True)
class _PatchJudge:
    """Judges the patches one after the other; `files` are those of the newer base so far.

    `stopped` maps files that conflict to the number of the first patch that conflicts there.
    """

    picker: Picker
    history: UpstreamHistory
    files: dict[PurePosixPath, TreeFile]
    stopped: dict[PurePosixPath, int] = field(default_factory=dict)

    def judge(self, number: int, commit: Commit) -> PatchStatus:
        picked = self.picker.pick(commit, self.files)
        present = {path: file.present for path, file in picked.files.items()}
        files = [
            self._judge_file(number, commit, path, picked.files[self.picker.rename(path)])
            for path in commit.files
        ]
        makers = self.history.find_makers(present)
        for path in picked.files:
            self.files.pop(path, None)
        self.files.update(picked.after)
        explained = [
            replace(file, made_by=file.made_by or makers[self.picker.rename(file.path)])
            for file in files
        ]
        return PatchStatus(commit, tuple(explained))

    def _judge_file(
        self, number: int, commit: Commit, path: PurePosixPath, picked: PickedFile
    ) -> FileStatus:
        current_path = self.picker.rename(path)
        status = FileStatus(
            path,
            _read_state(picked),
            hunks=len(picked.hunks),
            present=len(picked.present),
            renamed_to=current_path if current_path != path else None,
            is_deleted=picked.is_deleted,
        )
        if picked.is_deleted:
            return replace(status, removed_by=self.history.find_removal(current_path))
        if status.state in (PatchState.CONFLICTS, PatchState.NEEDED):
            status = self._ask_history(commit, status, picked)
        if status.state is PatchState.CONFLICTS:
            first = self.stopped.setdefault(current_path, number)
            status = replace(status, conflicts_since=first if first != number else None)
        return status

    def _ask_history(self, commit: Commit, status: FileStatus, picked: PickedFile) -> FileStatus:
        """Return the status of a conflicting or needed part, corrected by upstream's history."""
        current_path = status.renamed_to or status.path
        match = self.history.find_same(commit, current_path, picked.hunks)
        if match is None:
            return status
        same, revert = match
        if revert is not None:
            return replace(status, undone_by=revert)
        if status.state is PatchState.CONFLICTS or self._is_elsewhere(
            current_path, picked.remaining
        ):
            return replace(
                status, state=PatchState.APPLIED, present=len(picked.hunks), made_by=(same,)
            )
        return status

    def _is_elsewhere(self, path: PurePosixPath, remaining: tuple[CommitHunk, ...]) -> bool:
        """Return whether hunks that only add lines have them elsewhere in the file."""
        if path not in self.files or any(hunk.removed or hunk.header for hunk in remaining):
            return False
        content = self.picker.read_content(self.files[path])
        return all(b"\n".join(hunk.added) in content for hunk in remaining)


def _read_state(picked: PickedFile) -> PatchState:
    if picked.is_conflict:
        return PatchState.CONFLICTS
    if picked.remaining:
        return PatchState.NEEDED
    return PatchState.APPLIED if picked.present else PatchState.GONE
