# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the line of the user's semantic patch that a commit message quotes."""

from __future__ import annotations

from patchgen.model.finding import Finding
from patchgen.series import Record

_REMEDY = "wrap it there, and make the series again"


def explain_quoted_line(line: str, record: Record | None) -> str:
    """Return where a line of a message is from if it quotes the semantic patch, else "".

    Messages quote the semantic patch of a campaign, indented. A person cannot wrap the line in the
    message, which would no longer be the semantic patch.
    """
    if record is None or not record.split:
        return ""
    text = line.strip()
    for name, cocci in record.find_semantic_patches(record.patches[0]).items():
        for number, quoted in enumerate(cocci.split("\n"), 1):
            if quoted.strip() == text:
                return f"it is {name}:{number}; {_REMEDY}"
    return ""


def is_about_quote(finding: Finding) -> bool:
    """Return whether a finding is about a line that a message quotes."""
    return finding.hint.endswith(_REMEDY)
