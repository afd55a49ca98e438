# SPDX-License-Identifier: GPL-2.0-or-later
"""Apply a patch to another tree: which hunks are there already, which are left, which conflict.

Each side is a tree of only the patch's files, under the names that the files have now, so that the
rest of the kernel has no effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.model.commit import Commit
from patchgen.odb import (
    CommitHunk,
    Conflict,
    MergedTree,
    Quarantine,
    TreeFiles,
    diff_trees,
    merge_trees,
    read_blobs,
    read_files,
    write_tree,
)
from patchgen.status.conflict_hunks import resolve_conflicts

_UPSTREAM, _PATCH = "upstream", "patch"


@dataclass(frozen=True, slots=True)
class PickedFile:
    """The result for a patch's `hunks` in one file.

    `remaining` change the file, `gone` have no place there. With a conflict neither is known.
    `is_deleted` is set if upstream has deleted the file.
    """

    hunks: tuple[CommitHunk, ...]
    remaining: tuple[CommitHunk, ...] = ()
    gone: int = 0
    is_conflict: bool = False
    is_deleted: bool = False

    @property
    def present(self) -> tuple[CommitHunk, ...]:
        """The hunks that the files have already."""
        if self.is_conflict or self.is_deleted:
            return ()
        resolved = list((Counter(self.hunks) - Counter(self.remaining)).elements())
        # Git reports the number of hunks that are gone, not which ones.
        return tuple(resolved[: max(len(self.hunks) - len(self.remaining) - self.gone, 0)])


@dataclass(frozen=True, slots=True)
class Picked:
    """A patch applied to other files: the result for each, and the files after it."""

    files: Mapping[PurePosixPath, PickedFile]
    after: TreeFiles


@dataclass(frozen=True, slots=True)
class Picker:
    """Applies patches to files. `moves` maps the files' old names to new ones."""

    quarantine: Quarantine
    moves: Mapping[PurePosixPath, PurePosixPath] = field(default_factory=dict)

    def rename(self, path: PurePosixPath) -> PurePosixPath:
        """Return the current name of a file."""
        return self.moves.get(path, path)

    def read(self, tree: str, *paths: PurePosixPath) -> dict[PurePosixPath, TreeFile]:
        """Return files of a tree under their new names, whichever names they have in it."""
        names = {*paths, *map(self.rename, paths)}
        files = read_files(self.quarantine, tree, names)
        renamed = {self.rename(path): file for path, file in files.items()}
        return {path: replace(file, path=path) for path, file in renamed.items()}

    def pick(self, commit: Commit, onto: TreeFiles) -> Picked:
        """Apply a patch to files; these, and the result, have their new names."""
        paths = [self.rename(path) for path in commit.files]
        before = self.read(f"{commit.oid}^", *commit.files)
        ours = {path: onto[path] for path in paths if path in onto}
        theirs = self.read(commit.oid, *commit.files)
        changes = diff_trees(self.quarantine, f"{commit.oid}^", commit.oid)
        hunks = {self.rename(path): change.hunks for path, change in changes.items()}
        if ours == before:
            # The files have not changed since.
            whole = {path: PickedFile(hunks[path], remaining=hunks[path]) for path in paths}
            return Picked(whole, theirs)
        trees = (write_tree(self.quarantine, files) for files in (before, ours, theirs))
        base, upstream, patched = trees
        merged, gone = self._merge((base, upstream, patched), before, ours)
        conflicts = {conflict.path for conflict in merged.conflicts}
        changes_left = diff_trees(self.quarantine, upstream, merged.tree)
        files = {
            path: PickedFile(
                hunks=hunks.get(path, ()),
                remaining=changes_left[path].hunks
                if path in changes_left and path not in conflicts
                else (),
                gone=gone.get(path, 0),
                is_conflict=path in conflicts,
                is_deleted=path in gone and path not in ours,
            )
            for path in paths
        }
        after = read_files(self.quarantine, merged.tree, set(paths) - conflicts)
        return Picked(files, {**after, **{path: ours[path] for path in conflicts if path in ours}})

    def _merge(
        self, trees: tuple[Oid, Oid, Oid], before: TreeFiles, ours: TreeFiles
    ) -> tuple[MergedTree, dict[PurePosixPath, int]]:
        """Return the merged tree and, for resolved conflicts, how many changes are gone."""
        sides = (trees[0], (_UPSTREAM, trees[1]), (_PATCH, trees[2]))
        merged = merge_trees(self.quarantine, *sides, {})
        gone: dict[PurePosixPath, int] = {}
        resolved: dict[str, bytes | None] = {}
        for conflict in merged.conflicts:
            result = self._resolve(conflict, before, ours)
            if result is not None:
                gone[conflict.path], resolved[conflict.key] = result
        return merge_trees(self.quarantine, *sides, resolved) if resolved else merged, gone

    def _resolve(
        self, conflict: Conflict, before: TreeFiles, ours: TreeFiles
    ) -> tuple[int, bytes | None] | None:
        """Return the number of changes that are gone, and the content; None for a real conflict."""
        path = conflict.path
        if path not in ours:
            # Upstream deleted the file that the patch changes.
            return (1, None) if path in before else None
        if conflict.sides:
            return None
        content = self.read_content(before[path]) if path in before else b""
        result = resolve_conflicts(conflict.content, content, self.read_content(ours[path]))
        return (result.gone, result.content) if result else None

    def read_content(self, file: TreeFile) -> bytes:
        """Return the content of a file."""
        return next(read_blobs(self.quarantine, [file.oid]))
