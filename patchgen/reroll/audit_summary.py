# SPDX-License-Identifier: GPL-2.0-or-later
"""Take the summary of an audit out of a cover letter: `apply --audit` put it there.

It counts places, and lists them with their lines, in the tree of an earlier version. A reroll does
not run the audit, so it cannot know which of them hold for the next version.
"""

from __future__ import annotations

import re
from dataclasses import replace

from patchgen.model.series import Cover

# The text of patchgen/audit/summary.py: a paragraph, then lists of places below their titles.
_SUMMARY = re.compile(
    r"^A call graph shows the code that can\s(?:.+\n)+"
    r"(?:\n(?:Do not notify the hypervisor.*|Bypass the op):\n\n(?: {2}.*\n)+)*\n*",
    re.MULTILINE,
)


def take_out_audit(cover: Cover) -> tuple[Cover, bool]:
    """Return the letter without the summary, and whether it had one."""
    body, number = _SUMMARY.subn("", cover.body)
    return replace(cover, body=body), bool(number)
