# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge the patches of a series on a newer base, one on top of the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.model.base import TreeFile
from patchgen.model.commit import Commit
from patchgen.model.outcome import Site
from patchgen.odb import CommitHunk
from patchgen.status.cherry_pick import PickedFile, Picker
from patchgen.status.result import FileStatus, PatchState, PatchStatus
from patchgen.status.upstream import UpstreamHistory


@dataclass(slots=True)
class PatchJudge:
    """Judges the patches one after the other, on `files`: the newer base with the earlier patches.

    `stopped` maps files that conflict to the number of the first patch that conflicts there.
    """

    picker: Picker
    history: UpstreamHistory
    files: dict[PurePosixPath, TreeFile]
    stopped: dict[PurePosixPath, int] = field(default_factory=dict)

    def judge(self, number: int, commit: Commit, present_at: Site | None) -> PatchStatus:
        """Return the state of the next patch; `present_at` is where a variant's probe matched."""
        picked = self.picker.pick(commit, self.files)
        present = {path: file.present for path, file in picked.files.items()}
        files = [
            self._judge_file(commit, path, picked.files[self.picker.rename(path)])
            for path in commit.files
        ]
        makers = self.history.find_makers(present)
        if present_at is None:
            for path in picked.files:
                self.files.pop(path, None)
            self.files.update(picked.after)
            for file in files:
                if file.state is PatchState.CONFLICTS:
                    self.stopped.setdefault(self.picker.rename(file.path), number)
        explained = [
            replace(file, made_by=file.made_by or makers[self.picker.rename(file.path)])
            for file in files
        ]
        return PatchStatus(commit, tuple(explained), present_at)

    def _judge_file(self, commit: Commit, path: PurePosixPath, picked: PickedFile) -> FileStatus:
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
            status = self._correct_by_history(commit, status, picked)
        if status.state is PatchState.CONFLICTS:
            status = replace(status, conflicts_since=self.stopped.get(current_path))
        return status

    def _correct_by_history(
        self, commit: Commit, status: FileStatus, picked: PickedFile
    ) -> FileStatus:
        """Return the status of a conflicting or needed part, corrected by the upstream history."""
        current_path = status.renamed_to or status.path
        match = self.history.find_same(commit, current_path, picked.hunks)
        if match is None:
            return status
        same, revert = match
        if revert is not None:
            return replace(status, undone_by=revert)
        if status.state is PatchState.CONFLICTS or self._has_added_lines(
            current_path, picked.remaining
        ):
            return replace(
                status, state=PatchState.APPLIED, present=len(picked.hunks), made_by=(same,)
            )
        return status

    def _has_added_lines(self, path: PurePosixPath, remaining: tuple[CommitHunk, ...]) -> bool:
        """Return whether hunks only add lines, which the file has already, in another place."""
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
