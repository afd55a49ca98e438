# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send`: send a branch or a folder of mails as a version, and record the version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.errors import RefusedError, ToolError, UsageError
from patchgen.mail import (
    add_recipients,
    choose_series,
    find_aliases,
    list_recipients,
    parse_mail,
    read_footer,
    read_mails,
    read_message_id,
    redirect_mail,
    replace_sender,
    split_people,
)
from patchgen.model.series import Cover, Mail, Recipients, SendableVersion
from patchgen.odb import Quarantine, Repository, read_sent, record_sent
from patchgen.pipeline.prepare import prepare_branch
from patchgen.send.delivery import DeliveryReport, OnMail, deliver, resolve_in_flight
from patchgen.send.journal import (
    Journal,
    JournalEntry,
    MailState,
    SendOptions,
    begin_entries,
    build_unknown_error,
    set_state,
)
from patchgen.send.settings import read_send_settings
from patchgen.send.transport import GitSendEmail, find_sender, open_transport
from patchgen.series import resolve_series

_PLACEHOLDER = "EDITME"


@dataclass(frozen=True, slots=True)
class SendRequest:
    """The parameters of `patchgen send`.

    `source` is a branch or a folder of mails; None means the current branch. `to` and `cc` get all
    mails, `cover_cc` gets the cover letter. With `resume`, the values of the first attempt are used
    unless new ones are given. `arrived` and `again` are numbers (0 for the cover letter) of mails
    whose outcome is unknown.
    """

    tree: Path
    source: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    in_reply_to: str | None = None
    get_maintainer: Path | None = None
    resume: bool = False
    reflect: bool = False
    arrived: tuple[int, ...] = ()
    again: tuple[int, ...] = ()

    @property
    def options(self) -> SendOptions:
        """The options that apply to all mails."""
        program = str(self.get_maintainer) if self.get_maintainer else None
        return SendOptions(self.to, self.cc, self.cover_cc, self.in_reply_to, program)


