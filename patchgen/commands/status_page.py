# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status --html`: the page of a series, with the trees and maintainers of its patches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from patchgen.kernel import FileTrees, find_file_trees
from patchgen.odb import GitTree, Repository
from patchgen.status import PatchStatus, SeriesStatus
from patchgen.status.page import PatchOwners, render_page

_Entry = TypeVar("_Entry", bound=Hashable)
_NO_TREE = ("no tree of its own", "")


def render_status_page(tree: Path, status: SeriesStatus) -> str:
    """Return the HTML page of a series in a repository."""
    with closing(Repository(tree)) as repository:
        base = GitTree(repository, repository.resolve_tree(status.series.base))
        files = {file.path for patch in status.patches for file in patch.files}
        found = find_file_trees(base, sorted(files))
    owners = [_find_owners(patch, found) if found else PatchOwners() for patch in status.patches]
    return render_page(status, owners, datetime.now(UTC))


def _find_owners(patch: PatchStatus, files: FileTrees) -> PatchOwners:
    paths = [file.path for file in patch.files]
    trees = [files.find_tree(path) for path in paths]
    sections = [section for path in paths if (section := files.owners[path]) is not None]
    return PatchOwners(
        _sort((tree.name, tree.location) if tree else _NO_TREE for tree in trees),
        _sort(person for section in sections for person in section.maintainers),
    )


def _sort(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    """Return each entry once, the most frequent first."""
    return tuple(entry for entry, _ in Counter(entries).most_common())
