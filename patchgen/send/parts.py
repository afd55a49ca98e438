# SPDX-License-Identifier: GPL-2.0-or-later
"""Send a version in parts: choose the mails of a part, and continue the thread of earlier parts.

A campaign is sent over weeks. Meanwhile the user adds tags to patches that were sent, and edits
others, which changes message-ids. So a later part answers the cover letter that was sent, and a
patch that was sent may differ from the branch in its trailers and notes only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from patchgen.counting import count
from patchgen.errors import RefusedError, UsageError
from patchgen.mail import parse_mail, read_message_id
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.pipeline.journal import Journal, JournalEntry, MailState, SendOptions
from patchgen.series import Tracking

_RANGE = re.compile(r"(?P<first>\d+)(?:-(?P<last>\d+))?")
_COVER = "cover"


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """The journal of a version: the entries of all mails, and the options of the last run.

    Both are empty if sending has not begun.
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
        """Whether mails of the last run remain to be sent."""
        return not self.part <= self.sent

    @property
    def is_interrupted(self) -> bool:
        """Whether the last run sent, or may have sent, some but not all of its mails."""
        states = {self.entries[number].state for number in self.part}
        return self.is_open and states != {MailState.WAITING}


def choose_part(
    only: str, names: Mapping[str, Sequence[int]], count: int, listed: str = ""
) -> frozenset[int]:
    """Return the numbers of the mails that "1,3-5,NAME" selects; 0 and "cover" are the letter.

    `names` are the patches' names, each with their numbers, and `listed` is the list of them for a
    person. `count` is the number of mails. Raises UsageError for an unknown number or name.
    """
    chosen: set[int] = set()
    for item in filter(None, (item.strip() for item in only.split(","))):
        match = _RANGE.fullmatch(item)
        if match is not None:
            first, last = int(match["first"]), int(match["last"] or match["first"])
            if not first <= last < count:
                raise UsageError(
                    f"the mails have the numbers 0 to {count - 1}, not {item}",
                    code="mail-number",
                    parameters=("only",),
                )
            chosen.update(range(first, last + 1))
        elif item == _COVER:
            chosen.add(0)
        elif item in names:
            chosen.update(names[item])
        else:
            raise UsageError(
                f"the series has no patch {item!r}" + (f"; it has:{listed}" if listed else ""),
                code="mail-number",
                hint=None if listed else "name numbers of mails",
                parameters=("only",),
            )
    if not chosen:
        raise UsageError("no mail is selected", code="mail-number", parameters=("only",))
    return frozenset(chosen)


def begin_part(earlier: EarlierRuns, chosen: frozenset[int] | None, count: int) -> frozenset[int]:
    """Return the numbers of the mails to send now: the chosen ones, or all that were not sent.

    The first part includes the cover letter. Raises UsageError for a mail that was sent.
    """
    if chosen is None:
        return frozenset(range(count)) - earlier.sent
    for number in sorted(chosen & earlier.sent):
        day = time.strftime("%Y-%m-%d", time.localtime(earlier.entries[number].time))
        raise UsageError(
            f'mail {number}, "{earlier.entries[number].subject}", was sent on {day}',
            code="already-sent",
            hint="select others, or omit the selection to send all others",
            parameters=("only",),
        )
    return chosen | ({0} - earlier.sent)


def answer_sent_cover(mails: Sequence[Mail], earlier: EarlierRuns) -> tuple[Mail, ...]:
    """Return the mails as answers to the cover letter that was sent, if it was."""
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
    """Return the entries of all mails, with those of sent mails from the journal.

    The second value is a warning if the cover letter has changed. Raises RefusedError if a patch
    that was sent has changed, or if the number of mails has.
    """
    if all(entry.state is MailState.WAITING for entry in earlier.entries):
        return tuple(fresh), []
    advice = "changes belong in the next version"
    joined: list[JournalEntry] = []
    warnings: list[str] = []
    for number, (old, new) in enumerate(zip(earlier.entries, fresh, strict=False)):
        if old.state is MailState.WAITING:
            joined.append(new)
            continue
        is_in_part = number in part
        if not _is_same(old, new, is_whole=is_in_part):
            if number or is_in_part:
                raise RefusedError(
                    f'"{old.subject}" was sent, and has changed since ({new.file})',
                    code="series-changed",
                    hint="restore the branch and the recipients as they were when sending began; "
                    f"{advice}",
                )
            warnings.append("the cover letter has changed since it was sent")
        resumed = replace(new, state=old.state, time=old.time, reason=old.reason)
        joined.append(resumed if is_in_part else old)
    if len(earlier.entries) != len(fresh):
        patches = count(len(earlier.entries) - 1, "patch")
        raise RefusedError(
            f"the series had {patches} when sending began, and has {len(fresh) - 1} now",
            code="series-changed",
            hint=f"restore the branch as it was when sending began; {advice}",
        )
    return tuple(joined), warnings


def _is_same(old: JournalEntry, new: JournalEntry, *, is_whole: bool) -> bool:
    """Return whether a mail is unchanged: its patch, or all of it."""
    # Journals from before 0.2 have only a digest of the whole mail.
    if is_whole or not old.content:
        return old.digest == new.digest
    return old.content == new.content


def add_sent_cover(repository: Repository, tracking: Tracking, revision: int) -> Tracking:
    """Return the tracking with the message-id of a version's cover letter, if it was sent."""
    entries, _ = Journal(repository, tracking.change_id, revision).read()
    sent = [entry.message_id for entry in entries[:1] if entry.state is MailState.SENT]
    return tracking.with_sent(revision, tuple(sent))
