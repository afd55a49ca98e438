"""A series as mails: `git format-patch` writes them, the recipients are put into their headers."""

from __future__ import annotations

import email.header
import email.utils
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from patchgen.model.series import Identity, Mail, Recipients, Series
from patchgen.odb import Quarantine


def format_mails(quarantine: Quarantine, series: Series, sender: Identity) -> list[Mail]:
    """Return the cover letter and the patches, in order, as format-patch writes them.

    The cover's text is handed over as the branch's description, so that git itself encodes its
    subject. The user's format.* configuration takes no part: the same series gives the same bytes.
    """
    ref = quarantine.name_branch(series.branch, series.tip)
    description = f"{series.cover_subject}\n\n{series.cover_body}"
    who = {
        "GIT_COMMITTER_NAME": sender.name,
        "GIT_COMMITTER_EMAIL": sender.email,
        "GIT_COMMITTER_DATE": sender.date,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"branch.{series.branch}.description",
        "GIT_CONFIG_VALUE_0": description,
    }
    with tempfile.TemporaryDirectory(prefix="patchgen-mails-") as folder:
        quarantine.run(
            "format-patch",
            "--quiet",
            "--cover-letter",
            "--cover-from-description=subject",
            f"--reroll-count={series.revision}",
            f"--base={series.base.oid}",
            f"--output-directory={folder}",
            f"{series.base.oid}..{ref}",
            env=who,
        )
        return [Mail(path.name, path.read_bytes()) for path in sorted(Path(folder).iterdir())]


def address_mails(mails: Sequence[Mail], recipients: Mapping[str, Recipients]) -> list[Mail]:
    """Return the mails with To and Cc; `recipients` are by the mails' file names."""
    return [
        Mail(mail.file_name, _add_headers(mail.content, recipients[mail.file_name]))
        if mail.file_name in recipients
        else mail
        for mail in mails
    ]


def _add_headers(content: bytes, recipients: Recipients) -> bytes:
    """Put To and Cc behind the Subject, which may be folded over several lines."""
    subject = re.search(rb"^Subject: .*\n(?:[ \t].*\n)*", content, re.MULTILINE)
    if subject is None:
        return content
    headers = _address_header("To", recipients.to) + _address_header("Cc", recipients.cc)
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
