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
from patchgen.mail import address_of
from patchgen.model.base import Oid
from patchgen.model.sweep import Split
from patchgen.odb import GitTree, Repository, digest_commits
from patchgen.series import SeriesBranch, match_commits
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
        groups = _find_groups(repository, status.series)
    owners = [
        _find_owners(patch, found, groups.get(patch.commit.oid)) if found else PatchOwners()
        for patch in status.patches
    ]
    return render_page(status, owners, datetime.now(UTC))


def _find_groups(repository: Repository, series: SeriesBranch) -> dict[Oid, tuple[str, ...]]:
    """Return the recorded git tree of each patch of a campaign.

    Where MAINTAINERS names several trees, or none, the split read the log as well.
    """
    if series.record is None or series.record.split != Split.TREE:
        return {}
    digests = digest_commits(repository, series.start, series.tip)
    matched = match_commits(series.commits, digests, series.record)
    return {entry.commit.oid: entry.patch.group for entry in matched if entry.patch}


def _find_owners(
    patch: PatchStatus, files: FileTrees, group: tuple[str, ...] | None
) -> PatchOwners:
    paths = [file.path for file in patch.files]
    sections = [section for path in paths if (section := files.owners[path]) is not None]
    people = [person for section in sections for person in section.maintainers]
    # Sections may spell an address differently; the first spelling is shown.
    spelled = {address_of(person): person for person in reversed(people)}
    maintainers = _rank(spelled[address_of(person)] for person in people)
    if group:
        name, location = (*group, "")[:2]
        return PatchOwners(((name, location),), maintainers)
    trees = [files.find_tree(path) for path in paths]
    return PatchOwners(
        _rank((tree.name, tree.location) if tree else _NO_TREE for tree in trees), maintainers
    )


def _rank(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    """Return each entry once, the most frequent first."""
    return tuple(entry for entry, _ in Counter(entries).most_common())
