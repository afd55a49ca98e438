# SPDX-License-Identifier: GPL-2.0-or-later
"""Formats of git's plumbing, each in one place: raw diffs and object ids."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from patchgen.model.base import Oid
from patchgen.odb.objects import ObjectReader
from patchgen.process import Completed

_DIGESTS = {40: "sha1", 64: "sha256"}
_RAW = re.compile(
    rb"(?:\A|\n):([0-7]{6}) ([0-7]{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z][0-9]*\Z",
)


class Git(Protocol):
    """A repository to run git in: the user's, a quarantine or a checkout."""

    @property
    def objects(self) -> ObjectReader:
        """The reader of its objects."""

    def run(self, *args: str, stdin: bytes = b"", ok: tuple[int, ...] | None = (0,)) -> Completed:
        """Run git in it."""


class RawChange(NamedTuple):
    """A path that a diff changes; a side that is not there has the mode "000000".

    `heading` is what git printed before the path's diff, such as a commit's id.
    """

    heading: str
    old_mode: str
    mode: str
    old_oid: Oid
    oid: Oid
    path: str


def parse_raw_diff(shown: bytes) -> Iterator[RawChange]:
    """Parse a diff of the options --raw -z (git-diff-tree(1), "RAW OUTPUT FORMAT")."""
    heading = ""
    fields = iter(shown.split(b"\0"))
    for field in fields:
        match = _RAW.search(field)
        if before := field[: match.start() if match else None].strip(b"\n"):
            heading = os.fsdecode(before)
        if match:
            old_mode, mode, old_oid, oid = map(bytes.decode, match.groups())
            path = os.fsdecode(next(fields))
            yield RawChange(heading, old_mode, mode, Oid(old_oid), Oid(oid), path)


def make_oid(kind: str, content: bytes, *, like: Oid) -> Oid:
    """Return the id of an object (git-hash-object(1)) in a repository that has an id `like` it."""
    digest = hashlib.new(_DIGESTS[len(like)], usedforsecurity=False)
    digest.update(b"%s %d\0" % (kind.encode(), len(content)))
    digest.update(content)
    return Oid(digest.hexdigest())
