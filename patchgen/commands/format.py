# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen format`: write the mails of a branch's current commits to their folder.

The mails go stale when a person edits the branch. `send` formats its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.mail import Existing, check_folder
from patchgen.model.base import Oid
from patchgen.odb import Quarantine, Repository, digest_commits
from patchgen.pipeline.next_version import find_begun_revision
from patchgen.pipeline.prepare import prepare_branch
from patchgen.pipeline.target import choose_target
from patchgen.series import format_reroll, match_commits, read_branch, resolve_series
from patchgen.verify.cover_claims import check_cover_claims


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """The parameters of `patchgen format`.

    `branch` None means the current branch, `output` None the folder `outgoing/NAME-vN` at the top
    of the tree. With `force` the folder may contain other files; they are not changed.
    """

    tree: Path
    branch: str | None = None
    output: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class FormatResult:
    """A branch, its base, its version, and its mails on disk."""

    branch: str
    base: Oid
    revision: int
    change_id: str
    mails: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


def format_series(request: FormatRequest) -> FormatResult:
    """Write the mails of a branch, with the recipients that `send` finds, over the earlier ones.

    Raises RefusedError if the branch has no cover letter, or if the folder has files that are
    not mails of this version.
    """
    with closing(Repository(request.tree)) as repository:
        branch, _ = resolve_series(repository, request.branch, needs_cover=True)
        with Quarantine(repository) as quarantine:
            version, warnings = prepare_branch(repository, quarantine, branch)
            claims = tuple(_check_claims(repository, quarantine, branch))
        assert version.base is not None
        target = choose_target(
            repository,
            branch,
            version.revision,
            request.output,
            existing=Existing.ANYTHING if request.force else Existing.THIS_VERSION,
        )
        check_folder(target.folder, target.existing)
        with target.stage(version.mails) as staged:
            mails = tuple(staged.publish())
        return FormatResult(
            branch,
            version.base,
            version.revision,
            version.change_id,
            mails,
            (*warnings, *claims),
        )


def _check_claims(repository: Repository, quarantine: Quarantine, branch: str) -> Iterator[str]:
    """Yield a warning if the cover letter does not mention work by hand, as `send` prints it."""
    _, tip = repository.resolve_branch(branch)
    series = read_branch(repository, quarantine, branch, tip)
    if series.cover is None or series.record is None:
        return
    digests = digest_commits(quarantine, series.start, series.tip)
    matched = match_commits(series.commits, digests, series.record)
    was_sent = find_begun_revision(repository, tip) is not None
    reroll = format_reroll(branch, series.record, was_sent=was_sent)
    for finding in check_cover_claims(series.cover, matched, digests, series.record, reroll):
        yield f"the {finding.where}: {finding.text}"
