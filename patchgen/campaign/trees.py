# SPDX-License-Identifier: GPL-2.0-or-later
"""Assign each changed file to the git tree that takes patches for it.

MAINTAINERS names the trees (patchgen.kernel.source_trees). Where it names several or none, the log
decides: the committer of a patch is who applied it. A base without history has only one commit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchgen.controls import escape_controls
from patchgen.errors import MissingObjectsError
from patchgen.kernel import FileTrees, SourceTree, TreeClaim
from patchgen.model.base import Oid
from patchgen.odb import Git

_MAX_COMMITS = 40
_MAX_FILES = 50
# This person pulls from all subsystems, and so is not the maintainer of the files of a commit.
_TOP_COMMITTER = "torvalds@linux-foundation.org"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A commit that is not a merge: its subject, and who applied it."""

    subject: str
    committer: str
    address: str


@dataclass(frozen=True, slots=True)
class History:
    """The log of a base. `has_log` is false if the base has no parent, or the log is not used."""

    git: Git
    base: Oid
    has_log: bool

    def without_log(self) -> History:
        """Return the history for a division by MAINTAINERS alone."""
        return replace(self, has_log=False)

    def read(self, paths: Sequence[PurePosixPath]) -> list[LogEntry]:
        """Return the last commits to files, [] without a log."""
        if not self.has_log:
            return []
        names = [f":(top,literal){path}" for path in paths[:_MAX_FILES]]
        # A name or a subject can contain any character but NUL and a newline.
        log_format = "--format=%P%n%ce%n%cn%n%s"
        args = ("log", "-z", "--no-merges", f"--max-count={_MAX_COMMITS}", log_format, self.base)
        try:
            output = self.git.run(*args, "--", *names).stdout.decode("utf-8", "replace")
        except MissingObjectsError:
            # A clone without the trees of its history; they are not worth fetching for this.
            return []
        rows = (entry.split("\n") for entry in output.split("\0") if entry)
        # A commit without a parent lists all files: an import, or the end of a shallow clone.
        return [
            LogEntry(subject, name, address) for parents, address, name, subject in rows if parents
        ]


def open_history(git: Git, base: Oid) -> History:
    """Return the history of a base."""
    count = git.run("rev-list", "--max-count=2", "--count", base).stdout
    return History(git, base, int(count) > 1)


def assign_trees(history: History, files: FileTrees) -> Mapping[PurePosixPath, SourceTree | None]:
    """Return the tree of each file, None for a file without one."""
    by_claims: dict[tuple[TreeClaim, ...], list[PurePosixPath]] = {}
    for path in sorted(files.claims):
        by_claims.setdefault(files.claims[path], []).append(path)
    trees: dict[PurePosixPath, SourceTree | None] = {}
    for claims, paths in by_claims.items():
        if len(claims) == 1:
            trees.update(dict.fromkeys(paths, claims[0].tree))
            continue
        # Without claims, the files of each folder may have other maintainers.
        for part in [paths] if claims else _group_by_folder(paths):
            trees.update(dict.fromkeys(part, _find_by_log(history, files, claims, part)))
    return {path: tree or files.find_tree(path) for path, tree in trees.items()}


def _group_by_folder(paths: Sequence[PurePosixPath]) -> list[list[PurePosixPath]]:
    folders: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    return list(folders.values())


def _find_by_log(
    history: History,
    files: FileTrees,
    claims: Sequence[TreeClaim],
    paths: Sequence[PurePosixPath],
) -> SourceTree | None:
    """Return the tree whose people applied most of the last patches; None if no tree's did.

    Without claims, it is the tree of the one person who applied most of them.
    """
    log = history.read(paths)
    counts = Counter((entry.address.lower(), entry.committer) for entry in log)
    for claim in claims:
        applied = sum(
            count for person, count in counts.items() if _is_one_of(claim.people, *person)
        )
        if 2 * applied > len(log):
            return claim.tree
    if claims or not counts:
        return None
    [((address, name), count)] = counts.most_common(1)
    if 2 * count <= len(log) or address == _TOP_COMMITTER:
        return None
    trees = [tree for tree, people in files.people.items() if _is_one_of(people, address, name)]
    if len(trees) == 1:
        return trees[0]
    person = escape_controls(f"{name} <{address}>")
    return SourceTree(person, re.sub(r"\W+", "-", name.lower()).strip("-"), person)


def _is_one_of(people: frozenset[str], address: str, name: str) -> bool:
    return address in people or name.lower() in people
