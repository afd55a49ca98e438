# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the patch of a reply: by message-ids, else by the quoted change, else by subject.

A review of an older version must not be added to a patch with other code. So a subject is used only
if nothing contradicts it: no other version in its brackets, no unknown mail that it answers, no
other diff in the mailbox or in the quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.mail import ReadableMail, Subject, read_footer
from patchgen.odb.difftext import digest_changes, list_changes
from patchgen.replies.patches import COVER, OtherVersion, Patches
from patchgen.replies.reply import Reply

_UNKNOWN = "cannot tell which patch it is for"
# Which patches the numbers in a text mean depends on the version, which may be unknown.
_UNKNOWN_VERSION = OtherVersion("an unknown version", {}, {})


@dataclass(frozen=True, slots=True)
class Match:
    """The patch of a reply, and how it was found. `remark` reports contradicting facts.

    `version` is the version that the reply is about, None for the branch.
    """

    number: int
    matched_by: str
    remark: str = ""
    version: OtherVersion | None = None


@dataclass(frozen=True, slots=True)
class NoPatch:
    """Why a reply applies to no patch."""

    reason: str


class Matcher:
    """Finds the patches of replies, with what other mails in the mailbox reveal."""

    def __init__(self, patches: Patches, mails: Sequence[ReadableMail], replies: Sequence[Reply]):
        self.patches = patches
        self.replies = {reply.mail.message_id: reply for reply in replies if reply.mail.message_id}
        self.numbers = dict(patches.numbers_by_mail)
        self.versions = dict(patches.versions_by_mail)
        self.foreign_reasons = {
            message_id: f"it answers {name}, which this version does not have"
            for message_id, name in patches.dropped_by_mail.items()
        }
        candidates = [
            mail
            for mail in mails
            if mail.message_id
            and mail.message_id not in self.numbers
            and not mail.subject.is_reply
            and (mail.is_patch or mail.subject.number == 0)
        ]
        posted = [mail for mail in candidates if mail.is_patch]
        for mail in posted:
            number = self._identify(mail.body.everything)
            if number is not None:
                self.numbers[mail.message_id] = number
            else:
                self.foreign_reasons[mail.message_id] = (
                    f'it answers {mail.name}, "{_describe(mail.subject)}", which has other code'
                )
        self._add_covers([mail for mail in candidates if not mail.is_patch], posted)

    def _add_covers(self, letters: Sequence[ReadableMail], patches: Sequence[ReadableMail]) -> None:
        """Record cover letters: those in the mailbox, and those that its patches answer.

        A tag for a cover letter is for those patches of the branch that the thread has unchanged.
        """
        ids = {mail.message_id for mail in patches}
        threads: dict[str, list[ReadableMail]] = {mail.message_id: [] for mail in letters}
        for mail in patches:
            cover_ids = [answer for answer in mail.answers if answer not in ids]
            threads.setdefault((cover_ids or [mail.message_id])[0], []).append(mail)
        letters_by_id = {mail.message_id: mail for mail in letters}
        for message_id, posted in threads.items():
            letter = letters_by_id.get(message_id)
            if posted:
                version = self._compare(posted, (letter or posted[0]).subject)
                self.versions |= {mail.message_id: version for mail in posted}
            if message_id in self.numbers or message_id in self.foreign_reasons:
                continue
            if posted:
                self.versions[message_id] = version
            elif letter is not None and (reason := self._contradict(letter)):
                self.foreign_reasons[message_id] = reason
                continue
            self.numbers[message_id] = COVER

    def _compare(self, posted: Sequence[ReadableMail], subject: Subject) -> OtherVersion:
        """Return the version with the posted patches, compared with the branch.

        The `subject` of one of its mails names the version and the number of patches.
        """
        numbers = {mail.subject.number for mail in posted} - {None}
        return self.patches.compare(
            f"v{subject.revision or 1}",
            {mail.subject.number or 1: mail.subject for mail in posted},
            {
                mail.subject.number or 1: self.numbers[mail.message_id]
                for mail in posted
                if mail.message_id in self.numbers
            },
            is_complete=subject.total is not None and len(numbers) >= subject.total,
        )

    def _contradict(self, letter: ReadableMail) -> str:
        """Return why a cover letter without its patches does not belong to the series."""
        subject = letter.subject
        if self.patches.find_subject(subject) != COVER:
            return f'it answers "{_describe(subject)}", which is not of this series'
        for key, expected in (
            ("change-id", self.patches.change_id),
            ("base-commit", self.patches.base),
        ):
            stated = read_footer(letter.body.everything, key)
            if expected and stated not in ("", expected):
                return f'it answers "{_describe(subject)}", which has the {key} {stated}'
        return self._contradict_version(subject)

    def find(self, reply: Reply) -> Match | NoPatch:
        """Return the patch that a reply is about, or why it is unknown."""
        by_subject = self.patches.find_subject(reply.mail.subject)
        trail = self._follow(reply)
        if trail.answered is not None:
            number = self.numbers[trail.answered]
            remark = ""
            if by_subject is not None and by_subject != number:
                remark = f"its subject is that of patch {by_subject}"
            return Match(number, "message-id", remark, self.versions.get(trail.answered))
        quoted = self._identify(reply.quoted + "\n") if "diff --git " in reply.quoted else None
        if quoted is not None and not trail.foreign_reason:
            is_current = reply.mail.subject.revision == self.patches.revision
            return Match(quoted, "patch-id", version=None if is_current else _UNKNOWN_VERSION)
        reason = trail.foreign_reason or self._contradict_version(reply.mail.subject)
        if not reason and trail.unknown:
            reason = f"it answers <{trail.unknown}>, which is not a known mail of this series"
        if not reason and by_subject is not None:
            reason = self._contradict_code(reply, by_subject)
        if reason or by_subject is None:
            return NoPatch(reason or _UNKNOWN)
        return Match(by_subject, "subject")

    def _identify(self, text: str) -> int | None:
        """Return the number of the patch in a text with a diff, None if it is another patch."""
        return self.patches.numbers_by_digest.get(digest_changes(text))

    def _contradict_version(self, subject: Subject) -> str:
        """Return a reason if a subject names another version, "" otherwise."""
        expected = self.patches.revision
        if None in (subject.revision, expected) or subject.revision == expected:
            return ""
        return f"its subject names v{subject.revision}, not v{expected}"

    def _contradict_code(self, reply: Reply, number: int) -> str:
        """Return a reason if a reply quotes changes, or has a number, that a patch does not have.

        A quote may be trimmed, so only lines that the patch does not have contradict it.
        """
        changes = self.patches.changes.get(number)
        quoted = list_changes(reply.quoted.split("\n"))
        if changes is not None and not quoted <= changes:
            return f"it quotes changes that patch {number} does not have"
        subject = reply.mail.subject
        if subject.total == len(self.patches.numbers) and subject.number != number:
            return f"its subject has the number of patch {subject.number}, and the text of {number}"
        return ""

    def _follow(self, reply: Reply) -> _Trail:
        """Return the mail that a reply leads to, through other replies if necessary.

        Every thread leads to the cover letter in the end. If a mail in between is unknown, it may
        be a patch: then the reply is neither about the cover letter, nor about a patch of another
        version than its subject names.
        """
        seen: set[str] = set()
        pending = list(reply.mail.answers)
        unknown = ""
        while pending:
            message_id = pending.pop(0)
            if message_id in self.foreign_reasons:
                return _Trail(foreign_reason=self.foreign_reasons[message_id])
            if message_id in self.numbers:
                is_cover = self.numbers[message_id] == COVER
                if unknown and (is_cover or self._contradict_version(reply.mail.subject)):
                    break
                return _Trail(answered=message_id)
            if message_id in seen:
                continue
            seen.add(message_id)
            parent = self.replies.get(message_id)
            if parent is None:
                unknown = unknown or message_id
            elif parent.own_diff and self._identify(parent.own_diff) is None:
                return _Trail(
                    foreign_reason=f"it answers {parent.mail.name}, which has another diff"
                )
            else:
                pending = [*parent.mail.answers, *pending]
        return _Trail(unknown=unknown)


@dataclass(frozen=True, slots=True)
class _Trail:
    """The mail that a reply leads to: `answered` if it is about the series, or `unknown`.

    `foreign_reason` is set if it is about other code.
    """

    answered: str | None = None
    foreign_reason: str = ""
    unknown: str = ""


def _describe(subject: Subject) -> str:
    return " ".join(filter(None, (f"[{subject.label}]" if subject.label else "", subject.text)))
