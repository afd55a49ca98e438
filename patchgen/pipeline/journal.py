# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails of a version that were sent, recorded before and after each mail.

Format 1: `patchgen/send/CHANGE-ID-vN.json` in the repository's own folder,

    {"format": 1, "wishes": {"to", "cc", "cover_cc", "in_reply_to", "get_maintainer", "only"},
     "mails": [{"file", "message_id", "subject", "digest", "state", "time", "reason",
                "to", "cc", "content", "change"}]}

where "wishes" are the options of the command line, so that all mails are sent in the same way;
get_maintainer is the path of a program or null, and "only" lists the numbers of the mails of the
last run, [] for all. State is "waiting", "sending", "sent" or "unknown", time is in seconds since
1970, digest is the sha256 of the mail, content that of its patch without trailers and notes, change
that of the lines that the patch adds and removes, and to and cc are its recipients. Journals from
before 0.2 do not have get_maintainer, only, to, cc, content and change.

The file is written to a new name, synced, and renamed. Next to it are the outcome of the mail in
flight (send/send_one.py) and a lock file. Only a process that holds the lock sends; the process of
a mail that outlives a killed patchgen holds it, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from patchgen.errors import RefusedError, SpecError
from patchgen.mail import (
    UnreadableMail,
    list_recipients,
    parse_mail,
    read_mail,
    read_message_id,
    read_subject,
)
from patchgen.model.series import Mail
from patchgen.odb import Repository
from patchgen.odb.difftext import Kind, classify_lines
from patchgen.series import parse_message
from patchgen.sourcefolder import read_regular

_FORMAT = 1
# Errors from reading a file that this module did not write.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SpecError)


class MailState(StrEnum):
    """The state of a mail."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A mail of a version."""

    file: str
    message_id: str
    subject: str
    digest: str
    state: MailState = MailState.WAITING
    time: float = 0.0
    reason: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    content: str = ""
    change: str = ""


def build_unknown_error(
    name: str, number: int, entry: JournalEntry, more: str = ""
) -> RefusedError:
    """Return the error that asks the user whether a mail in an unknown state arrived.

    `name` is that of the branch or folder. `more` is appended to the reason.
    """
    arrived, again = (format_resume(name, f"--{answer}", number) for answer in ("arrived", "again"))
    return RefusedError(
        f"mail {number} may have arrived, or not: {entry.reason}{more}",
        code="mail-state-unknown",
        hint=f"look for {entry.message_id} in the list's archive, then run {arrived} or {again}",
    )


def format_resume(name: str, *args: str | int) -> str:
    """Return the command, in backquotes, that resumes sending a branch or folder."""
    return f"`{shlex.join(['patchgen', 'send', name, '--resume', *map(str, args)])}`"


@dataclass(frozen=True, slots=True)
class SendOptions:
    """The options of the command line, in addition to the branch and git's settings.

    `only` are the numbers of the mails to send, () for all.
    """

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    in_reply_to: str | None = None
    get_maintainer: str | None = None
    only: tuple[int, ...] = ()


