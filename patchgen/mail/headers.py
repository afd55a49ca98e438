# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of mails that patchgen wrote itself, or that `read_mail` has accepted.

They are edited as bytes, so that the rest of a mail does not change.
"""

from __future__ import annotations

import email
import email.errors
import email.header
import email.policy
import email.utils
import re
from collections.abc import Sequence
from dataclasses import replace
from email.message import EmailMessage

from patchgen.addresses import AddressError, Person, is_word, parse_people
from patchgen.controls import escape_controls, has_controls
from patchgen.errors import RefusedError
from patchgen.mail.subjects import Subject, parse_subject
from patchgen.model.series import Mail, Recipients

_HEADER = rb"^(?:%s):.*\n(?:[ \t].*\n)*"


def parse_mail(mail: Mail) -> EmailMessage:
    """Return a mail's headers and parts. Check a stranger's mail with `read_mail` first."""
    return email.message_from_bytes(strip_from_line(mail.content), policy=email.policy.default)


def strip_from_line(content: bytes) -> bytes:
    """Return a mail without the line "From " that an mbox and git-format-patch(1) begin with."""
    return content.partition(b"\n")[2] if content.startswith(b"From ") else content


def read_header(message: EmailMessage, name: str) -> str:
    """Return a header, decoded; "" if it is missing or cannot be read."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:
        # The standard library parses a header on access, and may raise anything.
        return ""


def read_people(message: EmailMessage, name: str) -> tuple[str, ...]:
    """Return the people in an address header, each as "Name <address>" or a bare address.

    Raises RefusedError for a header that the standard library fails on.
    """
    try:
        pairs = email.utils.getaddresses([read_header(message, name)])
    except Exception:
        raise RefusedError(
            f"the {name} of <{read_message_id(message)}> cannot be read", code="mail-damaged"
        ) from None
    return tuple(str(Person(display_name, address)) for display_name, address in pairs if address)


def read_message_id(message: EmailMessage) -> str:
    """Return a mail's message-id without brackets, "" if it has none."""
    return read_header(message, "Message-ID").strip("<> ")


def read_subject(mail: Mail) -> Subject:
    """Return a mail's parsed subject."""
    return parse_subject(read_header(parse_mail(mail), "Subject"))


def address_headers(recipients: Recipients) -> str:
    """Return the headers To and Cc."""
    return _address_header("To", recipients.to) + _address_header("Cc", recipients.cc)


def add_headers(content: bytes, headers: str) -> bytes:
    """Insert headers after the Subject, which may be folded over several lines."""
    subject = re.search(rb"^Subject: .*\n(?:[ \t].*\n)*", content, re.MULTILINE)
    if subject is None:
        return content
    return content[: subject.end()] + headers.encode("ascii") + content[subject.end() :]


def _address_header(name: str, addresses: Sequence[str]) -> str:
    """Return a header with one address per line, as git writes it; "" without addresses."""
    if not addresses:
        return ""
    return f"{name}: " + ",\n    ".join(map(encode_address, addresses)) + "\n"


def encode_address(address: str) -> str:
    """Return an address in ASCII; a name with other characters is encoded (RFC 2047).

    A word without an @ is an alias of git send-email. Raises RefusedError if mail cannot be sent to
    the address.
    """
    try:
        people = parse_people(address, is_word)
        if len(people) != 1:
            raise AddressError(f"'{escape_controls(address)}' is not one address")
    except AddressError as err:
        raise RefusedError(
            f"a recipient or sender is invalid: {err}", code="address-invalid"
        ) from None
    name, mailbox = people[0].name, people[0].address
    if not name:
        return mailbox
    if name.isascii():
        return email.utils.formataddr((name, mailbox))
    return f"{email.header.Header(name, 'utf-8').encode(maxlinelen=0)} <{mailbox}>"


def check_headers(mail: Mail) -> Mail:
    """Return a mail that patchgen made, unchanged.

    Raises RefusedError if one of its headers has control characters, encoded or not: a subject or a
    name may come from a variant, a tree or a configuration.
    """
    message = email.message_from_bytes(mail.content.partition(b"\n\n")[0] + b"\n\n")
    for name, value in message.raw_items():
        raw = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        text = re.sub(r"\r?\n[ \t]", " ", raw)
        try:
            decoded = str(email.header.make_header(email.header.decode_header(text)))
        except (ValueError, LookupError, email.errors.HeaderParseError):
            decoded = text
        if has_controls(text) or has_controls(decoded):
            raise RefusedError(
                f"{name} of {mail.name} has control characters: {escape_controls(decoded)}",
                code="mail-damaged",
                hint="they come from a variant, a commit, a name in the tree, or a configuration",
            )
    return mail


def replace_recipients(mail: Mail, recipients: Recipients) -> Mail:
    """Return a mail with other people in To and Cc."""
    head, empty, body = mail.content.partition(b"\n\n")
    head = re.sub(_HEADER % b"to|cc", b"", head + b"\n", flags=re.MULTILINE | re.IGNORECASE)
    content = head.rstrip(b"\n") + empty + body
    return replace(mail, content=add_headers(content, address_headers(recipients)))


def replace_sender(mail: Mail, sender: str) -> Mail:
    """Return a mail from `sender`, unless that would hide the author.

    Any sender is possible if the mail is not a patch, or if the first line of its body names the
    author, "From: ...". Other mails are returned unchanged.
    """
    head, empty, body = mail.content.partition(b"\n\n")
    if re.search(rb"^diff --git ", body, re.MULTILINE) and not body.startswith(b"From: "):
        return mail
    line = f"From: {encode_address(sender)}\n".encode("ascii")
    head = re.sub(
        _HEADER % b"from", lambda _: line, head + b"\n", count=1, flags=re.MULTILINE | re.IGNORECASE
    )
    return replace(mail, content=head.rstrip(b"\n") + empty + body)
