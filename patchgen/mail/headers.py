"""Headers put into a mail as bytes, so that the rest of it stays as it is."""

from __future__ import annotations

import email.header
import email.utils
import re
from collections.abc import Sequence

from patchgen.model.series import Mail, Recipients

_HEADER = rb"^(?:%s):.*\n(?:[ \t].*\n)*"


def address_headers(recipients: Recipients) -> str:
    """Return the headers To and Cc."""
    return _address_header("To", recipients.to) + _address_header("Cc", recipients.cc)


def add_headers(content: bytes, headers: str) -> bytes:
    """Put headers behind the Subject, which may be folded over several lines."""
    subject = re.search(rb"^Subject: .*\n(?:[ \t].*\n)*", content, re.MULTILINE)
    if subject is None:
        return content
    return content[: subject.end()] + headers.encode("ascii") + content[subject.end() :]


def _address_header(name: str, addresses: Sequence[str]) -> str:
    """Return a header with one address a line, as git writes it; "" without addresses."""
    if not addresses:
        return ""
    return f"{name}: " + ",\n    ".join(map(_encode_address, addresses)) + "\n"


def _encode_address(address: str) -> str:
    """Return an address in ASCII: a name with other characters is encoded (RFC 2047)."""
    name, mailbox = email.utils.parseaddr(address)
    if not mailbox:
        mailbox = address
    if not name:
        return mailbox
    if name.isascii():
        return email.utils.formataddr((name, mailbox))
    return f"{email.header.Header(name, 'utf-8').encode(maxlinelen=0)} <{mailbox}>"


def replace_recipients(mail: Mail, recipients: Recipients) -> Mail:
    """Return a mail with other people in To and Cc."""
    head, empty, body = mail.content.partition(b"\n\n")
    head = re.sub(_HEADER % b"to|cc", b"", head + b"\n", flags=re.MULTILINE | re.IGNORECASE)
    content = head.rstrip(b"\n") + empty + body
    return Mail(mail.file_name, add_headers(content, address_headers(recipients)))
