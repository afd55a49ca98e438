# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the upstream commits that made the changes of a patch, and those that reverted them.

Equal lines alone are not enough, as the file may have the same lines in another place: the patch,
applied to that very commit, must change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.commit import Commit
from patchgen.odb import CommitChanges, CommitHunk, FileChange
from patchgen.status.cherry_pick import Picker
from patchgen.status.result import UpstreamCommit

# The number of commits with the same lines that are tried, the youngest first.
_MAX_TRIED = 3
# A change of at most this many characters occurs everywhere.
_MAX_TRIVIAL_SIZE = 8


@dataclass(frozen=True, slots=True)
class UpstreamHistory:
    """The commits between the old base and the new one that touch the series' files.

    They are youngest first, and their files have their current names.
    """

    commits: Sequence[CommitChanges]
    picker: Picker

    def find_makers(
        self, present: Mapping[PurePosixPath, Sequence[CommitHunk]]
    ) -> dict[PurePosixPath, tuple[UpstreamCommit, ...]]:
        """Return for each file the commits that made its hunks, as few as possible over all files.

        White space is ignored. Hunks that no commit made have none.
        """
        unexplained = Counter(
            (path, hunk.folded) for path, hunks in present.items() for hunk in hunks
        )
        candidates = [
            (commit, _count_made_hunks(commit, present) & unexplained) for commit in self.commits
        ]
        makers: dict[PurePosixPath, list[UpstreamCommit]] = {path: [] for path in present}
        while candidates := [
            (commit, hunks & unexplained) for commit, hunks in candidates if hunks & unexplained
        ]:
            # The youngest of those that made the most.
            index = max(range(len(candidates)), key=lambda index: candidates[index][1].total())
            commit, hunks = candidates.pop(index)
            unexplained -= hunks
            for path in dict.fromkeys(path for path, _ in hunks):
                makers[path].append(_to_upstream(commit))
        for path, hunk in unexplained:
            similar = self._find_similar(path, hunk)
            makers[path] += [similar] if similar and similar not in makers[path] else []
        return {path: tuple(commits) for path, commits in makers.items()}

    def _find_similar(self, path: PurePosixPath, hunk: CommitHunk) -> UpstreamCommit | None:
        """Return the youngest commit that made a hunk along with more, or the core of it.

        spatch's hunk includes lines that it only reindented; a person's does not.
        """
        for commit in self.commits:
            for own_hunk in commit.files[path].hunks if path in commit.files else ():
                folded = own_hunk.folded
                if folded.covers(hunk) or (folded.size > _MAX_TRIVIAL_SIZE and hunk.covers(folded)):
                    return _to_upstream(commit)
        return None

    def find_same(
        self, patch: Commit, path: PurePosixPath, hunks: Sequence[CommitHunk]
    ) -> tuple[UpstreamCommit, UpstreamCommit | None] | None:
        """Return the youngest commit that made the same change to a file, and its revert."""
        change = FileChange(tuple(hunks))
        same = [
            index
            for index, commit in enumerate(self.commits)
            if path in commit.files and commit.files[path].hunks == change.hunks
        ]
        for index in same[:_MAX_TRIED]:
            files = self.picker.read(self.commits[index].oid, *patch.files)
            picked = self.picker.pick(patch, files).files[path]
            if picked.present and not picked.remaining:
                reverts = [
                    commit
                    for commit in self.commits[:index]
                    if path in commit.files and commit.files[path].is_reverse_of(change)
                ]
                revert = _to_upstream(reverts[-1]) if reverts else None
                return _to_upstream(self.commits[index]), revert
        return None

    def find_removal(self, path: PurePosixPath) -> UpstreamCommit | None:
        """Return the commit that deleted a file, None if it is unknown."""
        for commit in self.commits:
            if path in commit.files and commit.files[path].is_deleted:
                return _to_upstream(commit)
        return None


def _count_made_hunks(
    commit: CommitChanges, paths: Collection[PurePosixPath]
) -> Counter[tuple[PurePosixPath, CommitHunk]]:
    touched = [path for path in commit.files if path in paths]
    return Counter((path, hunk.folded) for path in touched for hunk in commit.files[path].hunks)


def _to_upstream(commit: CommitChanges) -> UpstreamCommit:
    return UpstreamCommit(commit.oid, commit.subject)
