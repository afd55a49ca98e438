# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen format`: the mails of a branch as it is now, in their folder.

They go stale when a person edits the branch, and `send` makes its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from patchgen.mail import Existing, StagedFolder, check_folder
from patchgen.model.base import Oid
from patchgen.odb import Quarantine, Repository
from patchgen.posting import choose_target, prepare_posting


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """What the user asked for.

    `branch` None means the one that is checked out, `output` None the folder `outgoing/NAME-vN` at
    the tree's top. With `force` the folder may have files of others, too; they stay.
    """

    tree: Path
    branch: str | None = None
    output: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class FormatResult:
    """A branch on its base, the version that it is, and its mails on disk."""

    branch: str
    base: Oid
    revision: int
    change_id: str
    mails: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


def format_series(request: FormatRequest) -> FormatResult:
    """Write the mails of a branch, with the recipients that `send` finds, over those of before.

    Raises BaseError where the branch has no cover letter, or where the folder has files that are
    not mails of this version.
    """
    repository = Repository(request.tree)
    try:
        branch, _ = repository.resolve_branch(request.branch)
        with Quarantine(repository) as quarantine:
            posting, warnings = prepare_posting(repository, quarantine, branch)
        assert posting.base is not None
        target = choose_target(repository, branch, posting.revision, request.output)
        existing = Existing.ANYTHING if request.force else Existing.THIS_VERSION
        check_folder(target.folder, existing)
        with StagedFolder(
            target.folder, posting.mails, existing=existing, hidden=target.hidden
        ) as staged:
            mails = tuple(staged.publish())
        return FormatResult(
            branch, posting.base, posting.revision, posting.change_id, mails, warnings
        )
    finally:
        repository.close()
