# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges of messages and cover letters.

Text generated now mentions hand edits, text generated before did not. So the two differ in a
sentence wherever a person edited something. That must not become a conflict if the person has
replaced or removed the sentence.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from patchgen.odb import Conflict, Quarantine, Resolutions, merge_texts


@dataclass(frozen=True, slots=True)
class TextVersions:
    """The versions of a text: as generated before, as generated now, and as a person left it.

    `plain` is the text generated now for a series without hand edits.
    """

    name: str
    original: str
    plain: str
    generated: str
    edited: str


def merge_versions(
    versions: TextVersions,
    quarantine: Quarantine,
    labels: tuple[str, str],
    resolutions: Resolutions,
) -> str | Conflict:
    """Return the new text with a person's changes; `labels` name these two sides."""

    def merge(original: str, generated: str, edited: str) -> str | Conflict:
        sides = ((labels[0], generated), (labels[1], edited))
        return merge_texts(versions.name, original, *sides, quarantine, resolutions)

    merged = merge(versions.original, versions.generated, versions.edited)
    if not isinstance(merged, Conflict) or versions.plain == versions.generated:
        return merged
    without = merge(versions.original, versions.plain, versions.edited)
    if isinstance(without, Conflict):
        return merged
    updated = merge(versions.plain, versions.generated, without)
    if not isinstance(updated, Conflict):
        return updated
    words = " ".join(without.split())
    has_outdated = any(phrase in words for phrase in _removed(versions.plain, versions.generated))
    return merged if has_outdated else without


def _removed(old_text: str, new_text: str) -> list[str]:
    """Return the runs of words that the second text no longer contains."""
    words = old_text.split()
    matcher = difflib.SequenceMatcher(None, words, new_text.split(), autojunk=False)
    return [
        " ".join(words[begin:end])
        for kind, begin, end, _, _ in matcher.get_opcodes()
        if kind in ("delete", "replace")
    ]
