"""Mails that came from elsewhere: an mbox, a maildir, a folder of files, one file, bytes.

What is asked of them is what a header or a "[PATCH v4 2/6]" says; a mail is never trusted to be
well-formed.
"""

from __future__ import annotations

import email
import email.policy
import email.utils
import mailbox
import re
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

from patchgen.errors import BaseError
from patchgen.mail.headers import format_person
from patchgen.mail.subjects import Subject, parse_subject
from patchgen.model.series import Mail
from patchgen.scratch import scratch_folder

_DIFF = re.compile(rb"^diff --git a/", re.MULTILINE)
_FILES = (".patch", ".eml", ".mbox")


def parse_mail(mail: Mail) -> EmailMessage:
    """Return a mail's headers and parts."""
    content = mail.content
    if content.startswith(b"From "):
        content = content.partition(b"\n")[2]
    return email.message_from_bytes(content, policy=email.policy.default)


def read_header(message: EmailMessage, name: str) -> str:
    """Return a header, decoded; "" where it is not there or cannot be read."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, LookupError, TypeError):
        # What the standard library raises for headers that are no headers.
        return ""


def read_people(message: EmailMessage, name: str) -> tuple[str, ...]:
    """Return the people in an address header, each as "Name <address>" or a bare address."""
    pairs = email.utils.getaddresses([read_header(message, name)])
    return tuple(format_person(who, address) for who, address in pairs if address)


def read_message_id(message: EmailMessage) -> str:
    """Return a mail's message-id without brackets, "" where it has none."""
    return read_header(message, "Message-ID").strip("<> ")


def is_patch(mail: Mail) -> bool:
    """Tell whether a mail is a patch itself, and not an answer that quotes one."""
    if not _DIFF.search(mail.content):
        return False
    return not read_subject(mail).is_reply


def order_patches(mails: Sequence[Mail]) -> list[Mail]:
    """Return the patches among mails in the order of their numbers, else as they come.

    Of several versions, as a folder has them after a reroll, the newest counts.
    """
    patches = [(read_subject(mail), mail) for mail in newest_version(mails) if is_patch(mail)]
    return [mail for _, mail in sorted(patches, key=lambda each: each[0].number or 0)]


def newest_version(mails: Sequence[Mail], wanted: int | None = None) -> list[Mail]:
    """Return the mails of a version that patches among them have, and no answers.

    That is the one that is wanted, where there are patches of it, else the newest.
    """
    revisions = list_versions(mails)
    if wanted in revisions:
        return choose_version(mails, wanted)
    return choose_version(mails, revisions[-1] if revisions else 0)


def list_versions(mails: Sequence[Mail]) -> list[int]:
    """Return the versions that patches among the mails have, the oldest first."""
    return sorted({read_subject(mail).revision or 0 for mail in mails if is_patch(mail)})


def choose_version(mails: Sequence[Mail], revision: int | None) -> list[Mail]:
    """Return the mails of a version, and no answers."""
    subjects = [(read_subject(mail), mail) for mail in mails]
    return [
        mail
        for subject, mail in subjects
        if not subject.is_reply and (subject.revision or 0) == revision
    ]


def read_subject(mail: Mail) -> Subject:
    """Return a mail's subject, read."""
    return parse_subject(read_header(parse_mail(mail), "Subject"))


def read_mails(path: Path) -> list[Mail]:
    """Return the mails of an mbox, a maildir, a folder of mails, sorted by name, or of one file.

    Raises BaseError where there are none, or where they cannot be read.
    """
    try:
        mails = _read_folder(path) if path.is_dir() else _split(path)
    except OSError as err:
        raise BaseError(f"{path} cannot be read: {err.strerror}") from None
    if not mails:
        raise BaseError(f"{path} has no mails", hint=f"files end in {', '.join(_FILES)}")
    return mails


def split_mbox(content: bytes, name: str) -> list[Mail]:
    """Return the mails of an mbox that was read already, or the one mail."""
    with scratch_folder("mails") as folder:
        path = folder / name
        path.write_bytes(content)
        return _split(path)


def _read_folder(path: Path) -> list[Mail]:
    parts = [path / name for name in ("cur", "new") if (path / name).is_dir()]
    if parts:
        files = sorted(file for part in parts for file in part.iterdir() if file.is_file())
    else:
        files = sorted(file for file in path.iterdir() if file.suffix in _FILES)
    return [mail for file in files for mail in _split(file)]


def _split(file: Path) -> list[Mail]:
    content = file.read_bytes()
    if not content.startswith(b"From ") or content.count(b"\nFrom ") == 0:
        return [Mail(file.name, content)] if content.strip() else []
    box = mailbox.mbox(file, create=False)
    try:
        messages = [box.get_bytes(key, from_=True) for key in box.keys()]  # noqa: SIM118
    finally:
        box.close()
    return [Mail(f"{n:04}-{file.stem}.patch", text) for n, text in enumerate(messages, 1)]
