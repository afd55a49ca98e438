# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges of messages and cover letters.

Text generated now mentions hand edits, text generated before did not. So the two differ in a
sentence wherever a person edited something. That must not become a conflict if the person has
replaced or removed the sentence.
"""

from __future__ import annotations

import difflib
import re
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


def update_notes(notes: str, old: str, new: str) -> str:
    """Return the notes of a message with the generated lines replaced by those generated now.

    `old` and `new` are the lines generated before and now; a person wrote the others, which are
    preserved. A generated line that a person edited or removed is not added again.
    """
    old_lines, lines = old.split("\n"), notes.strip("\n").split("\n")
    new_lines = new.split("\n") if new else []
    added = [line for line in new_lines if line in lines or line not in old_lines]
    replaced = {*old_lines, *added} - {""}
    position = next((index for index, line in enumerate(lines) if line in replaced), None)
    if position is None:
        lines, position = [*lines, ""], len(lines) + 1
    before, after = (
        [line for line in part if line not in replaced]
        for part in (lines[:position], lines[position:])
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*before, *added, *after])).strip("\n")


def _removed(old_text: str, new_text: str) -> list[str]:
    """Return the runs of words that the second text no longer contains."""
    words = old_text.split()
    matcher = difflib.SequenceMatcher(None, words, new_text.split(), autojunk=False)
    return [
        " ".join(words[begin:end])
        for kind, begin, end, _, _ in matcher.get_opcodes()
        if kind in ("delete", "replace")
    ]
