# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send`: send a branch or a folder of mails as a version, and record the version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.commands.sendable import (
    SendRequest,
    add_sender_and_recipients,
    check_cover,
    check_mails,
    read_version,
)
from patchgen.counting import count
from patchgen.errors import RefusedError, ToolError, UsageError
from patchgen.mail import find_aliases, redirect_mail, split_people
from patchgen.model.series import Mail, SendableVersion
from patchgen.odb import Quarantine, Repository, digest_commits, read_sent, record_sent
from patchgen.pipeline.journal import (
    Journal,
    JournalEntry,
    MailState,
    SendOptions,
    begin_entries,
    build_unknown_error,
    format_resume,
    list_begun,
    set_state,
)
from patchgen.send.delivery import DeliveryReport, OnMail, deliver, resolve_in_flight
from patchgen.send.parts import (
    EarlierRuns,
    answer_sent_cover,
    begin_part,
    choose_part,
    join_entries,
)
from patchgen.send.settings import read_send_settings
from patchgen.send.transport import GitSendEmail, find_sender, open_transport
from patchgen.series import list_names, match_commits, number_names, read_branch


@dataclass(frozen=True, slots=True)
class SendPlan:
    """All mails of a version. `numbers` are those of the part to send, with a copy to `bcc`.

    An earlier run that was interrupted may have sent mails of the part.
    """

    version: SendableVersion
    options: SendOptions
    entries: tuple[JournalEntry, ...]
    numbers: tuple[int, ...]
    bcc: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def unsent_mails(self) -> tuple[Mail, ...]:
        """The mails of the part that were not sent."""
        return tuple(
            self.version.mails[number]
            for number in self.numbers
            if self.entries[number].state is not MailState.SENT
        )


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of sending; `tag` records the version if all mails were sent, else it is ""."""

    plan: SendPlan
    report: DeliveryReport
    tag: str = ""


def plan_sending(request: SendRequest) -> SendPlan:
    """Return the plan without sending. Raises a PatchgenError if sending would be refused."""
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        plan = _plan(repository, quarantine, request)
        try:
            transport = open_transport(repository)
        except ToolError as err:
            # The recipients can still be shown.
            return replace(plan, warnings=(*plan.warnings, f"{err.message}; {err.hint}"))
        transport.rehearse(plan.unsent_mails)
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
        transport.rehearse(plan.unsent_mails)
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
                raise RefusedError(
                    f"{version.name} has changed meanwhile; nothing was sent", code="series-changed"
                )
            entries = _apply_answers(version.name, locked_plan.entries, request)
            journal.options = locked_plan.options
            journal.write(entries)
            part = locked_plan.numbers
            report = deliver(journal, lock, entries, version.mails, transport, on_mail, part=part)
        tag = "" if report.unsent else _record(repository, quarantine, version, report)
        return SendResult(plan, report, tag)


def _plan(
    repository: Repository,
    quarantine: Quarantine,
    request: SendRequest,
    locked_journal: Journal | None = None,
) -> SendPlan:
    """Return the plan. With a `locked_journal`, outcomes of mails in flight are resolved."""
    version, warnings = read_version(repository, quarantine, request)
    journal = locked_journal or Journal(repository, version.change_id, version.revision)
    earlier = EarlierRuns() if request.reflect else EarlierRuns(*journal.read())
    options = request.options
    if (request.resume or earlier.sent) and options == SendOptions():
        options = replace(earlier.options, only=())
        if options.in_reply_to or options.get_maintainer:
            program = Path(options.get_maintainer) if options.get_maintainer else None
            request = replace(request, in_reply_to=options.in_reply_to, get_maintainer=program)
            version, warnings = read_version(repository, quarantine, request)
    settings, is_alias = read_send_settings(repository), find_aliases(repository)
    version = add_sender_and_recipients(repository, settings, is_alias, version, options)
    version = replace(version, mails=answer_sent_cover(version.mails, earlier))
    check_mails(version)
    check_cover(repository, quarantine, request.tree, version)
    entries, part = begin_entries(version.mails), frozenset(range(len(version.mails)))
    if not request.reflect:
        warnings = (*_check_not_sent(repository, version), *warnings)
        part = _choose_part(repository, quarantine, request, version, earlier)
        entries, remarks = join_entries(earlier, entries, part)
        warnings = (*warnings, *remarks)
        if locked_journal is not None:
            entries = resolve_in_flight(journal, entries)
    elif request.only is not None:
        part = _select(repository, quarantine, request.only, version)
    if part != frozenset(range(len(entries))):
        options = replace(options, only=tuple(sorted(part)))
    bcc = () if request.reflect else split_people(settings.read_all("bcc"), is_alias)
    return SendPlan(version, options, entries, tuple(sorted(part)), bcc, warnings)


def _check_not_sent(repository: Repository, version: SendableVersion) -> Iterator[str]:
    """Yield a warning if a newer version was sent. Raises RefusedError if this one was."""
    sent = read_sent(repository, version.change_id)
    tags = [earlier.tag for earlier in sent if earlier.revision == version.revision]
    if tags:
        raise RefusedError(
            f"v{version.revision} of {version.name} was sent already ({tags[0]})",
            code="already-sent",
            hint="`patchgen reroll` makes the next version",
        )
    revisions = [earlier.revision for earlier in sent]
    newest = max([*revisions, *list_begun(repository, version.change_id)], default=0)
    if newest > version.revision:
        yield f"v{newest} was sent already, and is newer than these mails"


def _next_step(version: SendableVersion, *, is_complete: bool) -> str:
    """Return the hint for a version that was partly sent, or that was sent but not recorded."""
    resume = format_resume(version.name)
    if not is_complete:
        return f"the last run was interrupted; {resume} sends its other mails in the same thread"
    if version.base is not None:
        return f"{resume} records the version, since the last run was killed before it did"
    # Mails of a folder have no commits to record.
    return "`patchgen reroll` makes the next version"


def _choose_part(
    repository: Repository,
    quarantine: Quarantine,
    request: SendRequest,
    version: SendableVersion,
    earlier: EarlierRuns,
) -> frozenset[int]:
    """Return the numbers of the mails to send: those of the last run if it is resumed.

    Raises RefusedError if the last run has to be resumed, or if there is nothing to resume.
    """
    total = len(earlier.entries)
    if request.resume and not total:
        raise RefusedError(
            "no mail of this version was sent: nothing to resume", code="nothing-to-resume"
        )
    is_complete = total > 0 and len(earlier.sent) == total
    if not request.resume and (earlier.is_interrupted or is_complete):
        raise RefusedError(
            f"{len(earlier.sent)} of {count(total, 'mail')} of this version "
            f"{'has' if len(earlier.sent) == 1 else 'have'} been sent already",
            code="partly-sent",
            hint=_next_step(version, is_complete=is_complete),
        )
    if request.resume and not earlier.is_open and not is_complete:
        raise RefusedError(
            "the last run sent all of its mails: nothing to resume",
            code="nothing-to-resume",
            hint="`patchgen send` sends the others",
        )
    if request.resume:
        return earlier.part
    chosen = None
    if request.only is not None:
        chosen = _select(repository, quarantine, request.only, version)
    return begin_part(earlier, chosen, len(version.mails))


def _select(
    repository: Repository, quarantine: Quarantine, only: str, version: SendableVersion
) -> frozenset[int]:
    """Return the numbers of the mails that `only` selects; patches of a branch have names, too."""
    total = len(version.mails)
    if version.base is None:
        return choose_part(only, {}, total)
    tip = repository.resolve_branch(version.name)[1]
    series = read_branch(repository, quarantine, version.name, tip)
    digests = digest_commits(quarantine, series.start, tip)
    branch = match_commits(series.commits, digests, series.record) if series.record else ()
    names = number_names(branch, groups=True)
    # Several names may select the same patches; the first is the shortest.
    shown = {tuple(numbers): name for name, numbers in reversed(list(names.items()))}
    listed = list_names({name: names[name] for name in shown.values()}, branch)
    return choose_part(only, names, total, listed)


def _apply_answers(
    name: str, entries: Sequence[JournalEntry], request: SendRequest
) -> tuple[JournalEntry, ...]:
    """Return the entries with the user's answers for the mails in an unknown state."""
    chosen = list(entries)
    for number, state in [(n, MailState.SENT) for n in request.arrived] + [
        (n, MailState.WAITING) for n in request.again
    ]:
        if not 0 <= number < len(chosen) or chosen[number].state is not MailState.UNKNOWN:
            raise UsageError(f"mail {number} is not in an unknown state", code="mail-number")
        chosen[number] = set_state(chosen[number], state, "set by the user")
    for number, entry in enumerate(chosen):
        if entry.state is MailState.UNKNOWN:
            raise build_unknown_error(name, number, entry)
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
        report = deliver(journal, lock, entries, mails, transport, on_mail, part=plan.numbers)
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
