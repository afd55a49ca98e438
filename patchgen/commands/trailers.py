# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trailers`: add the tags in replies to the patches that they are for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.counting import count
from patchgen.mail import read_mails, read_stream
from patchgen.model.base import Oid
from patchgen.model.series import Mail
from patchgen.odb import Quarantine, Repository, reparent
from patchgen.replies.collect import CollectedTags, match_tags
from patchgen.replies.lore import find_threads, read_threads
from patchgen.replies.patches import describe_patches, read_own_mails
from patchgen.series import read_branch, resolve_series


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """The parameters of `patchgen trailers`.

    `source` has the replies: a path, "-" for standard input, or None for the threads that `b4 mbox`
    fetched (replies/lore.py). `branch` None means the current branch. `start` is the commit below
    its first patch, None if the branch shows it. `accepted` are numbers of listed tags to add
    although they are in doubt.
    """

    tree: Path
    source: str | None
    branch: str | None = None
    start: str | None = None
    dry_run: bool = False
    accepted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectResult:
    """The tags in the replies, and the subjects of the patches. `tip` None means no change."""

    branch: str
    subjects: tuple[str, ...]
    tags: CollectedTags
    tip: Oid | None


def collect_trailers(
    request: CollectRequest, choose: Callable[[CollectResult], Sequence[int]] = lambda result: ()
) -> CollectResult:
    """Add the tags in replies to the commits of a branch that they are for.

    Before anything is written, `choose` gets the tags, and returns the numbers of listed ones to
    add, too. Only messages change, so the current branch may be moved. Raises a PatchgenError with
    nothing written.
    """
    mails = _read_source(request.source) if request.source is not None else []
    with closing(Repository(request.tree)) as repository:
        name, tip = resolve_series(repository, request.branch, has_start=request.start is not None)
        base = repository.resolve_commit(request.start) if request.start else None
        with Quarantine(repository) as quarantine:
            series = read_branch(repository, quarantine, name, tip, base)
            patches = describe_patches(repository, quarantine, series)
            own_mails = read_own_mails(repository, series)
            remarks: list[str] = []
            if request.source is None:
                mails, remarks = read_threads(find_threads(repository, series, own_mails))
            subjects = tuple(commit.subject for commit in series.commits)
            tags = match_tags(mails, series.commits, patches, own_mails, request.accepted)
            tags.remarks += remarks
            if chosen := choose(CollectResult(name, subjects, tags, None)):
                accepted = (*request.accepted, *chosen)
                tags = match_tags(mails, series.commits, patches, own_mails, accepted)
                tags.remarks += remarks
            new_tip = None
            if tags.messages and not request.dry_run:
                committer = repository.read_signatures().committer
                oids = [commit.oid for commit in series.commits]
                new_tip = reparent(
                    quarantine, oids, series.start, messages=tags.messages, committer=committer
                )[-1]
                reason = f"patchgen: trailers from {count(len(mails), 'mail')}"
                quarantine.publish(f"refs/heads/{name}", new_tip, series.base, tip, reason)
            return CollectResult(name, subjects, tags, new_tip)


def _read_source(source: str) -> list[Mail]:
    if source != "-":
        return read_mails(Path(source))
    return read_stream(sys.stdin.buffer, "standard input")
