# SPDX-License-Identifier: GPL-2.0-or-later
"""The author and the date of a posted patch, where a list or a relay has changed its mail.

Lists that enforce DMARC put their own address into From. They name the person in X-Original-From
(Google Groups, b4's relay) or Reply-To (Mailman), and mark the name: "Bea via linux-foo". `git am`
would make the list the author, unless the body begins with "From: ", which it reads first. It also
refuses some dates of RFC 5322, 4.3 ("20 Aug 21 09:00 EDT"), and dates a patch without one today.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message

from patchgen.addresses import AddressError, Person, parse_people
from patchgen.controls import escape_controls
from patchgen.errors import RefusedError
from patchgen.mail.headers import strip_from_line
from patchgen.mail.reading import ReadableMail, parse_raw, parse_sender, read_raw_header
from patchgen.model.series import Mail

_VIA = re.compile(
    r"""['"]?(?P<name>.*?)['"]?\s+\(?(?:via|through)\s+\S.*""", re.IGNORECASE | re.DOTALL
)
# The local part that b4's relay makes of an address.
_RELAYED = "devnull+"
_IN_BODY_FROM = re.compile(r"\s*From: *\S")
_SIGNED_OFF = re.compile(r"^Signed-off-by:\s*(.+)$", re.MULTILINE | re.IGNORECASE)


def restore_author(mail: ReadableMail) -> tuple[Mail, Person | None]:
    """Return a patch for `git am`, with the author's own From and the date of sending; the sender.

    Other headers and the body are unchanged. Raises RefusedError if From names a list and the
    author is not named, or if the date cannot be read.
    """
    content = strip_from_line(mail.mail.content.lstrip(b"\n"))
    head, empty, body = content.partition(b"\n\n")
    message = parse_raw(head)
    sender = _find_person(mail, message)
    if sender != mail.sender and sender is not None:
        head = _replace(head, "From", email.utils.formataddr((sender.name, sender.address)))
    if date := _find_date(mail, message):
        head = _replace(head, "Date", date)
    return replace(mail.mail, content=head + empty + body), sender


def find_name_before_list(name: str) -> str | None:
    """Return the person's name if a list has added its own, None otherwise.

    Lists write "Bea via linux-foo", "'Bea' via linux-foo" and "Bea (via linux-foo)".
    """
    match = _VIA.fullmatch(name)
    return match["name"] if match else None


def _find_person(mail: ReadableMail, message: Message) -> Person | None:
    """Return the person who sent a mail, None if it has no From."""
    sender = mail.sender
    if sender is None:
        return None
    name_before_list = find_name_before_list(sender.name)
    original = parse_sender(read_raw_header(message, "X-Original-From"))
    is_rewritten = name_before_list is not None or sender.address.startswith(_RELAYED)
    if not is_rewritten and original is None:
        return sender
    name = sender.name if name_before_list is None else name_before_list
    for person in filter(None, (original, *_find_candidates(mail, message, name))):
        if person.address.lower() != sender.address.lower():
            return person if person.name else Person(name, person.address)
    if is_rewritten and not _IN_BODY_FROM.match(mail.body.text):
        raise RefusedError(
            f"{mail.name} does not name its author: a list has replaced its From by {sender}",
            code="author-unknown",
            hint='begin its body with a line "From: NAME <ADDRESS>" and an empty line',
        )
    return sender


def _find_candidates(mail: ReadableMail, message: Message, name: str) -> Iterator[Person]:
    """Yield the persons whom a list may have replaced, the most likely one first.

    A Reply-To may have the list, too, and a Signed-off-by may be another person's.
    """
    listed = _read_people(message, "To") + _read_people(message, "Cc")
    lists = {person.address.lower() for person in listed}
    repliers = _read_people(message, "Reply-To")
    people = [person for person in repliers if person.address.lower() not in lists] or repliers
    if len(people) == 1:
        yield from people
    signers = (parse_sender(line) for line in _SIGNED_OFF.findall(mail.body.text))
    yield from (person for person in (*repliers, *signers) if person and person.name == name)


def _find_date(mail: ReadableMail, message: Message) -> str:
    """Return the date of a mail for git, "SECONDS ZONE"; "" if it has none.

    Without a Date that can be read it is that of the first server.
    """
    received = reversed([str(value) for value in message.get_all("Received", [])])
    stated = read_raw_header(message, "Date")
    for text in (stated, *(value.rpartition(";")[2] for value in received)):
        if date := _parse_date(" ".join(text.split())):
            return date
    if stated:
        raise RefusedError(
            f"the Date of {mail.name} is not a date: {escape_controls(stated[:80])}",
            code="mail-damaged",
            hint="correct it, as in: Date: Fri, 20 Aug 2021 09:00:00 +0200",
        )
    return ""


def _parse_date(text: str) -> str:
    try:
        fields = email.utils.parsedate_tz(text)
        seconds = email.utils.mktime_tz(fields) if fields else -1
    except (ValueError, OverflowError, TypeError):
        return ""
    # git has no dates before 1970.
    if fields is None or seconds < 0:
        return ""
    minutes = (fields[9] or 0) // 60
    return f"{seconds} {'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _replace(head: bytes, name: str, value: str) -> bytes:
    """Return headers with one header in place of all with its name."""
    replaced = rb"^" + name.encode() + rb"[ \t]*:.*\n?(?:[ \t].*\n?)*"
    others = re.sub(replaced, b"", head + b"\n", flags=re.MULTILINE | re.IGNORECASE)
    return others + f"{name}: {value}".encode()


def _read_people(message: Message, name: str) -> list[Person]:
    text = read_raw_header(message, name)
    try:
        return parse_people(text) if text else []
    except AddressError:
        return []
