# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of mails that patchgen wrote itself, or that `read_mail` has accepted."""

from __future__ import annotations

import email
import email.policy
import email.utils
from email.message import EmailMessage

from patchgen.errors import RefusedError
from patchgen.mail.headers import format_person
from patchgen.mail.subjects import Subject, parse_subject
from patchgen.model.series import Mail


def parse_mail(mail: Mail) -> EmailMessage:
    """Return a mail's headers and parts. Check a stranger's mail with `read_mail` first."""
    content = mail.content
    if content.startswith(b"From "):
        content = content.partition(b"\n")[2]
    return email.message_from_bytes(content, policy=email.policy.default)


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
        raise RefusedError(f"the {name} of <{read_message_id(message)}> cannot be read") from None
    return tuple(format_person(who, address) for who, address in pairs if address)


def read_message_id(message: EmailMessage) -> str:
    """Return a mail's message-id without brackets, "" if it has none."""
    return read_header(message, "Message-ID").strip("<> ")


def read_subject(mail: Mail) -> Subject:
    """Return a mail's parsed subject."""
    return parse_subject(read_header(parse_mail(mail), "Subject"))
