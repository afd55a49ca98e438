"""From patches that are written to a branch and its mails: cover letter, recipients, headers.

What `apply`, `reroll` and `send` share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.errors import BaseError
from patchgen.mail import (
    Outgoing,
    address_mails,
    address_patches,
    check_folder,
    edit_recipients,
    format_mails,
    format_patches,
)
from patchgen.model.base import Oid, TreeReader
from patchgen.model.series import Cover, Mail, Recipients, Signatures
from patchgen.odb import Quarantine, Repository
from patchgen.series import Tracking, put_cover_below


@dataclass(frozen=True, slots=True)
class Target:
    """Where a series goes: a branch, its full ref name, and a folder for the mails."""

    branch: str
    ref: str
    folder: Path

    def check(
        self, repository: Repository, *, replace: bool, folder_may_exist: bool = False
    ) -> Oid | None:
        """Return what the branch points at now. Raises where branch or folder may not be used."""
        old = repository.find_ref(self.ref)
        if old is not None and not replace:
            raise BaseError(
                f"the branch {self.branch} exists already",
                hint="--force makes it anew; --branch NAME makes another",
            )
        if (checkout := repository.find_checkout(self.ref)) is not None:
            raise BaseError(
                f"the branch {self.branch} is checked out in {checkout}; "
                "moving it would confuse git there",
                hint="switch to another branch there, or choose one with --branch",
            )
        check_folder(self.folder, force=replace or folder_may_exist)
        return old


def choose_target(repository: Repository, branch: str, output: Path | None) -> Target:
    """Return the target of that name; the mails go to `outgoing` at the tree's top by default."""
    ref = repository.check_branch_name(branch)
    folder = output or repository.top / "outgoing"
    return Target(branch, ref, (Path.cwd() / folder).resolve())


@dataclass(frozen=True, slots=True)
class Posted:
    """A version of a series as it is to be published: its commits and its mails.

    `cover_commit` is None where it was left out.
    """

    cover: Cover
    cover_commit: Oid | None
    commits: tuple[Oid, ...]
    mails: tuple[Mail, ...]
    warnings: tuple[str, ...]


def post_series(
    quarantine: Quarantine,
    tree: TreeReader,
    base: Oid,
    cover: Cover,
    tracking: Tracking,
    commits: Sequence[Oid],
    signatures: Signatures,
    *,
    branch: str,
    with_cover: bool,
    edited: tuple[Recipients, Recipients] = (Recipients(), Recipients()),
) -> Posted:
    """Return patches that are written on a base with their cover letter, addressed.

    `tree` is the base's. The cover letter goes below the patches as a commit, unless that is not
    wanted: then the patches stay as they are. `edited` are people to add everywhere, and people to
    leave out.
    """
    outgoing = Outgoing(
        branch=branch,
        base=base,
        start=base,
        tip=commits[-1],
        change_id=tracking.change_id,
        revision=tracking.revision,
        cover=cover,
        prefixes=tracking.prefixes,
    )
    patches = format_patches(quarantine, outgoing, signatures.committer)
    recipients, warnings = address_patches(tree, patches)
    recipients = edit_recipients(recipients, *edited)
    cover = replace(cover, recipients=recipients.cover)
    cover_commit: Oid | None = None
    if with_cover:
        cover_commit, commits = put_cover_below(
            quarantine, base, cover, tracking, commits, signatures
        )
    outgoing = replace(outgoing, start=cover_commit or base, tip=commits[-1], cover=cover)
    mails = format_mails(quarantine, outgoing, signatures.committer)
    addressed = tuple(address_mails(mails, recipients))
    return Posted(cover, cover_commit, tuple(commits), addressed, warnings)
