# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the newer base if the user names none: the branch that contains the series' base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.errors import UsageError
from patchgen.model.base import Oid
from patchgen.odb import Repository
from patchgen.series import SeriesBranch, find_cover_commit

_FORMAT = "%(refname)%00%(objectname)%00%(symref)%00%(upstream)"
_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Ref:
    name: str
    oid: Oid
    symref: str
    upstream: str

    @property
    def short(self) -> str:
        return self.name.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def choose_newer_base(repository: Repository, series: SeriesBranch) -> tuple[str, Oid]:
    """Return the name of the branch that contains a series' base, and its last commit.

    That is the branch's upstream, else the commit of the remotes' HEADs if there is only one, else
    the only other branch with the base that is not a series itself. Raises UsageError if it is
    ambiguous.
    """
    args = ("for-each-ref", f"--contains={series.base}", f"--format={_FORMAT}")
    listed = repository.run(*args, "refs/heads", "refs/remotes").stdout.decode()
    refs = [_Ref(*line.split("\0")) for line in listed.splitlines()]  # type: ignore[arg-type]
    own_ref = f"refs/heads/{series.name}"
    upstream = next((ref.upstream for ref in refs if ref.name == own_ref), "")
    others = [
        ref for ref in refs if ref.name != own_ref and not ref.name.endswith(f"/{series.name}")
    ]
    for ref in others:
        if ref.name == upstream:
            return ref.short, ref.oid
    heads = [ref for ref in others if ref.symref]
    if len({ref.oid for ref in heads}) == 1:
        return heads[0].symref.removeprefix("refs/remotes/"), heads[0].oid
    candidates = heads or _drop_series(repository, others, series.base)
    if len({ref.oid for ref in candidates}) == 1:
        return candidates[0].short, candidates[0].oid
    raise _make_ambiguity_error(series.name, candidates)


def _drop_series(repository: Repository, refs: Sequence[_Ref], base: Oid) -> list[_Ref]:
    """Return the branches that are not series; of a branch and its upstream, only the upstream."""
    upstreams = {ref.upstream for ref in refs} & {ref.name for ref in refs}
    return [
        ref
        for ref in refs
        if ref.upstream not in upstreams and find_cover_commit(repository, ref.oid, base) is None
    ]


def _make_ambiguity_error(branch: str, candidates: Sequence[_Ref]) -> UsageError:
    names = ", ".join(ref.short for ref in candidates[:_MAX_SHOWN]) + (
        ", ..." if candidates[_MAX_SHOWN:] else ""
    )
    if not candidates:
        return UsageError(
            f"no other branch contains the base of {branch}; name the newer base",
            hint="name a branch, a tag or a commit",
            parameters=("onto",),
        )
    return UsageError(
        f"several branches contain the base of {branch}; name the newer base",
        hint=f"name one of these: {names}",
        parameters=("onto",),
    )
