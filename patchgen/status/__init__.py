# SPDX-License-Identifier: GPL-2.0-or-later
"""Show what has become of each patch of a series on a newer base, without writing anything."""

from patchgen.status.job import find_status
from patchgen.status.result import FileStatus, PatchStatus, SeriesStatus, State, Upstream

__all__ = ["FileStatus", "PatchStatus", "SeriesStatus", "State", "Upstream", "find_status"]
