# SPDX-License-Identifier: GPL-2.0-or-later
"""An existing commit of a series, as its checks read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid

# Documentation/process/submitting-patches.rst: a summary phrase has at most 70 to 75 characters.
LONGEST_SUBJECT = 75


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit with one parent. `author` and `committer` are "Name <address>".

    `files` are the paths that it adds, changes or removes.
    """

    oid: Oid
    tree: Oid
    author: str
    committer: str
    message: str
    files: tuple[PurePosixPath, ...]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]
