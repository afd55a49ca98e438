# SPDX-License-Identifier: GPL-2.0-or-later
"""A version of a series, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass

from patchgen.model.base import Oid
from patchgen.model.series import Cover, Mail


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
