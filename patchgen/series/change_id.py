"""The name that a series keeps from its first version to its last, and those of its mails.

A change-id is YYYYMMDD-SLUG-12HEX (b4, docs/contributor/prep.rst); a message-id is
YYYYMMDD-SLUG-vREVISION-NUMBER-12HEX@DOMAIN. b4 draws the digits at random. Here they are derived,
so that the same version has the same message-ids whenever its mails are made.
"""

from __future__ import annotations

import datetime
import hashlib
import re

from patchgen.model.series import Identity

_DIGITS = 12
_CHANGE_ID = re.compile(r"(?:\d{8}-)?(?P<slug>.+)-[0-9a-f]+")


def make_change_id(title: str, branch: str, author: Identity) -> str:
    """Return the change-id of a new series, dated as its author's commits are.

    The same title, branch (but for its version), author and day give the same one.
    """
    seconds, zone = author.date.split()
    offset = datetime.timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    day = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone(offset))
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "series"
    stem = re.sub(r"-v\d+$", "", branch)
    return f"{day:%Y%m%d}-{slug}-{_digest(title, stem, author.email, f'{day:%Y%m%d}')}"


def make_message_id(change_id: str, revision: int, number: int, sender: str) -> str:
    """Return the message-id, without brackets, of a mail of a version; 0 is the cover letter.

    `sender` is the address that the mails come from; its domain becomes the message-id's.
    """
    match = _CHANGE_ID.fullmatch(change_id)
    stem = change_id.rpartition("-")[0] if match else change_id
    domain = sender.rpartition("@")[2] or "localhost"
    digits = _digest(change_id, str(revision), sender)
    return f"{stem}-v{revision}-{number}-{digits}@{domain}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]
