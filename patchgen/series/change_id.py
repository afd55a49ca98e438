# SPDX-License-Identifier: GPL-2.0-or-later
"""The change-id that all versions of a series share, and the message-ids of its mails.

A change-id is YYYYMMDD-SLUG-12HEX (b4, docs/contributor/prep.rst); a message-id is
YYYYMMDD-SLUG-vREVISION-NUMBER-12HEX@DOMAIN. In b4 the digits are random. Here they are derived from
the content of the series. So the mails of a version have the same message-ids whenever they are
written, and those with another base or other patches have different ones: an archive drops a mail
whose message-id it already has.
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
# The maximum length of a slug, which becomes part of file names and header lines.
_LONGEST_SLUG = 80
# Ids of commits name their content, so a digest never changes.
_digests: dict[tuple[Oid, Oid, Oid], str] = {}
_CHANGE_ID = re.compile(r"(?:\d{8}-)?(?P<slug>.+)-[0-9a-f]+")


def digest_content(git: Git, base: Oid, start: Oid, tip: Oid) -> str:
    """Return a digest of a version: its base, and the tree and text of each commit above `start`.

    Trailers and notes do not change it: people add them after a patch was posted, and replies must
    still match its message-id.
    """
    key = (base, start, tip)
    if key in _digests:
        return _digests[key]
    args = ("log", "--reverse", "--no-show-signature", "--format=%T%x00%B%x00")
    output = git.run(*args, f"{start}..{tip}").stdout.decode("utf-8", "replace")
    fields = output.split("\0")
    trees = [tree.strip() for tree in fields[::2]]
    texts = [parse_message(message).text.strip() for message in fields[1::2]]
    _digests[key] = _digest(base, *trees, *texts)
    return _digests[key]


def strip_version(branch: str) -> str:
    """Return a branch's name without the version at its end."""
    return re.sub(r"-v\d+$", "", branch)


def make_change_id(title: str, branch: str, author: Identity, content: str = "") -> str:
    """Return the change-id of a new series, with the date of its author's commits.

    `content` is its `digest_content`. The same title, branch (without its version), author, content
    and day result in the same change-id.
    """
    seconds, zone = author.date.split()
    offset = datetime.timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    day = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone(offset))
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
    digits = _digest(title, strip_version(branch), author.email, f"{day:%Y%m%d}", content)
    return f"{day:%Y%m%d}-{slug or 'series'}-{digits}"


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
