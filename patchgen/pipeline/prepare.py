# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn written patches into a branch and its mails: cover letter, recipients and headers.

`apply`, `reroll` and `send` share this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.errors import RefusedError, UsageError
from patchgen.interrupts import defer_interrupts
from patchgen.mail import (
    address_mails,
    address_patches,
    apply_policy,
    format_mails,
    include_people,
    limit_recipients,
    name_commits,
)
from patchgen.model.base import Oid, TreeReader
from patchgen.model.series import (
    Cover,
    Identity,
    Mail,
    RecipientEdits,
    SendableVersion,
    Signatures,
    Stat,
)
from patchgen.odb import GitTree, Quarantine, Repository, reparent, warn_of_unfinished
from patchgen.pipeline.base_series import warn_of_private_base
from patchgen.pipeline.recipients import add_people, choose_recipients, map_people
from patchgen.pipeline.target import SeriesTarget
from patchgen.series import (
    Record,
    Tracking,
    advise_testing,
    choose_cover,
    find_absent_files,
    put_cover_below,
    read_branch,
)
from patchgen.spec import People

# Documentation/process/submitting-patches.rst: "only post say 15 or so at a time".
_MANY_PATCHES = 15
# 1 January 2100: tm_to_time_t() in git's date.c refuses mails with a date from then on.
_FIRST_REFUSED_DATE = 4102444800


@dataclass(frozen=True, slots=True)
class WrittenSeries:
    """A series whose patches are `commits` on `base`, and whose cover letter is not written yet.

    `tree` is the base's.
    """

    base: Oid
    tree: TreeReader
    commits: Sequence[Oid]
    cover: Cover
    tracking: Tracking
    record: Record


@dataclass(frozen=True, slots=True)
class PreparedSeries:
    """A version of a series to be published: its commits on `base`, and its mails.

    `commits[i]` changes `stats[i]` lines. `cover_commit` is the empty commit below them that b4
    reads, None if the cover letter is not stored.
    """

    base: Oid
    cover: Cover
    tracking: Tracking
    cover_commit: Oid | None
    commits: tuple[Oid, ...]
    stats: tuple[Stat, ...]
    mails: tuple[Mail, ...]
    warnings: tuple[str, ...]

    @property
    def tip(self) -> Oid:
        """The last commit."""
        return self.commits[-1]

    @property
    def start(self) -> Oid:
        """The commit right below the first patch: the cover letter's, or the base."""
        return self.cover_commit or self.base


def prepare_series(
    quarantine: Quarantine,
    series: WrittenSeries,
    signatures: Signatures,
    *,
    people: People,
    with_cover: bool = True,
    edits: RecipientEdits | None = None,
    get_maintainer: Path | None = None,
) -> PreparedSeries:
    """Return the series with its cover letter and its addressed mails.

    With `with_cover`, the cover letter and the record become a commit below the patches. `edits`
    are those of the cover letter's recipients. `get_maintainer` is a program that names the
    maintainers, in place of MAINTAINERS.
    """
    base, commits, sender = series.base, series.commits, signatures.committer
    mails = format_mails(quarantine, base, base, commits[-1], series.cover, series.tracking, sender)
    found, warnings = address_patches(series.tree, mails[1:], get_maintainer)
    policy = series.record.policy
    maintainers = include_people(apply_policy(found, policy), series.record.variant_cc)
    maintainers = map_people(quarantine, base, maintainers)
    generated, left_out = limit_recipients(add_people(maintainers, people), found, policy)
    recipients = generated
    if edits:
        edited = add_people(maintainers, people, edits)
        recipients, left_out = limit_recipients(edited, found, policy)
    cover = replace(series.cover, recipients=recipients.cover)
    record = series.record.with_generated_recipients(generated.cover)
    tracking = replace(series.tracking, record=record.to_document())
    cover_commit: Oid | None = None
    if with_cover:
        cover_commit, commits = put_cover_below(
            quarantine, base, cover, tracking, commits, signatures
        )
        mails = name_commits(mails, commits)
    return PreparedSeries(
        base,
        cover,
        tracking,
        cover_commit,
        tuple(commits),
        tuple(quarantine.read_stats(cover_commit or base, commits[-1])),
        tuple(address_mails(mails, recipients)),
        (*warnings, *left_out, *warn_of_date(sender)),
    )


