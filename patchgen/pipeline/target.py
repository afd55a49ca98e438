# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the branch and the folder of mails of a series, and check that both may be written."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import RefusedError
from patchgen.mail import Existing, StagedFolder, check_folder, name_folder
from patchgen.model.base import Oid
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.pipeline.next_version import NextVersion, choose_version, find_sent_revision
from patchgen.spec import settings_of


@dataclass(frozen=True, slots=True)
class SeriesTarget:
    """The branch of a series, its full ref name, and the folder of its mails.

    `hidden` is the folder that contains the mails of all series by default; if it is created, it
    gets a .gitignore. With `may_replace`, an existing branch is replaced. `existing` is what an
    existing folder may contain.
    """

    branch: str
    ref: str
    folder: Path
    hidden: Path | None
    may_replace: bool
    existing: Existing

    def check(self, repository: Repository, *, may_be_published: bool = False) -> Oid | None:
        """Return the branch's present commit. Raises an error if branch or folder cannot be used.

        An existing branch without its folder of mails, or with `may_be_published`, is accepted even
        if it may not be replaced: a killed run leaves such a branch. `publish_series` checks that
        it is the branch to be made.
        """
        tip, conflicting = repository.find_branch(self.ref)
        if tip is not None and not (self.may_replace or may_be_published) and self.folder.exists():
            raise self.refuse_existing(repository, tip)
        if tip is None and conflicting is not None:
            name = conflicting.removeprefix("refs/heads/")
            raise RefusedError(
                f"the branch {self.branch} cannot be created, as there is a branch {name}",
                code="branch-exists",
                hint="git stores branches in folders: NAME and NAME/... cannot both exist",
            )
        if (checkout := repository.find_checkout(self.ref)) is not None:
            raise RefusedError(
                f"the branch {self.branch} is checked out in {checkout}, so it cannot be moved",
                code="branch-checked-out",
                hint="switch to another branch there",
                alternatives={"branch": "choose another name"},
            )
        check_folder(self.folder, self.existing)
        return tip

    def stage(self, mails: Sequence[Mail]) -> StagedFolder:
        """Return the mails as a folder that is ready to be moved to its place."""
        return StagedFolder(self.folder, mails, existing=self.existing, hidden=self.hidden)

    def refuse_existing(self, repository: Repository, tip: Oid) -> RefusedError:
        """Return the error for a branch that exists, at `tip`, and may not be replaced.

        If its version was sent, the next version is the first hint.
        """
        sent = find_sent_revision(repository, tip)
        alternatives = {
            "force": "replace it, which loses its hand edits",
            "branch": "create another one",
        }
        if sent is None:
            return RefusedError(
                f"the branch {self.branch} already exists",
                code="branch-exists",
                alternatives=alternatives,
            )
        reroll = f"`patchgen reroll {shlex.quote(self.branch)}`"
        return RefusedError(
            f"the branch {self.branch} already exists, and its version, v{sent}, was sent",
            code="branch-exists",
            hint=f"make the next version: {reroll} carries over its hand edits, and "
            f"`-v {sent + 1}` does not",
            alternatives=alternatives,
        )


def choose_target(
    repository: Repository,
    branch: str,
    revision: int,
    output: Path | None,
    *,
    may_replace: bool = False,
    existing: Existing = Existing.NOTHING,
    writes: bool = True,
) -> SeriesTarget:
    """Return the target of that name; the caller `writes` mails, or only reads.

    By default, the folder of mails is NAME-vN in the folder of the user's setting `outgoing`, or in
    `outgoing` at the top of the tree, or in the current folder for a bare repository. Raises
    UsageError for an invalid branch name, SpecError for a wrong configuration.
    """
    ref = repository.check_branch_name(branch)
    root = None
    if output is None:
        setting = settings_of(repository).find("outgoing")
        name = setting.value if setting else "outgoing"
        root = Path(os.path.realpath(Path.cwd() / repository.find_output_top(writes=writes) / name))
        output = root / name_folder(branch, revision)
    folder = Path(os.path.realpath(Path.cwd() / output))
    return SeriesTarget(branch, ref, folder, root, may_replace, existing)


def choose_new_target(
    repository: Repository,
    name: str,
    *,
    first_version: int,
    branch: str | None,
    revision: int | None,
    output: Path | None,
    may_replace: bool,
    writes: bool,
) -> tuple[NextVersion, SeriesTarget]:
    """Return the version to make of the series `name`, and its target.

    `branch` None means patchgen/NAME-vN, `revision` None what `choose_version` returns. With
    `may_replace`, the branch may exist, and the folder may have other files. A dry run does not
    write (`writes`).
    """
    version = choose_version(repository, branch, name, first=first_version, requested=revision)
    target = choose_target(
        repository,
        branch or f"patchgen/{name}-v{version.revision}",
        version.revision,
        output,
        may_replace=may_replace,
        existing=Existing.ANYTHING if may_replace else Existing.NOTHING,
        writes=writes,
    )
    return version, target
