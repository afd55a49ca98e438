# SPDX-License-Identifier: GPL-2.0-or-later
"""Warn of a base that others may not have: another series, or commits that were not published."""

from __future__ import annotations

import shlex

from patchgen.model.base import Oid
from patchgen.odb import Repository, resolve_object
from patchgen.series import BASES, find_cover_commit


def warn_of_base(repository: Repository, revision: str, base: Oid) -> tuple[str, ...]:
    """Return a warning if a new series is on top of another one, or if others may lack its base.

    `revision` names the base.
    """
    return _warn_of_series(repository, revision, base) or warn_of_private_base(repository, base)


def warn_of_private_base(repository: Repository, base: Oid) -> tuple[str, ...]:
    """Return a warning if the base is on no remote branch and no tag."""
    args = ("rev-list", "--max-count=1", base, "--not", "--remotes", "--exclude=sent/*", "--tags")
    if not repository.run(*args, ok=None).stdout.strip():
        return ()
    return (f"the base {base[:12]} is not on a remote branch or a tag; others may not have it",)


def _warn_of_series(repository: Repository, revision: str, base: Oid) -> tuple[str, ...]:
    """Return a warning if HEAD, the base by default, is a commit of a series.

    Whoever names another one than HEAD has chosen it, and so has
    somebody who merged a series into master.
    """
    head = repository.find_head_branch()
    if revision != "HEAD" or head in BASES:
        return ()
    cover_oid = find_cover_commit(repository, base)
    if cover_oid is None:
        return ()
    below = resolve_object(repository, f"{cover_oid}^")
    tips = _list_branches(repository, "--points-at", base)
    branches = [head] if head else tips or _list_branches(repository, "--contains", base)
    place = "the tip of" if head or tips else "a commit of"
    series = f"{place} the series {branches[0]}" if branches else f"{place} a series"
    named = [name for name in _list_branches(repository, "--points-at", below) if name in BASES]
    name = shlex.quote(named[0] if named else repository.describe(below))
    return (
        f"the base is HEAD, {series}, whose patches are not upstream; `--base {name}` makes the "
        "new series without them",
    )


def _list_branches(repository: Repository, relation: str, oid: Oid) -> list[str]:
    args = ("for-each-ref", f"{relation}={oid}", "--format=%(refname)", "refs/heads/")
    return [ref.removeprefix("refs/heads/") for ref in repository.run(*args).lines]
