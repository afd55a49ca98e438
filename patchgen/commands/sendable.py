# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails that `patchgen send` sends: those of a branch or a folder, with all their headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.commands.series_templates import find_cover_template
from patchgen.errors import RefusedError, UsageError
from patchgen.mail import (
    add_recipients,
    choose_series,
    fill_to,
    list_recipients,
    parse_mail,
    read_footer,
    read_mails,
    read_message_id,
    replace_sender,
    split_people,
)
from patchgen.model.series import Cover, Mail, Recipients, SendableVersion
from patchgen.odb import Quarantine, Repository
from patchgen.pipeline.journal import SendOptions
from patchgen.pipeline.next_version import find_begun_revision
from patchgen.pipeline.prepare import prepare_branch
from patchgen.send.settings import SendSettings
from patchgen.send.transport import find_sender
from patchgen.series import PLACEHOLDER, format_reroll, read_branch, resolve_series


@dataclass(frozen=True, slots=True)
class SendRequest:
    """The parameters of `patchgen send`.

    `source` is a branch or a folder of mails; None means the current branch. `to` and `cc` get all
    mails, `cover_cc` gets the cover letter. With `resume`, and for a later part, the values of the
    last run are used unless new ones are given. `only` selects the mails of a part
    (send/parts.py), None all that were not sent. `arrived` and `again` are numbers (0 for the cover
    letter) of mails whose outcome is unknown.
    """

    tree: Path
    source: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    in_reply_to: str | None = None
    get_maintainer: Path | None = None
    only: str | None = None
    resume: bool = False
    reflect: bool = False
    arrived: tuple[int, ...] = ()
    again: tuple[int, ...] = ()

    @property
    def options(self) -> SendOptions:
        """The options that apply to all mails."""
        program = str(self.get_maintainer) if self.get_maintainer else None
        return SendOptions(self.to, self.cc, self.cover_cc, self.in_reply_to, program)


def read_version(
    repository: Repository, quarantine: Quarantine, request: SendRequest
) -> tuple[SendableVersion, tuple[str, ...]]:
    """Return the mails of a branch or a folder, and warnings."""
    source = request.source or resolve_series(repository, None, needs_cover=True)[0]
    if repository.find_ref(f"refs/heads/{source}") is None:
        if not Path(source).exists():
            raise RefusedError(
                f"no such folder or branch: {source}",
                code="branch-unknown",
                hint=repository.suggest_branch(source),
            )
        if request.in_reply_to:
            raise UsageError(
                "mails in a folder already name the mail they answer",
                code="folder-has-recipients",
                hint="name a branch",
            )
        if request.get_maintainer:
            raise UsageError(
                "mails in a folder already have recipients",
                code="folder-has-recipients",
                hint="name a branch",
            )
        return _from_folder(Path(source)), ()
    return prepare_branch(
        repository,
        quarantine,
        source,
        in_reply_to=request.in_reply_to,
        get_maintainer=request.get_maintainer,
    )


def _from_folder(path: Path) -> SendableVersion:
    """Return the newest version in a folder of mails that patchgen made."""
    series = choose_series(read_mails(path), str(path))
    if series.cover is None:
        raise RefusedError(
            f"{path} has no cover letter",
            code="cover-missing",
            hint="name the branch, or a folder that patchgen made",
        )
    cover = series.cover
    change_id = read_footer(cover.body.everything, "change-id")
    if not change_id or not series.revision:
        raise RefusedError(
            f"{path / cover.name} has no change-id", code="cover-missing", hint="name the branch"
        )
    mails = (cover.mail, *series.mails)
    _check_ids(str(path), mails)
    strays = [patch for patch in series.patches if cover.message_id not in patch.answers]
    if strays:
        raise RefusedError(
            f"{path / strays[0].name} does not answer the cover letter, {cover.name}",
            code="thread-broken",
            hint="name the branch, or a folder that patchgen made, with the mails of one series",
        )
    return SendableVersion(
        str(path), change_id, series.revision, Cover(cover.subject.text, ""), mails
    )


def add_sender_and_recipients(
    repository: Repository,
    settings: SendSettings,
    is_alias: Callable[[str], bool],
    version: SendableVersion,
    options: SendOptions,
) -> SendableVersion:
    """Return the version with the people of the command line and of git's configuration.

    Only sendemail.from may make git put the author into the body of a patch, and only once.
    """
    to = split_people((*settings.read_all("to"), *options.to), is_alias)
    cc = split_people((*settings.read_all("cc"), *options.cc), is_alias)
    mails = [add_recipients(mail, Recipients(to, cc)) for mail in version.mails]
    mails[0] = add_recipients(mails[0], Recipients((), split_people(options.cover_cc, is_alias)))
    mails = list(map(fill_to, mails))
    sender = find_sender(repository, settings)
    # git resolves aliases itself.
    if "@" in sender:
        mails = [replace_sender(mail, sender) for mail in mails]
    return replace(version, mails=tuple(mails))


def _check_ids(name: str, mails: Sequence[Mail]) -> None:
    """Raise RefusedError unless each mail has a message-id of its own, as a thread requires."""
    ids = {read_message_id(parse_mail(mail)) for mail in mails}
    if "" in ids or len(ids) != len(mails):
        raise RefusedError(
            f"the mails of {name} do not form a thread: message-ids are missing or not unique",
            code="thread-broken",
            hint="name the branch, or a folder that patchgen made",
        )


def check_mails(version: SendableVersion) -> None:
    """Raise RefusedError if the mails are not a thread, or one has no recipients."""
    _check_ids(version.name, version.mails)
    for mail in version.mails:
        recipients = list_recipients(mail)
        if not recipients.to and not recipients.cc:
            raise RefusedError(
                f"{mail.name} has no recipients",
                code="no-recipients",
                hint="name them",
                parameters=("to", "cc"),
            )


def check_cover(
    repository: Repository, quarantine: Quarantine, tree: Path, version: SendableVersion
) -> None:
    """Raise RefusedError if the cover letter has a placeholder; the hint names what to edit."""
    cover = version.mails[0].content.decode("utf-8", "replace")
    if PLACEHOLDER not in cover:
        return
    hint = "edit it: `git rebase -i`, or `b4 prep --edit-cover`"
    tip = repository.find_ref(f"refs/heads/{version.name}")
    if tip is not None:
        series = read_branch(repository, quarantine, version.name, tip)
        template = find_cover_template(tree, series)
        if template is not None and series.record is not None:
            was_sent = find_begun_revision(repository, tip) is not None
            again = format_reroll(series.name, series.record, was_sent=was_sent)
            force = "" if was_sent else " --force"
            hint = f"edit {template}, then make the series again: `{again}{force}`"
    raise RefusedError(
        f"the cover letter still contains {PLACEHOLDER}", code="placeholder", hint=hint
    )
