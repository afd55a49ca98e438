# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches that have been generated, and the series that they form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.outcome import RuleHits, Site, UnparsedFunction


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file before and after a patch. `before` is None if the patch adds the file."""

    path: PurePosixPath
    mode: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class LineCount:
    """The numbers of lines that `templates` and `rules` of a patch add to a file.

    `removed` is the number of lines that its rules remove.
    """

    templates: int = 0
    rules: int = 0
    removed: int = 0

    def __add__(self, other: LineCount) -> LineCount:
        """Return the sums."""
        return LineCount(
            self.templates + other.templates,
            self.rules + other.rules,
            self.removed + other.removed,
        )


@dataclass(frozen=True, slots=True)
class MadePatch:
    """The result of one planned patch: its edits, the origin of their lines by file, and its hits.

    `changed` has the files that each semantic patch changes, in the order of the plan. `present_at`
    is set, and `edits` empty, if the base has the change already. If both are empty, it is an
    optional patch that the base does not need.
    """

    name: str
    edits: tuple[FileEdit, ...] = ()
    lines: Mapping[PurePosixPath, LineCount] = field(default_factory=dict)
    rules: tuple[RuleHits, ...] = ()
    changed: tuple[tuple[PurePosixPath, ...], ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    present_at: Site | None = None
    seconds: float = 0.0

    @property
    def is_unneeded(self) -> bool:
        """Whether the base does not need the patch."""
        return not self.edits and self.present_at is None


@dataclass(frozen=True, slots=True)
class Identity:
    """Person and time: name, e-mail, and git's raw date, "<seconds since 1970> <+hhmm>"."""

    name: str
    email: str
    date: str

    def __str__(self) -> str:
        """Return it as git stores it in commits and tags."""
        return f"{self.name} <{self.email}> {self.date}"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Author and committer of new commits."""

    author: Identity
    committer: Identity


@dataclass(frozen=True, slots=True)
class CommitDraft:
    """A commit that has not been written: its message and the edits on top of its parent."""

    message: str
    edits: tuple[FileEdit, ...]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Stat:
    """The number of lines that a commit adds and removes."""

    insertions: int
    deletions: int


class RecipientRoles(StrEnum):
    """The roles in MAINTAINERS that get the mails: lists, also maintainers, or also reviewers."""

    LISTS = "lists"
    MAINTAINERS = "maintainers"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class RecipientPolicy:
    """The roles that get the mails, and the largest number of recipients, None for any."""

    roles: RecipientRoles = RecipientRoles.ALL
    max_recipients: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesOptions:
    """The options that are recorded in every series, so that its next version has them, too.

    `to`, `cc` and `cover_cc` are people that the user named: `to` and `cc` get all mails,
    `cover_cc` only the cover letter.
    """

    sign_off: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipients:
    """To and Cc of one mail, as "Name <address>" or a bare address."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()

    def without(self, others: Recipients) -> Recipients:
        """Return those that are not among others."""
        excluded = set(others.to + others.cc)
        return Recipients(
            tuple(person for person in self.to if person not in excluded),
            tuple(person for person in self.cc if person not in excluded),
        )


@dataclass(frozen=True, slots=True)
class RecipientEdits:
    """The recipients that people added to a cover letter by hand, and those that they removed."""

    added: Recipients = Recipients()
    removed: Recipients = Recipients()


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover letter. `notes` are the change logs below the cut, "" without any."""

    subject: str
    body: str
    notes: str = ""
    recipients: Recipients = Recipients()


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail for `git send-email`: its file name and its bytes.

    `place` is where a file with several mails has it, "mail 2 of replies.mbox", "" for another
    mail; its file name is then one that no file has.
    """

    file_name: str
    content: bytes
    place: str = ""

    @property
    def name(self) -> str:
        """The name for messages: one that the user can find the mail by."""
        return self.place or self.file_name


@dataclass(frozen=True, slots=True)
class SendableVersion:
    """The mails of a version, cover letter first, with all their headers.

    `tip` is the last of the patches as a line of commits on `base`, without the cover letter's
    commit; both are None for mails from a folder.
    """

    name: str
    change_id: str
    revision: int
    cover: Cover
    mails: tuple[Mail, ...]
    base: Oid | None = None
    tip: Oid | None = None
