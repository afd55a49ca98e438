"""The name that a series keeps from its first version to its last, and those of its mails.

A change-id is YYYYMMDD-SLUG-12HEX (b4, docs/contributor/prep.rst); a message-id is
YYYYMMDD-SLUG-vREVISION-NUMBER-12HEX@DOMAIN. b4 draws the digits at random. Here they are derived
from what tells a series from others, so that the same version has the same message-ids whenever
its mails are made, and that of another base or with other patches has not: an archive drops a mail
whose message-id it knows.
"""

from __future__ import annotations

import datetime
import hashlib
import re

from patchgen.model.base import Oid
from patchgen.model.series import Identity
from patchgen.odb import Git
from patchgen.series.trailers import parse_message

_DIGITS = 12
# It becomes part of a file's name, and of a header's line.
_SLUG = 80
_CHANGE_ID = re.compile(r"(?:\d{8}-)?(?P<slug>.+)-[0-9a-f]+")


def digest_content(git: Git, base: Oid, start: Oid, tip: Oid) -> str:
    """Return a digest of a version: its base, and what each commit above `start` has and says.

    Trailers and notes are left out, for they come to a patch when it has been posted; the message
    of a patch that people answer is still known then.
    """
    words = ("log", "--reverse", "--no-show-signature", "--format=%T%x00%B%x00")
    shown = git.run(*words, f"{start}..{tip}").stdout.decode("utf-8", "replace")
    fields = shown.split("\0")
    trees = [tree.strip() for tree in fields[::2]]
    texts = [parse_message(message).text.strip() for message in fields[1::2]]
    return _digest(base, *trees, *texts)


def make_change_id(title: str, branch: str, author: Identity, content: str = "") -> str:
    """Return the change-id of a new series, dated as its author's commits are.

    `content` is its `digest_content`. The same title, branch (but for its version), author, content
    and day give the same one.
    """
    seconds, zone = author.date.split()
    offset = datetime.timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    day = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone(offset))
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_SLUG].strip("-") or "series"
    stem = re.sub(r"-v\d+$", "", branch)
    digits = _digest(title, stem, author.email, f"{day:%Y%m%d}", content)
    return f"{day:%Y%m%d}-{slug}-{digits}"


def make_message_id(change_id: str, revision: int, number: int, sender: str, content: str) -> str:
    """Return the message-id, without brackets, of a mail of a version; 0 is the cover letter.

    `sender` is the address that the mails come from; its domain becomes the message-id's. `content`
    is the version's `digest_content`.
    """
    match = _CHANGE_ID.fullmatch(change_id)
    stem = change_id.rpartition("-")[0] if match else change_id
    domain = sender.rpartition("@")[2] or "localhost"
    digits = _digest(change_id, str(revision), sender, content)
    return f"{stem}-v{revision}-{number}-{digits}@{domain}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
