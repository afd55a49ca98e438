# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the newer base if the user does not: the branch that contains the series' base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.errors import UsageError
from patchgen.model.base import Oid
from patchgen.model.finding import list_first
from patchgen.odb import Repository
from patchgen.series import BASES, SeriesBranch, find_cover_commit

_FORMAT = "%(refname)%00%(objectname)%00%(symref)%00%(upstream)"
# The rank of a branch with an unconventional name.
_OTHER = 2


@dataclass(frozen=True, slots=True)
class NewerBase:
    """The commit to compare a series with. `warning` is set if it may be the wrong one."""

    name: str
    oid: Oid
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Ref:
    name: str
    oid: Oid
    symref: str
    upstream: str

    @property
    def short(self) -> str:
        return self.name.removeprefix("refs/heads/").removeprefix("refs/remotes/")

    @property
    def target(self) -> str:
        """The branch that a remote's HEAD names, or the branch itself."""
        return self.symref.removeprefix("refs/remotes/") or self.short

    def as_base(self, problem: str = "") -> NewerBase:
        """Return the branch as the newer base, with a warning if it may be the wrong one."""
        warning = f"{problem}; it is compared with {self.target}" if problem else ""
        return NewerBase(self.target, self.oid, warning)


def choose_newer_base(repository: Repository, series: SeriesBranch) -> NewerBase:
    """Return the branch that contains a series' base.

    That is the branch's upstream, else the commit of the remotes' HEADs if there is only one, else
    the only other branch with the base that is not a series itself. A series with a cover letter
    can also be compared with the likeliest of several branches, and with a branch that does not
    contain the base: linux-next is rebuilt every day. Raises UsageError if it is ambiguous.
    """
    candidates = _list_candidates(repository, series, f"--contains={series.base}")
    if len({ref.oid for ref in candidates}) == 1:
        return candidates[0].as_base()
    if series.cover is None:
        raise _make_ambiguity_error(series.name, candidates)
    if candidates:
        chosen = min(candidates, key=_rank)
        problem = f"several branches contain the base of {series.name}"
        return chosen.as_base(problem if _rank(chosen) == _OTHER else "")
    problem = f"no other branch contains the base of {series.name}"
    if candidates := _list_candidates(repository, series):
        return min(candidates, key=_rank).as_base(problem)
    head = repository.find_ref("HEAD")
    if head is None or head == series.tip:
        raise _make_ambiguity_error(series.name, ())
    return NewerBase("HEAD", head, f"{problem}; it is compared with HEAD")


def _list_candidates(
    repository: Repository, series: SeriesBranch, *conditions: str
) -> Sequence[_Ref]:
    """Return the series' upstream, else the remotes' HEADs, else the branches that are not series.

    Those with the newest commits come first.
    """
    args = ("for-each-ref", "--sort=-committerdate", *conditions, f"--format={_FORMAT}")
    listed = repository.run(*args, "refs/heads", "refs/remotes")
    refs = [_Ref(*line.split("\0")) for line in listed.lines]  # type: ignore[arg-type]
    own_ref = f"refs/heads/{series.name}"
    upstream = next((ref.upstream for ref in refs if ref.name == own_ref), "")
    others = [
        ref for ref in refs if ref.name != own_ref and not ref.name.endswith(f"/{series.name}")
    ]
    return (
        [ref for ref in others if ref.name == upstream]
        or [ref for ref in others if ref.symref]
        or _drop_series(repository, others, series.base)
    )


def _rank(ref: _Ref) -> int:
    """Return how likely a branch is the newer base: the smaller, the likelier."""
    if ref.symref and ref.target.startswith("origin/"):
        return 0
    return 1 if ref.short.rpartition("/")[2] in BASES else _OTHER


def _drop_series(repository: Repository, refs: Sequence[_Ref], base: Oid) -> list[_Ref]:
    """Return the branches that are not series; of a branch and its upstream, only the upstream."""
    upstreams = {ref.upstream for ref in refs} & {ref.name for ref in refs}
    return [
        ref
        for ref in refs
        if ref.upstream not in upstreams and find_cover_commit(repository, ref.oid, base) is None
    ]


def _make_ambiguity_error(branch: str, candidates: Sequence[_Ref]) -> UsageError:
    if not candidates:
        return UsageError(
            f"no other branch contains the base of {branch}; name the newer base",
            code="branch-not-named",
            hint="name a branch, a tag or a commit",
            parameters=("onto",),
        )
    return UsageError(
        f"several branches contain the base of {branch}; name the newer base",
        code="branch-not-named",
        hint=f"name one of these: {list_first([ref.short for ref in candidates])}",
        parameters=("onto",),
    )
