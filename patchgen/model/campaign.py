# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a campaign: how a treewide change is divided, and how it is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Split(StrEnum):
    """The criterion by which a campaign is divided into patches."""

    MAINTAINER = "maintainer"
    SUBSYSTEM = "subsystem"
    DIRECTORY = "directory"
    FILE = "file"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """How the edits become a series. For the defaults of None, see ApplyRequest.

    The first version is 1.
    """

    split: Split
    max_patches: int | None = None
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