class Journal:
    """The journal of one version; `options` are written into it."""

    def __init__(self, repository: Repository, change_id: str, revision: int):
        if not re.fullmatch(r"[\w+][\w.+-]*", change_id):
            raise RefusedError(
                f"{change_id!r} is not a change-id",
                code="id-invalid",
                hint="use one that b4 or patchgen made",
            )
        folder = repository.git_dir / "patchgen" / "send"
        self._path = folder / f"{change_id}-v{revision}.json"
        self.options = SendOptions()
        self.outcome = self._path.with_suffix(".outcome")

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Yield an open file that is locked while the block runs.

        Raises RefusedError if another patchgen, or a mail that it started, holds the lock.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RefusedError(
                    "another patchgen is sending this version right now",
                    code="send-running",
                    hint="wait until it has ended; `patchgen send --resume` sends the other mails",
                ) from None
            yield file.fileno()

    def read(self) -> tuple[tuple[JournalEntry, ...], SendOptions]:
        """Return the mails (() if sending has not begun) and the options.

        Raises RefusedError for a journal that cannot be read.
        """
        try:
            document = json.loads(read_regular(self._path))
            entries = tuple(map(_parse_entry, document["mails"]))
            if document["format"] != _FORMAT or not entries:
                raise ValueError(f"it has format {document['format']} and {len(entries)} mails")
            stored = document["wishes"]
            to, cc, cover_cc = (tuple(stored[key]) for key in ("to", "cc", "cover_cc"))
            options = SendOptions(
                to,
                cc,
                cover_cc,
                stored["in_reply_to"],
                stored.get("get_maintainer"),
                tuple(map(int, stored.get("only", ()))),
            )
            return entries, options
        except FileNotFoundError:
            return (), SendOptions()
        except _UNREADABLE as err:
            raise RefusedError(
                f"{self._path} cannot be read: {err!r}",
                code="state-damaged",
                hint="it records which mails were sent; look in the list's archive before you "
                "remove it",
            ) from None

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Replace the journal."""
        document = {
            "format": _FORMAT,
            "wishes": asdict(self.options),
            "mails": [asdict(entry) for entry in entries],
        }
        new_path = self._path.with_suffix(".new")
        with new_path.open("w") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new_path.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def list_begun(repository: Repository, change_id: str) -> list[int]:
    """Return the versions of a series of which sending has begun, oldest first.

    Raises RefusedError for a journal that cannot be read.
    """
    folder = repository.git_dir / "patchgen" / "send"
    matches = (
        re.fullmatch(re.escape(change_id) + r"-v(\d+)\.json", path.name)
        for path in (folder.iterdir() if folder.is_dir() else ())
    )
    revisions = sorted(int(match[1]) for match in matches if match)
    return [
        revision
        for revision in revisions
        if any(
            entry.state is not MailState.WAITING
            for entry in Journal(repository, change_id, revision).read()[0]
        )
    ]


def _parse_entry(entry: dict[str, Any]) -> JournalEntry:
    people = {key: tuple(entry.get(key, ())) for key in ("to", "cc")}
    return JournalEntry(**{**entry, **people, "state": MailState(entry["state"])})


def begin_entries(mails: Sequence[Mail]) -> tuple[JournalEntry, ...]:
    """Return the entries of mails of which none has been sent."""
    return tuple(map(_begin_entry, mails))


def _begin_entry(mail: Mail) -> JournalEntry:
    recipients = list_recipients(mail)
    content, change = _digest_patch(mail)
    return JournalEntry(
        file=mail.file_name,
        message_id=read_message_id(parse_mail(mail)),
        subject=read_subject(mail).text,
        digest=hashlib.sha256(mail.content).hexdigest(),
        to=recipients.to,
        cc=recipients.cc,
        content=content,
        change=change,
    )


def _digest_patch(mail: Mail) -> tuple[str, str]:
    """Return digests of a patch's subject, text and change, and of its change alone.

    Both are "" if the mail cannot be read.
    """
    readable = read_mail(mail)
    if isinstance(readable, UnreadableMail):
        return "", ""
    body = readable.body.everything
    above, _, _ = body.partition("\n---\n")
    text = parse_message(f"{readable.subject.text}\n\n{above}").text
    # Line numbers and blob ids depend on earlier patches.
    changes = [
        line
        for kind, line in classify_lines(body.split("\n"))
        if line.startswith(("+", "-", "diff --git ")) and kind is not Kind.TEXT
    ]
    return _digest([text, *changes]), _digest(changes)


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def set_state(entry: JournalEntry, state: MailState, reason: str = "") -> JournalEntry:
    """Return an entry with another state, as of now."""
    return replace(entry, state=state, time=round(time.time(), 3), reason=reason)