@dataclass(frozen=True, slots=True)
class SendPlan:
    """All mails of a version; those in the state "waiting" are to be sent. `bcc` get a copy."""

    version: SendableVersion
    options: SendOptions
    entries: tuple[JournalEntry, ...]
    recipients: tuple[Recipients, ...]
    bcc: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of sending; `tag` records the version if all mails were sent, else it is ""."""

    plan: SendPlan
    report: DeliveryReport
    tag: str = ""


def plan_sending(request: SendRequest) -> SendPlan:
    """Return what would be sent. Raises a PatchgenError if sending would be refused."""
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        plan = _plan(repository, quarantine, request)
        try:
            transport = open_transport(repository)
        except ToolError as err:
            # The recipients can still be shown.
            return replace(plan, warnings=(*plan.warnings, f"{err.message}; {err.hint}"))
        _rehearse(transport, plan)
        return plan


def send_version(
    request: SendRequest,
    *,
    check: Callable[[SendableVersion], None] = lambda version: None,
    confirm: Callable[[SendPlan], bool] = lambda plan: True,
    on_mail: OnMail = lambda number, entry: None,
) -> SendResult | None:
    """Send the waiting mails of a version, and record the version when all are sent.

    `check` raises an error if the version is not fit to be sent. Returns None if `confirm` returns
    False. Raises a PatchgenError with nothing sent.
    """
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        plan = _plan(repository, quarantine, request)
        transport = open_transport(repository, with_bcc=not request.reflect)
        _rehearse(transport, plan)
        check(plan.version)
        if not confirm(plan):
            return None
        transport = transport.log_in()
        if request.reflect:
            return _reflect(repository, plan, transport, on_mail)
        version = plan.version
        journal = Journal(repository, version.change_id, version.revision)
        with journal.lock() as lock:
            # Another patchgen may have sent some of the mails before the lock was taken.
            locked_plan = _plan(repository, quarantine, request, journal)
            if locked_plan.version.mails != version.mails:
                raise RefusedError(f"{version.name} has changed meanwhile; nothing was sent")
            entries = _apply_answers(locked_plan.entries, request)
            journal.options = locked_plan.options
            journal.write(entries)
            report = deliver(journal, lock, entries, version.mails, transport, on_mail)
        tag = _record(repository, quarantine, version, report) if report.is_complete else ""
        return SendResult(plan, report, tag)


def _rehearse(transport: GitSendEmail, plan: SendPlan) -> None:
    """Raise RefusedError for a mail that git would refuse, of those not sent yet."""
    states = zip(plan.version.mails, plan.entries, strict=True)
    transport.rehearse([mail for mail, entry in states if entry.state is not MailState.SENT])


def _plan(
    repository: Repository,
    quarantine: Quarantine,
    request: SendRequest,
    locked_journal: Journal | None = None,
) -> SendPlan:
    """Return the plan. With a `locked_journal`, outcomes of mails in flight are resolved."""
    version, warnings = _read_version(repository, quarantine, request)
    journal = locked_journal or Journal(repository, version.change_id, version.revision)
    options = request.options
    if request.resume and options == SendOptions():
        _, options = journal.read()
        if options.in_reply_to or options.get_maintainer:
            program = Path(options.get_maintainer) if options.get_maintainer else None
            request = replace(request, in_reply_to=options.in_reply_to, get_maintainer=program)
            version, warnings = _read_version(repository, quarantine, request)
    version = _add_people(repository, version, options)
    _check_mails(version)
    entries = begin_entries(version.mails)
    if not request.reflect:
        sent = read_sent(repository, version.change_id)
        tags = [earlier.tag for earlier in sent if earlier.revision == version.revision]
        if tags:
            raise RefusedError(
                f"v{version.revision} of {version.name} was sent already ({tags[0]})",
                hint="`patchgen reroll` makes the next version",
            )
        if sent and sent[-1].revision > version.revision:
            newer = f"v{sent[-1].revision} was sent already, and is newer than these mails"
            warnings = (newer, *warnings)
        entries = _resume_entries(journal, entries, request, is_branch=version.base is not None)
        if locked_journal is not None:
            entries = resolve_in_flight(journal, entries)
    recipients = tuple(list_recipients(mail) for mail in version.mails)
    bcc: tuple[str, ...] = ()
    if not request.reflect:
        settings = read_send_settings(repository)
        bcc = split_people(settings.read_all("bcc"), find_aliases(repository))
    return SendPlan(version, options, entries, recipients, bcc, warnings)


def _read_version(
    repository: Repository, quarantine: Quarantine, request: SendRequest
) -> tuple[SendableVersion, tuple[str, ...]]:
    source = request.source or resolve_series(repository, None, needs_cover=True)[0]
    if repository.find_ref(f"refs/heads/{source}") is None and Path(source).exists():
        if request.in_reply_to:
            raise UsageError(
                "mails in a folder already name the mail they answer", hint="name a branch"
            )
        if request.get_maintainer:
            raise UsageError("mails in a folder already have recipients", hint="name a branch")
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
            f"{path} has no cover letter", hint="name the branch, or a folder that patchgen made"
        )
    cover = series.cover
    change_id = read_footer(cover.body.everything, "change-id")
    if not change_id or not series.revision:
        raise RefusedError(f"{path / cover.name} has no change-id", hint="name the branch")
    mails = (cover.mail, *series.mails)
    _check_ids(str(path), mails)
    strays = [patch for patch in series.patches if cover.message_id not in patch.answers]
    if strays:
        raise RefusedError(
            f"{path / strays[0].name} does not answer the cover letter, {cover.name}",
            hint="name the branch, or a folder that patchgen made, with the mails of one series",
        )
    return SendableVersion(
        str(path), change_id, series.revision, Cover(cover.subject.text, ""), mails
    )


def _add_people(
    repository: Repository, version: SendableVersion, options: SendOptions
) -> SendableVersion:
    """Return the mails with the people of the command line and of git's configuration.

    Only sendemail.from may make git put the author into the body of a patch, and only once.
    """
    is_alias = find_aliases(repository)
    settings = read_send_settings(repository)
    to = split_people((*settings.read_all("to"), *options.to), is_alias)
    cc = split_people((*settings.read_all("cc"), *options.cc), is_alias)
    mails = [add_recipients(mail, Recipients(to, cc)) for mail in version.mails]
    mails[0] = add_recipients(mails[0], Recipients((), split_people(options.cover_cc, is_alias)))
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
            hint="name the branch, or a folder that patchgen made",
        )


def _check_mails(version: SendableVersion) -> None:
    _check_ids(version.name, version.mails)
    for mail in version.mails:
        recipients = list_recipients(mail)
        if not recipients.to and not recipients.cc:
            raise RefusedError(
                f"{mail.file_name} has no recipients", hint="name them", parameters=("to", "cc")
            )
    cover = version.mails[0].content.decode("utf-8", "replace")
    if _PLACEHOLDER in cover:
        raise RefusedError(
            f"the cover letter still has {_PLACEHOLDER} in it",
            hint="edit it: `git rebase -i`, or `b4 prep --edit-cover`",
        )


def _next_step(*, is_complete: bool, is_branch: bool) -> str:
    """Return the hint for a version that was sent in part, or that was not recorded."""
    if not is_complete:
        return "`patchgen send --resume` sends the others in the same thread"
    if is_branch:
        return "`patchgen send --resume` records the version, which a killed run did not record"
    # Mails of a folder have no commits to record.
    return "`patchgen reroll` makes the next version"


def _resume_entries(
    journal: Journal, fresh: tuple[JournalEntry, ...], request: SendRequest, *, is_branch: bool
) -> tuple[JournalEntry, ...]:
    """Return the entries with the states in the journal."""
    recorded, _ = journal.read()
    if request.resume and not recorded:
        raise RefusedError("nothing of this version was sent: nothing to resume")
    if all(entry.state is MailState.WAITING for entry in recorded):
        return fresh
    count = sum(entry.state is MailState.SENT for entry in recorded)
    if not request.resume:
        raise RefusedError(
            f"{count} of {len(recorded)} mails of this version have been sent already",
            hint=_next_step(is_complete=count == len(recorded), is_branch=is_branch),
        )
    for old, new in zip(recorded, fresh, strict=False):
        if old.state is MailState.WAITING:
            continue
        if (old.message_id, old.digest) != (new.message_id, new.digest):
            raise RefusedError(
                f'"{old.subject}" was sent, and has changed since ({new.file})',
                hint="restore the branch and the recipients to what was sent; changes belong into "
                "the next version",
            )
    if len(recorded) != len(fresh):
        raise RefusedError(
            f"the series had {len(recorded) - 1} patches when sending began, and has "
            f"{len(fresh) - 1} now",
            hint="restore the branch to what was sent; changes belong into the next version",
        )
    return tuple(
        replace(new, state=old.state, time=old.time, reason=old.reason)
        for old, new in zip(recorded, fresh, strict=True)
    )


def _apply_answers(
    entries: Sequence[JournalEntry], request: SendRequest
) -> tuple[JournalEntry, ...]:
    """Return the entries with the user's answers for the mails in an unknown state."""
    chosen = list(entries)
    for number, state in [(n, MailState.SENT) for n in request.arrived] + [
        (n, MailState.WAITING) for n in request.again
    ]:
        if not 0 <= number < len(chosen) or chosen[number].state is not MailState.UNKNOWN:
            raise UsageError(f"mail {number} is not in an unknown state")
        chosen[number] = set_state(chosen[number], state, "set by the user")
    for number, entry in enumerate(chosen):
        if entry.state is MailState.UNKNOWN:
            raise build_unknown_error(number, entry)
    return tuple(chosen)


def _reflect(
    repository: Repository, plan: SendPlan, transport: GitSendEmail, on_mail: OnMail
) -> SendResult:
    """Send all mails to the user only, without recording them."""
    version = plan.version
    sender = find_sender(repository, transport.settings)
    mails = tuple(redirect_mail(mail, sender) for mail in version.mails)
    journal = Journal(repository, f"reflect-{version.change_id}", version.revision)
    with journal.lock() as lock:
        entries = begin_entries(mails)
        report = deliver(journal, lock, entries, mails, transport, on_mail)
    return SendResult(plan, report)


def _record(
    repository: Repository, quarantine: Quarantine, version: SendableVersion, report: DeliveryReport
) -> str:
    if version.base is None or version.tip is None:
        return ""
    quarantine.copy_commits(version.base, version.tip)
    return record_sent(
        repository,
        version.change_id,
        version.revision,
        version.cover,
        version.base,
        version.tip,
        [entry.message_id for entry in report.entries],
        repository.read_signatures().committer,
        branch=version.name,
    )
