# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a series before it is sent: its form, its mails, and the build of each commit."""

from patchgen.verify.build_files import prepare_scripts, source_patterns
from patchgen.verify.checked_series import CheckedSeries, open_target
from patchgen.verify.request import CHECKS, VerifyRequest

__all__ = [
    "CHECKS",
    "CheckedSeries",
    "VerifyRequest",
    "open_target",
    "prepare_scripts",
    "source_patterns",
]
