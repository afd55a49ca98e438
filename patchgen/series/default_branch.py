# SPDX-License-Identifier: GPL-2.0-or-later
"""The series that a command without a branch is about: that of the branch that is checked out."""

from __future__ import annotations

from patchgen.controls import escape_controls
from patchgen.errors import RefusedError, UsageError
from patchgen.model.base import Oid
from patchgen.odb import Repository, find_branch_base
from patchgen.series.branch import find_cover_commit
from patchgen.series.named_series import list_series

# The number of series that a message lists.
_SHOWN = 10
# Branches that series are based on. Their own commits are a series only with a cover letter.
BASES = ("master", "main")


def resolve_series(
    repository: Repository,
    name: str | None,
    *,
    needs_cover: bool = False,
    has_start: bool = False,
) -> tuple[str, Oid]:
    """Return a branch and its last commit; None means the current branch, if it is a series.

    A branch is a series if it has a cover letter's commit. Unless the command `needs_cover`, it is
    also one if its start can be determined. With `has_start`, the user names the start of any
    branch. Raises UsageError, with a list of the series, if the current branch is not a series, and
    RefusedError if a named branch does not exist.
    """
    if name is not None or has_start:
        return repository.resolve_branch(name)
    head = repository.find_head_branch()
    current = find_current_series(repository, needs_cover=needs_cover)
    if current is not None:
        return current
    reason = f"{head} is not a series" if head is not None else "HEAD is detached"
    lines = [f"  {series.branch}  ({series.description})" for series in list_series(repository)]
    if not lines:
        hint = "`patchgen apply` and `b4 prep` make one"
        raise UsageError(
            f"{reason}, and no branch has a cover letter's commit",
            code="branch-not-named",
            hint=hint,
        )
    more = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    shown = map(escape_controls, lines[:_SHOWN])
    raise UsageError(
        "\n".join([f"{reason}; name one of these:", *shown, *more]), code="branch-not-named"
    )


def find_current_series(
    repository: Repository, *, needs_cover: bool = False
) -> tuple[str, Oid] | None:
    """Return the current branch and its last commit, None if it is not a series."""
    head = repository.find_head_branch()
    tip = repository.find_ref(f"refs/heads/{head}") if head is not None else None
    if head is None or tip is None:
        return None
    if find_cover_commit(repository, tip) is not None:
        return head, tip
    if not needs_cover and head not in BASES and _has_start(repository, head, tip):
        return head, tip
    return None


def _has_start(repository: Repository, branch: str, tip: Oid) -> bool:
    try:
        find_branch_base(repository, branch, tip)
    except RefusedError:
        return False
    return True
