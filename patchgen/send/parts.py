# SPDX-License-Identifier: GPL-2.0-or-later
"""Send a version in parts: choose the mails of a part, and continue after the earlier ones.

A campaign goes out over weeks. Meanwhile people add tags to patches that were sent, and edit those
that were not, which changes message-ids. So a later part answers the cover letter as it was sent,
and a patch that was sent may differ in its trailers and notes only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from patchgen.errors import RefusedError, UsageError
from patchgen.mail import parse_mail, read_message_id
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.send.journal import Journal, JournalEntry, MailState, SendOptions
from patchgen.series import Tracking

_RANGE = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")
_COVER = "cover"


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """What the journal has of earlier runs: all mails, and the options and mails of the last run.

    All are empty if nothing was sent.
    """

    entries: tuple[JournalEntry, ...] = ()
    options: SendOptions = field(default_factory=SendOptions)

    @property
    def part(self) -> frozenset[int]:
        """The numbers of the mails of the last run."""
        return frozenset(self.options.only or range(len(self.entries)))

    @property
    def sent(self) -> frozenset[int]:
        """The numbers of the mails that were sent."""
        return frozenset(
            number for number, entry in enumerate(self.entries) if entry.state is MailState.SENT
        )

    @property
    def is_open(self) -> bool:
        """Whether the last run did not send all of its mails."""
        return not self.part <= self.sent

    @property
    def is_interrupted(self) -> bool:
        """Whether the last run sent, or may have sent, some of its mails only."""
        states = {self.entries[number].state for number in self.part}
        return self.is_open and states != {MailState.WAITING}


def read_earlier(journal: Journal) -> EarlierRuns:
    """Return what earlier runs did, by the journal of a version."""
    entries, options = journal.read()
    return EarlierRuns(entries, options)


def choose_part(only: str, names: Mapping[str, Sequence[int]], count: int) -> frozenset[int]:
    """Return the numbers of the mails that "1,3-5,NAME" selects; 0 and "cover" are the letter.

    `names` are those of patches. `count` is the number of mails. Raises UsageError if a number or a
    name does not exist.
    """
    chosen: set[int] = set()
    for item in filter(None, (item.strip() for item in only.split(","))):
        match = _RANGE.fullmatch(item)
        if match is not None:
            first, last = int(match["first"]), int(match["last"] or match["first"])
            if not first <= last < count:
                raise UsageError(
                    f"the mails have the numbers 0 to {count - 1}, not {item}", parameters=("only",)
                )
            chosen.update(range(first, last + 1))
        elif item == _COVER:
            chosen.add(0)
        elif item in names:
            chosen.update(names[item])
        else:
            # Several names may select the same patches; the first is the shortest.
            shown = {tuple(names[name]): name for name in reversed(list(names))}
            raise UsageError(
                f"the series has no patch {item!r}",
                hint=f"its patches are {', '.join(sorted(shown.values()))}"
                if shown
                else "name numbers of mails",
                parameters=("only",),
            )
    if not chosen:
        raise UsageError("no mail is selected", parameters=("only",))
    return frozenset(chosen)


def begin_part(earlier: EarlierRuns, chosen: frozenset[int] | None, count: int) -> frozenset[int]:
    """Return the numbers of the mails to send now: the chosen ones, or all that were not sent.

    The cover letter goes with the first part. Raises UsageError for a mail that was sent.
    """
    if chosen is None:
        return frozenset(range(count)) - earlier.sent
    for number in sorted(chosen & earlier.sent):
        day = time.strftime("%Y-%m-%d", time.localtime(earlier.entries[number].time))
        raise UsageError(
            f'mail {number}, "{earlier.entries[number].subject}", was sent on {day}',
            hint="select others, or omit the selection to send all others",
            parameters=("only",),
        )
    return chosen | ({0} - earlier.sent)


def answer_sent_cover(mails: Sequence[Mail], earlier: EarlierRuns) -> tuple[Mail, ...]:
    """Return the mails as answers to the cover letter as it was sent."""
    if 0 not in earlier.sent:
        return tuple(mails)
    old, new = earlier.entries[0].message_id, read_message_id(parse_mail(mails[0]))
    answering = [mails[0]]
    for mail in mails[1:]:
        head, empty, body = mail.content.partition(b"\n\n")
        head = head.replace(f"<{new}>".encode(), f"<{old}>".encode())
        answering.append(Mail(mail.file_name, head + empty + body))
    return tuple(answering)


def join_entries(
    earlier: EarlierRuns, fresh: Sequence[JournalEntry], part: frozenset[int]
) -> tuple[tuple[JournalEntry, ...], list[str]]:
    """Return the entries of all mails, those outside of the part as they are recorded.

    The second value is a warning if the cover letter has changed. Raises RefusedError if a patch
    that was sent has changed, or if the number of mails has.
    """
    if all(entry.state is MailState.WAITING for entry in earlier.entries):
        return tuple(fresh), []
    changed = "changes belong into the next version"
    joined: list[JournalEntry] = []
    warnings: list[str] = []
    for number, (old, new) in enumerate(zip(earlier.entries, fresh, strict=False)):
        is_same = old.content == new.content if old.content else old.digest == new.digest
        if number in part and old.state is not MailState.WAITING:
            is_same = (old.message_id, old.digest) == (new.message_id, new.digest)
        if old.state is MailState.WAITING:
            joined.append(new)
            continue
        if not is_same and (number or number in part):
            raise RefusedError(
                f'"{old.subject}" was sent, and has changed since ({new.file})',
                hint=f"restore the branch and the recipients to what was sent; {changed}",
            )
        if not is_same:
            warnings.append("the cover letter has changed since it was sent")
        joined.append(
            replace(new, state=old.state, time=old.time, reason=old.reason)
            if number in part
            else old
        )
    if len(earlier.entries) != len(fresh):
        raise RefusedError(
            f"the series had {len(earlier.entries) - 1} patches when sending began, and has "
            f"{len(fresh) - 1} now",
            hint=f"restore the branch to what was sent; {changed}",
        )
    return tuple(joined), warnings


def add_sent_cover(repository: Repository, tracking: Tracking, revision: int) -> Tracking:
    """Return the tracking with the cover letter of a version of which a part was sent."""
    entries, _ = Journal(repository, tracking.change_id, revision).read()
    sent = [entry.message_id for entry in entries[:1] if entry.state is MailState.SENT]
    return tracking.with_sent(revision, tuple(sent))