def publish_series(
    quarantine: Quarantine,
    target: SeriesTarget,
    series: PreparedSeries,
    old_tip: Oid | None,
    reason: str,
    *,
    extra_refs: Mapping[str, Oid] | None = None,
    names: Mapping[str, Oid] | None = None,
) -> tuple[Path, ...]:
    """Move the branch to the series, put its mails in place, and return their paths.

    `old_tip` is the result of `SeriesTarget.check`. If the branch is already there, a killed run
    moved it, and only the mails are written. `extra_refs` and `names` are further refs
    (`Quarantine.publish`). Raises RefusedError if the branch is another one and may not be
    replaced, or was moved meanwhile.
    """
    is_published = old_tip == series.tip and not target.may_replace
    if old_tip is not None and not target.may_replace and not is_published:
        raise target.refuse_existing(quarantine.repository, old_tip)
    with (
        target.stage(series.mails) as staged,
        defer_interrupts(f"the branch {target.branch} and its mails were written before"),
    ):
        if not is_published:
            quarantine.publish(
                target.ref,
                series.tip,
                series.base,
                old_tip,
                reason,
                extra_refs=extra_refs,
                names=names,
            )
        return tuple(staged.publish())


def prepare_branch(
    repository: Repository,
    quarantine: Quarantine,
    branch: str,
    *,
    in_reply_to: str | None = None,
    get_maintainer: Path | None = None,
    advises: bool = True,
) -> tuple[SendableVersion, tuple[str, ...]]:
    """Return the mails of a branch's current commits, and warnings.

    With `advises`, warnings also name what the author can do; without, they state facts only.

    The recipients in the cover letter get it. Each patch goes to those of them who maintain the
    files that it changes, and to people that were added to the cover letter by hand. Raises
    RefusedError if the branch has no cover letter.
    """
    _, tip = repository.resolve_branch(branch)
    series = read_branch(repository, quarantine, branch, tip)
    if series.cover is None or series.tracking is None:
        raise RefusedError(
            f"{branch} has no cover letter",
            code="cover-missing",
            hint="`patchgen apply` and `b4 prep` store one in a commit; or name a folder of mails",
        )
    tree = GitTree(repository, repository.resolve_tree(series.base))
    advice = advise_testing(series.name, find_absent_files(tree)) if advises else ""
    cover, remarks = choose_cover(series, series.cover, advice=advice)
    sender = _read_sender(repository, quarantine, series.start)
    thread = _parse_message_id(in_reply_to) if in_reply_to else ""
    mails = format_mails(
        quarantine, series.base, series.start, tip, cover, series.tracking, sender, thread
    )
    found, problems = address_patches(tree, mails[1:], get_maintainer)
    recipients, requests = choose_recipients(
        repository, quarantine, series, found, cover.recipients, advises=advises
    )
    oids = [commit.oid for commit in series.commits]
    version = SendableVersion(
        name=branch,
        change_id=series.tracking.change_id,
        revision=series.tracking.revision,
        cover=cover,
        mails=tuple(address_mails(mails, recipients)),
        base=series.base,
        tip=reparent(quarantine, oids, series.base)[-1],
    )
    warnings = warn_of_series(repository, series.base, len(oids))
    unfinished = warn_of_unfinished(repository, branch) if advises else ()
    return version, (*unfinished, *problems, *requests, *remarks, *warnings)


def _read_sender(repository: Repository, quarantine: Quarantine, start: Oid) -> Identity:
    """Return the sender of a branch's mails: the user, with the date of the commit `start`.

    So the same branch results in the same mails on another day.
    """
    args = ("show", "--no-patch", "--date=raw", "--format=%cd", start)
    date = quarantine.run(*args).stdout.decode().strip()
    return replace(repository.read_signatures().committer, date=date)


def _parse_message_id(text: str) -> str:
    """Return a message-id without brackets, from a message-id or its URL in an archive."""
    message_id = text.strip().strip("<>")
    if message_id.startswith(("https://", "http://")):
        message_id = message_id.rstrip("/").rpartition("/")[2]
    if not re.fullmatch(r"[!-~]+@[!-~]+", message_id) or set(message_id) & set("<>"):
        raise UsageError(
            f"{text!r} is not a message-id",
            code="id-invalid",
            hint="for example 2026-1@example.org",
        )
    return message_id


def warn_of_series(repository: Repository, base: Oid, count: int) -> tuple[str, ...]:
    """Return warnings about too many patches, and about a base that others may not have."""
    warnings = []
    if count > _MANY_PATCHES:
        warnings.append(f"{count} patches; more than {_MANY_PATCHES} are rarely reviewed at once")
    return (*warnings, *warn_of_private_base(repository, base))


def warn_of_date(sender: Identity) -> tuple[str, ...]:
    """Return a warning if `git am` cannot apply the mails because of their date."""
    if int(sender.date.split()[0]) < _FIRST_REFUSED_DATE:
        return ()
    return ("the mails are dated after 2099, and `git am` does not accept such dates",)
