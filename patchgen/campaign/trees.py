# SPDX-License-Identifier: GPL-2.0-or-later
"""Assign each changed file to the git tree that takes patches for it.

MAINTAINERS names the trees (patchgen.kernel.source_trees). Where it names several or none, the log
decides: the committer of a patch is who applied it. A base without history has no such log.
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
# Whose tree takes everything is nobody's maintainer here.
_CHIEF = "torvalds@linux-foundation.org"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A commit that is not a merge: its subject, and who applied it."""

    subject: str
    committer: str
    address: str


@dataclass(frozen=True, slots=True)
class History:
    """The log of a base. `is_known` is unset if it consists of one commit, or is not complete."""

    git: Git
    base: Oid
    is_known: bool

    def forget(self) -> History:
        """Return a history that is not known."""
        return replace(self, is_known=False)

    def read(self, paths: Sequence[PurePosixPath]) -> list[LogEntry]:
        """Return the last commits to files; none if the history is not known."""
        if not self.is_known:
            return []
        names = [f":(top,literal){path}" for path in paths[:_MAX_FILES]]
        form = "--format=%P%x09%ce%x09%cn%x09%s"
        args = ("log", "--no-merges", f"--max-count={_MAX_COMMITS}", form, self.base, "--")
        try:
            lines = self.git.run(*args, *names).stdout.decode("utf-8", "replace").splitlines()
        except MissingObjectsError:
            # A clone without the trees of its history; they are not worth fetching for this.
            return []
        # A commit without a parent lists all files: an import, or the end of a shallow clone.
        rows = (line.split("\t", 3) for line in lines if not line.startswith("\t"))
        return [LogEntry(subject, name, address) for _, address, name, subject in rows]


def open_history(git: Git, base: Oid) -> History:
    """Return the history of a base."""
    parents = git.run("rev-list", "--max-count=2", "--count", base).stdout.strip()
    return History(git, base, int(parents) > 1)


def assign_trees(history: History, files: FileTrees) -> Mapping[PurePosixPath, SourceTree | None]:
    """Return the tree of each file, None for one that nobody's tree takes."""
    by_claims: dict[tuple[TreeClaim, ...], list[PurePosixPath]] = {}
    for path in sorted(files.claims):
        by_claims.setdefault(files.claims[path], []).append(path)
    trees: dict[PurePosixPath, SourceTree | None] = {}
    for claims, paths in by_claims.items():
        if len(claims) == 1:
            trees.update(dict.fromkeys(paths, claims[0].tree))
            continue
        # Without claims, the files of each folder may have other maintainers.
        for part in [paths] if claims else _by_folder(paths):
            trees.update(dict.fromkeys(part, _ask_log(history, files, claims, part)))
    return {path: trees[path] or files.find_tree(path) for path in trees}


def _by_folder(paths: Sequence[PurePosixPath]) -> list[list[PurePosixPath]]:
    folders: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    return list(folders.values())


def _ask_log(
    history: History,
    files: FileTrees,
    claims: Sequence[TreeClaim],
    paths: Sequence[PurePosixPath],
) -> SourceTree | None:
    """Return the tree of whoever applied most of the last patches; None if nobody did."""
    log = history.read(paths)
    counts = Counter((entry.address.lower(), entry.committer) for entry in log)
    for claim in claims:
        if 2 * sum(n for who, n in counts.items() if claim.people & set(_forms(who))) > len(log):
            return claim.tree
    if claims:
        return None
    for (address, name), number in counts.most_common(1):
        if 2 * number <= len(log) or address == _CHIEF:
            return None
        own = [
            tree for tree, people in files.people.items() if people & set(_forms((address, name)))
        ]
        if len(own) == 1:
            return own[0]
        person = escape_controls(f"{name} <{address}>")
        return SourceTree(person, re.sub(r"\W+", "-", name.lower()).strip("-"), person)
    return None


def _forms(who: tuple[str, str]) -> tuple[str, str]:
    address, name = who
    return address, name.lower()
