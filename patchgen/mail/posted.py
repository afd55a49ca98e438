# SPDX-License-Identifier: GPL-2.0-or-later
"""Find a version of a series among mails, and check that it is complete.

It is complete if the patches marked "n/N" have all numbers from 1 to N, each once. The cover
letter, number 0, may be missing. Of several versions, as a folder has them after a reroll, the
newest is used; an older one never replaces an incomplete newest one. Mails that answer others must
be in one thread.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.errors import RefusedError
from patchgen.mail.authors import find_name_before_list
from patchgen.mail.reading import ReadableMail, UnreadableMail, split_readable
from patchgen.model.series import Mail
from patchgen.odb.difftext import Kind, classify_lines

# The maximum number of missing patches that a message lists.
_SHOWN = 20
# Message-ids that b4 makes: "20260301-change-id-v3-2-0123456789ab@example.org".
_B4_ID = re.compile(r"-v(\d{1,4})-\d{1,4}-[0-9a-f]+@")
# The heading of a list of changes.
_CHANGES = re.compile(r"^Changes in v(\d{1,4})\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostedSeries:
    """A version as it was posted. `cover` is None for a version without a cover letter.

    `patches` are in order. `revision` is 0 if the thread does not name a version; `versions` are
    those that the subjects of patches name, oldest first, with 0 for subjects without brackets.
    """

    revision: int
    cover: ReadableMail | None
    patches: tuple[ReadableMail, ...]
    versions: tuple[int, ...]

    @property
    def mails(self) -> tuple[Mail, ...]:
        """The mails of the patches, in order."""
        return tuple(patch.mail for patch in self.patches)

    @property
    def everything(self) -> tuple[ReadableMail, ...]:
        """The cover letter, unless it is None, and the patches."""
        return ((self.cover,) if self.cover else ()) + self.patches


def choose_series(mails: Sequence[Mail], name: str, revision: int | None = None) -> PostedSeries:
    """Return a version of the series in mails: `revision` if it is there, else the newest.

    `name` is where the mails were read from. Raises RefusedError if the version is not complete, if
    two mails claim the same number, or if the mails contain no patch.
    """
    readable, unreadable = split_readable(mails)
    unique = _drop_copies(name, [mail for mail in readable if not mail.subject.is_reply])
    versions = sorted({mail.subject.revision or 0 for mail in unique if mail.is_patch})
    if not versions:
        raise RefusedError(
            f"{name} has no mail with a diff{_list_unreadable(unreadable)}", code="no-patches"
        )
    chosen = revision if revision in versions else versions[-1]
    parts = [mail for mail in unique if (mail.subject.revision or 0) == chosen]
    covers = [mail for mail in parts if mail.subject.number == 0]
    if not covers and versions in ([0], [1]):
        covers = _find_letters(unique, parts)
    if len(covers) > 1:
        raise RefusedError(
            f"{name} has {len(covers)} cover letters of v{chosen}: "
            + " and ".join(cover.name for cover in covers),
            code="posted-inconsistent",
        )
    if revision is None:
        others = [mail for mail in unique if mail not in covers]
        _check_newer_covers(name, chosen, others, unreadable)
    patches = _order(name, chosen, parts, unreadable)
    _check_threads(name, (*covers, *patches))
    stated = (covers[0].subject.revision if covers else None) or chosen
    stated = stated or _find_stated_version(readable, (*covers, *patches))
    return PostedSeries(stated, covers[0] if covers else None, patches, tuple(versions))


def _check_newer_covers(
    name: str, chosen: int, mails: Sequence[ReadableMail], unreadable: Sequence[UnreadableMail]
) -> None:
    """Raise RefusedError if a newer version has only its cover letter."""
    for mail in mails:
        if mail.subject.number == 0 and (mail.subject.revision or 0) > chosen:
            raise RefusedError(
                f"{name} is incomplete: it has the cover letter of v{mail.subject.revision} "
                f"({mail.name}), and none of its patches{_list_unreadable(unreadable)}",
                code="posted-incomplete",
            )


def _find_letters(
    mails: Sequence[ReadableMail], patches: Sequence[ReadableMail]
) -> list[ReadableMail]:
    """Return the cover letters of patches that name no version.

    All patches answer it, and its subject has their number: a single patch may answer the cover
    letter of another series.
    """
    totals = {mail.subject.total for mail in patches if mail.is_patch}
    return [
        mail
        for mail in mails
        if mail.subject.number == 0
        and {mail.subject.total} == totals
        and all(mail.message_id in patch.answers for patch in patches)
    ]


def _find_stated_version(thread: Sequence[ReadableMail], posted: Sequence[ReadableMail]) -> int:
    """Return the version of a series whose subjects lost their brackets, 0 if it is not named.

    b4's message-ids name it, and so do the subjects of replies, and the newest list of changes. A
    statement is used only if no other statement of its kind contradicts it.
    """
    ids = {mail.message_id for mail in posted if mail.message_id}
    texts = {mail.subject.text for mail in posted}
    answers = [
        mail.subject.revision
        for mail in thread
        if mail.subject.revision
        and mail.subject.text in texts
        and (mail.subject.is_reply or ids.intersection(mail.answers))
    ]
    changes = [int(match[1]) for mail in posted for match in _CHANGES.finditer(mail.body.text)]
    for stated in (
        {int(match[1]) for message_id in ids if (match := _B4_ID.search(message_id))},
        set(answers),
        set(changes and [max(changes)]),
    ):
        if len(stated) == 1:
            return stated.pop()
    return 0


def _drop_copies(name: str, mails: Sequence[ReadableMail]) -> list[ReadableMail]:
    """Return mails without second copies from another list or a resend.

    Of two copies, the one that a list has changed less is returned. Raises RefusedError if two
    mails with one message-id differ in their patches.
    """
    unique: list[ReadableMail] = []
    by_id: dict[str, int] = {}
    for mail in mails:
        index = by_id.setdefault(mail.message_id, len(unique)) if mail.message_id else len(unique)
        if index == len(unique):
            unique.append(mail)
            continue
        first = unique[index]
        if not _are_copies(first, mail):
            raise RefusedError(
                f"{name} has two mails with the message-id {escape_controls(mail.message_id)}, "
                f"and they differ: {first.name} and {mail.name}",
                code="posted-inconsistent",
            )
        unique[index] = min(first, mail, key=_measure_changes_of_list)
    return unique


def _are_copies(one: ReadableMail, other: ReadableMail) -> bool:
    """Return whether mails are copies: lists add text above and below, and change nothing else."""
    if (one.subject.text, one.is_patch) != (other.subject.text, other.is_patch):
        return False
    if not one.is_patch:
        return True
    one_lines, other_lines = (
        [line.rstrip() for line in mail.body.everything.split("\n")] for mail in (one, other)
    )
    short, long = sorted(
        ("\n".join(lines).partition("\n--\n")[0].strip() for lines in (one_lines, other_lines)),
        key=len,
    )
    return short in long and _list_diff_lines(one_lines) == _list_diff_lines(other_lines)


def _list_diff_lines(lines: Sequence[str]) -> list[str]:
    return [line for kind, line in classify_lines(lines) if kind is not Kind.TEXT]


def _measure_changes_of_list(mail: ReadableMail) -> tuple[bool, int]:
    """Return whether a list has replaced From, and the length of the text."""
    name = mail.sender.name if mail.sender else ""
    is_rewritten = find_name_before_list(name) is not None or bool(mail.original_senders)
    return is_rewritten, len(mail.body.everything)


def _read_patch(mail: ReadableMail) -> tuple[str, str]:
    """Return the subject of a patch, and its text without the footer that a list may have added."""
    text = mail.body.everything.replace("\r\n", "\n").partition("\n-- \n")[0]
    return mail.subject.text, text.rstrip()


def _order(
    name: str,
    revision: int,
    parts: Sequence[ReadableMail],
    unreadable: Sequence[UnreadableMail],
) -> tuple[ReadableMail, ...]:
    """Return the patches of a version in order, each number once."""
    patches = [mail for mail in parts if mail.is_patch]
    damaged = [mail for mail in patches if mail.body.is_damaged]
    if damaged:
        raise RefusedError(
            f"{name}: {damaged[0].name}: {'; '.join(damaged[0].body.problems)}", code="mail-damaged"
        )
    numbered = [mail for mail in patches if mail.subject.number is not None]
    if not numbered and (letter := next((m for m in parts if m.subject.number == 0), None)):
        raise RefusedError(
            f"{name} has patches without numbers, such as {patches[0].name}, and a cover letter "
            f'marked "{letter.subject.label}": cannot tell whether the series is complete',
            code="posted-inconsistent",
        )
    if not numbered:
        if unreadable and len(patches) > 1:
            raise RefusedError(
                f"{name}: not all mails can be read{_list_unreadable(unreadable)}",
                code="mail-damaged",
            )
        return tuple(patches)
    if len(numbered) < len(patches):
        unnumbered = next(mail for mail in patches if mail.subject.number is None)
        raise RefusedError(
            f"{name} has a patch without a number among numbered ones: {unnumbered.name}",
            code="posted-inconsistent",
        )
    by_number: dict[int, ReadableMail] = {}
    for mail in numbered:
        number = mail.subject.number or 0
        first = by_number.setdefault(number, mail)
        # Two mails, not two copies of one mail: any difference may be a newer text.
        if _read_patch(first) != _read_patch(mail):
            raise RefusedError(
                f"{name} has two patches {mail.subject.label}, and they differ: "
                f"{first.name} and {mail.name}",
                code="posted-inconsistent",
            )
    _check_numbers(name, revision, parts, by_number, unreadable)
    return tuple(by_number[number] for number in sorted(by_number))


def _check_numbers(
    name: str,
    revision: int,
    parts: Sequence[ReadableMail],
    by_number: dict[int, ReadableMail],
    unreadable: Sequence[UnreadableMail],
) -> None:
    """Raise RefusedError if the numbers are not 1 to N."""
    letters = [mail for mail in parts if mail.subject.number == 0]
    counted = [*letters, *by_number.values()]
    totals = sorted({mail.subject.total for mail in counted if mail.subject.total is not None})
    if len(totals) > 1:
        raise RefusedError(
            f"{name}: the mails of v{revision} do not agree on how many patches there are: "
            + " or ".join(map(str, totals)),
            code="posted-inconsistent",
        )
    total = totals[0]
    surplus = [number for number in by_number if number > total]
    if surplus:
        raise RefusedError(
            f"{name} has a patch {by_number[surplus[0]].subject.label}", code="posted-inconsistent"
        )
    # A subject may claim any total.
    absent = (number for number in range(1, total + 1) if number not in by_number)
    missing = list(itertools.islice(absent, _SHOWN + 1))
    if missing:
        numbers = ", ".join(map(str, missing[:_SHOWN]))
        numbers += ", ..." if len(missing) > _SHOWN else ""
        empty = [mail.name for mail in parts if mail.subject.number in missing]
        remark = f" ({empty[0]} has no diff that can be read)" if empty else ""
        raise RefusedError(
            f"{name} is incomplete: of {count(total, 'patch')} of v{revision}, these are missing: "
            + f"{numbers}{remark}"
            + _list_unreadable(unreadable),
            code="posted-incomplete",
        )


def _check_threads(name: str, mails: Sequence[ReadableMail]) -> None:
    """Raise RefusedError if the mails of a version are in two threads, and so of two series.

    A mail without In-Reply-To may belong to any: some people send each patch as its own thread.
    """
    threads: list[tuple[ReadableMail, set[str]]] = []
    for mail in mails:
        if not mail.answers:
            continue
        ids = {mail.message_id, *mail.answers} - {""}
        joined = [thread for thread in threads if thread[1] & ids]
        ids.update(*(thread_ids for _, thread_ids in joined))
        first = joined[0][0] if joined else mail
        threads = [thread for thread in threads if thread not in joined]
        threads.append((first, ids))
    if len(threads) > 1:
        one, other = threads[0][0], threads[1][0]
        raise RefusedError(
            f"{name} has mails of two threads: {one.name} answers "
            f"<{escape_controls(one.answers[0])}>, and {other.name} answers "
            f"<{escape_controls(other.answers[0])}>",
            code="posted-inconsistent",
        )


def _list_unreadable(mails: Sequence[UnreadableMail]) -> str:
    return "".join(f"\n  {mail}" for mail in mails)
