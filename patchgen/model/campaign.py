"""What a treewide change is to become: by what it is divided, and how it is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Split(StrEnum):
    """What the patches of a campaign are divided by."""

    MAINTAINER = "maintainer"
    SUBSYSTEM = "subsystem"
    DIRECTORY = "directory"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """How the edits become a series. What is None has a default, see ApplyRequest.

    The first version is 1.
    """

    split: Split
    most: int | None = None
    subject: str | None = None
    branch: str | None = None
    revision: int | None = None
    output: Path | None = None
    sign_off: bool = False
    force: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()
    get_maintainer: Path | None = None
