# SPDX-License-Identifier: GPL-2.0-or-later
"""Send the unsent mails in order, and record each step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from patchgen.interrupts import defer_interrupts
from patchgen.model.series import Mail
from patchgen.pipeline.journal import Journal, JournalEntry, MailState, set_state
from patchgen.send.outcome import MailOutcome, Verdict
from patchgen.send.send_one import find_outcome
from patchgen.send.transport import GitSendEmail

OnMail = Callable[[int, JournalEntry], None]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The state of each mail of the version.

    `failed` is the number of the mail that stopped the run, None if all of the part were sent.
    """

    entries: tuple[JournalEntry, ...]
    failed: int | None = None

    @property
    def unsent(self) -> tuple[int, ...]:
        """The numbers of the mails that were not sent."""
        return tuple(
            number for number, entry in enumerate(self.entries) if entry.state is not MailState.SENT
        )


def resolve_in_flight(
    journal: Journal, entries: Sequence[JournalEntry]
) -> tuple[JournalEntry, ...]:
    """Return the entries with the outcome of a mail that was in flight when patchgen ended.

    The journal must be locked, so that no mail is in flight any more.
    """
    resolved = []
    for entry in entries:
        if entry.state is not MailState.SENDING:
            resolved.append(entry)
            continue
        outcome = find_outcome(journal.outcome)
        resolved.append(
            _apply(entry, outcome or MailOutcome(Verdict.UNKNOWN, "patchgen was killed"))
        )
    return tuple(resolved)


def deliver(
    journal: Journal,
    lock: int,
    entries: Sequence[JournalEntry],
    mails: Sequence[Mail],
    transport: GitSendEmail,
    on_mail: OnMail = lambda number, entry: None,
    *,
    part: Collection[int],
) -> DeliveryReport:
    """Send the waiting mails of a part, by number, in order; stop at the first that is refused.

    An interrupt takes effect when the mail in flight is done. A second one takes effect at once;
    that mail then writes its own outcome. Raises KeyboardInterrupt.
    """
    current = list(entries)
    for index, mail in enumerate(mails):
        if index not in part or current[index].state is not MailState.WAITING:
            continue
        started = [
            *current[:index],
            set_state(current[index], MailState.SENDING),
            *current[index + 1 :],
        ]
        with defer_interrupts():
            on_start = partial(journal.write, started)
            outcome = transport.send(mail, journal.outcome, lock, on_start)
            current[index] = _apply(current[index], outcome)
            journal.write(current)
            on_mail(index, current[index])
        if current[index].state is not MailState.SENT:
            return DeliveryReport(tuple(current), index)
    return DeliveryReport(tuple(current))


def _apply(entry: JournalEntry, outcome: MailOutcome) -> JournalEntry:
    states = {
        Verdict.ACCEPTED: MailState.SENT,
        Verdict.REFUSED: MailState.WAITING,
        Verdict.UNKNOWN: MailState.UNKNOWN,
    }
    return set_state(entry, states[outcome.verdict], outcome.reason)
