# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of a semantic patch run over a whole tree, and how it becomes a series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from patchgen.model.base import Base
from patchgen.model.leftover import Leftovers
from patchgen.model.outcome import Failure, ReportedPlace, UnparsedFunction
from patchgen.model.series import FileEdit, RecipientPolicy, RecipientRoles, SeriesOptions
from patchgen.model.smpl import Mode


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule matched, and in how many files.

    For `counts_marks`, see patchgen.model.outcome.RuleHits.
    """

    rule: str
    hits: int
    files: int
    counts_marks: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of files: selected, candidates (with the words that the rules need), and run.

    `cached` is the number of files whose result was cached.
    """

    files: int
    candidates: int
    cached: int
    run: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """The result of one semantic patch on one tree. All lists but `edits` are sorted by path.

    `edits` is empty except in PATCH mode. `output` is what scripts printed other than reports.
    `unfinished` are the files that spatch did not finish. `warnings` are about the rules.
    `written` are the files that scripts wrote, with their contents. `leftovers` are known after
    PATCH mode only. `no_match` states why no file can match, if that is certain; it is also one of
    the `notes`.
    """

    semantic_patch: str
    base: Base
    mode: Mode
    rules: tuple[RuleCount, ...]
    edits: Sequence[FileEdit] = ()
    reports: tuple[ReportedPlace, ...] = ()
    output: str = ""
    unparsed: tuple[UnparsedFunction, ...] = ()
    unfinished: Mapping[PurePosixPath, Failure] = field(default_factory=dict)
    counts: Counts = Counts(0, 0, 0, 0)
    warnings: tuple[str, ...] = ()
    written: tuple[tuple[str, bytes], ...] = ()
    leftovers: Leftovers | None = None
    notes: tuple[str, ...] = ()
    no_match: str = ""
    seconds: float = 0.0

    @property
    def public_name(self) -> str:
        """The semantic patch's path in the tree, or only its file name if it is outside.

        It goes into messages, so paths of this machine are left out, and bytes that are not UTF-8
        are replaced.
        """
        path = PurePosixPath(self.semantic_patch)
        public = path.name if path.is_absolute() or ".." in path.parts else str(path)
        return public.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Split(StrEnum):
    """The criterion by which a campaign is divided into patches.

    TREE is the git tree that takes a file's patches.
    """

    TREE = "tree"
    MAINTAINER = "maintainer"
    SUBSYSTEM = "subsystem"
    DIRECTORY = "directory"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CampaignRequest(SeriesOptions):
    """How the edits become a series. For the defaults of None, see ApplyRequest.

    The first version is 1. `recipients` None means maintainers and lists if one git tree takes each
    patch, else all. `message` and `cover` are the user's texts for the beginning of the messages
    and of the cover letter. A dry run writes nothing.
    """

    split: Split
    max_patches: int | None = None
    recipients: RecipientRoles | None = None
    max_recipients: int | None = None
    subject: str | None = None
    message: str | None = None
    cover: str | None = None
    dry_run: bool = False
    branch: str | None = None
    revision: int | None = None
    output: Path | None = None
    force: bool = False
    get_maintainer: Path | None = None

    @property
    def policy(self) -> RecipientPolicy:
        """The policy for recipients: the options, or the default for this way to split."""
        default = RecipientRoles.MAINTAINERS if self.split is Split.TREE else RecipientRoles.ALL
        return RecipientPolicy(self.recipients or default, self.max_recipients)
