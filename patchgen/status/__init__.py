# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine the state of each patch of a series on a newer base; the tree does not change."""

from patchgen.status.result import (
    FileStatus,
    ListedSeries,
    PatchState,
    PatchStatus,
    SentMail,
    SeriesStatus,
    Stage,
    UpstreamCommit,
)

__all__ = [
    "FileStatus",
    "ListedSeries",
    "PatchState",
    "PatchStatus",
    "SentMail",
    "SeriesStatus",
    "Stage",
    "UpstreamCommit",
]
