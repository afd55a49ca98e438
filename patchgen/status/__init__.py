# SPDX-License-Identifier: GPL-2.0-or-later
"""Show what has become of each patch of a series on a newer base, without writing anything."""

from patchgen.status.result import (
    FileStatus,
    ListedSeries,
    PatchState,
    PatchStatus,
    SentMail,
    SeriesStatus,
    Stage,
    Upstream,
)

__all__ = [
    "FileStatus",
    "ListedSeries",
    "PatchState",
    "PatchStatus",
    "SentMail",
    "SeriesStatus",
    "Stage",
    "Upstream",
]
