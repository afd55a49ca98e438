# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a series before it is sent: its form, its mails, and the build of each commit."""

from patchgen.verify.builds import prepare_scripts, source_patterns
from patchgen.verify.check import CHECKS, Cell, Report, VerifyRequest, verify_series
from patchgen.verify.target import Target, open_target

__all__ = [
    "CHECKS",
    "Cell",
    "Report",
    "Target",
    "VerifyRequest",
    "open_target",
    "prepare_scripts",
    "source_patterns",
    "verify_series",
]
