# SPDX-License-Identifier: GPL-2.0-or-later
"""The only reader of strangers' mails: a mail is readable, or unreadable for a stated reason.

Python's email package raises some ten kinds of exceptions on mails found in archives
(AttributeError, IndexError, LookupError, RecursionError, UnicodeError, ...), and its newer policies
parse each header into a tree, in quadratic time. So this module uses it only for raw headers and
parts, catches everything that it raises, and parses the few headers that matter itself.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message

from patchgen.addresses import AddressError, Person, parse_person
from patchgen.controls import escape_controls
from patchgen.mail.bodies import MailText, read_body
from patchgen.mail.decoding import decode_bytes, decode_words
from patchgen.mail.headers import strip_from_line
from patchgen.mail.subjects import Subject, parse_subject
from patchgen.model.series import Mail

# In bytes. Mail servers accept 10 to 50 MB; the References of a thread of 500 mails have 50 KB.
_MAIL_LIMIT = 25 << 20
_HEADERS_LIMIT = 1 << 20
_HEADER_LIMIT = 64 << 10
_SHORT_HEADER_LIMIT = 4 << 10
# Python's parser compares each line with the boundary of each level: levels times lines.
_PARTS_LIMIT = 10_000_000
_HEADER = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_USUAL_HEADER = re.compile(
    rb"^(?:from|subject|date|to|message-id|received|return-path|in-reply-to)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
# Where a colon in a From does not end the name of a group.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|\([^()]*\)')
_ID = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class ReadableMail:
    """A mail that could be read.

    `sender` is None if it has no From. `message_id` and `answers` are without brackets; `answers`
    are the mails that it may answer, the most likely one first. `original_senders` are the
    addresses in Reply-To and X-Original-From, in lower case: a mailing list may have replaced From.
    """

    mail: Mail
    subject: Subject
    sender: Person | None
    message_id: str
    answers: tuple[str, ...]
    body: MailText
    original_senders: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its file, or its place in a file with several mails."""
        return self.mail.name

    @property
    def is_patch(self) -> bool:
        """Whether it is a patch: it has a diff, and is neither a reply nor a cover letter."""
        return not self.subject.is_reply and self.subject.number != 0 and self.body.has_diff


@dataclass(frozen=True, slots=True)
class UnreadableMail:
    """A mail that could not be read, and why: a clause about "it"."""

    mail: Mail
    reason: str

    @property
    def name(self) -> str:
        """The name of its file, or its place in a file with several mails."""
        return self.mail.name

    def __str__(self) -> str:
        return f"{self.name} cannot be read: {self.reason}"


def read_mail(mail: Mail) -> ReadableMail | UnreadableMail:
    """Read a mail. Never raises an error."""
    try:
        return _read(mail)
    except _UnreadableError as err:
        return UnreadableMail(mail, str(err))
    except RecursionError:
        return UnreadableMail(mail, "its parts are nested too deeply")
    except Exception as err:
        # Any error: one odd mail must not stop the others.
        return UnreadableMail(mail, f"Python's email package fails on it ({type(err).__name__})")


def split_readable(
    mails: Sequence[Mail],
) -> tuple[list[ReadableMail], list[UnreadableMail]]:
    """Return the readable and the unreadable mails, each in order."""
    results = [read_mail(mail) for mail in mails]
    return (
        [mail for mail in results if isinstance(mail, ReadableMail)],
        [mail for mail in results if isinstance(mail, UnreadableMail)],
    )


def looks_like_mail(content: bytes) -> bool:
    """Return whether bytes begin with mail headers, however odd these are."""
    head = content[:_HEADERS_LIMIT].partition(b"\n\n")[0]
    first = head.lstrip(b"\n").partition(b"\n")[0]
    return bool(_HEADER.match(first) and _USUAL_HEADER.search(head))


class _UnreadableError(Exception):
    """The reason why a mail cannot be read."""


def _read(mail: Mail) -> ReadableMail:
    content = strip_from_line(mail.content.lstrip(b"\n"))
    if len(content) > _MAIL_LIMIT:
        raise _UnreadableError(f"it is larger than {_MAIL_LIMIT >> 20} MiB")
    if not looks_like_mail(content):
        raise _UnreadableError("it has no mail headers")
    if len(content.partition(b"\n\n")[0]) > _HEADERS_LIMIT:
        raise _UnreadableError(f"its headers are larger than {_HEADERS_LIMIT >> 20} MiB")
    if content.count(b"boundary=") * content.count(b"\n") > _PARTS_LIMIT:
        raise _UnreadableError("it has too many parts")
    message = parse_raw(content)
    ids = _ID.findall(_header(message, "Message-ID"))
    direct = _ID.findall(_header(message, "In-Reply-To"))
    references = _ID.findall(_header(message, "References"))
    return ReadableMail(
        mail=mail,
        subject=parse_subject(decode_words(_header(message, "Subject", _SHORT_HEADER_LIMIT))),
        sender=_read_sender(message),
        message_id=ids[0] if ids else _header(message, "Message-ID").strip("<> "),
        answers=tuple(dict.fromkeys([*direct, *reversed(references)])),
        body=read_body(message),
        original_senders=_read_originals(message),
    )


def _read_sender(message: Message) -> Person | None:
    if len(message.get_all("From", [])) > 1:
        raise _UnreadableError("it has several From headers")
    text = _header(message, "From", _SHORT_HEADER_LIMIT)
    if not text:
        return None
    sender = parse_sender(text)
    if sender is None:
        shown = text if len(text) <= 80 else f"{text[:80]}..."
        raise _UnreadableError(f"its From does not name one address: {escape_controls(shown)}")
    return sender


def _read_originals(message: Message) -> tuple[str, ...]:
    """Return the addresses that headers name besides From, without those that cannot be read."""
    addresses = []
    for name in ("Reply-To", "X-Original-From", "X-Original-Sender"):
        text = read_raw_header(message, name)
        person = parse_sender(text) if 0 < len(text) <= 1000 else None
        if person is not None:
            addresses.append(person.address.lower())
    return tuple(dict.fromkeys(addresses))


def parse_sender(text: str) -> Person | None:
    """Return the one person that a From names, None if it names none, several, or a group.

    `text` is the original header, unfolded, with its encoded words: whatever these decode to, it
    is not part of the structure of an address (RFC 2047, 5).
    """
    try:
        person = parse_person(text)
    except AddressError:
        return None
    # The name of a group can be anything: "Content-Type: x <bea@example.org>".
    if ":" in _QUOTED.sub("", text):
        return None
    return replace(person, name=" ".join(decode_words(person.name).split()))


def parse_raw(content: bytes) -> Message:
    """Parse a mail for `read_raw_header`: each character of its headers and parts is a byte.

    So no byte is lost; from bytes, the package would put U+FFFD for bytes that it cannot decode.
    """
    return email.message_from_string(content.decode("latin-1"), policy=email.policy.compat32)


def read_raw_header(message: Message, name: str) -> str:
    """Return a header on one line, with encoded words left as they are; "" if it is missing."""
    return " ".join(decode_bytes(str(message.get(name, "")).encode("latin-1"), "").split())


def _header(message: Message, name: str, limit: int = _HEADER_LIMIT) -> str:
    """Return what `read_raw_header` returns, unless the header exceeds a limit."""
    if len(str(message.get(name, ""))) > limit:
        raise _UnreadableError(f"its {name} has more than {limit >> 10} KiB")
    return read_raw_header(message, name)
