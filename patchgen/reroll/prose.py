"""Messages and cover letters merged three ways.

What is made now says of hand edits what was made before did not, and so it differs from that in a
sentence wherever a person edited something. That must be no conflict where the person has replaced
or removed the sentence.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from patchgen.odb import Conflict, Quarantine, Resolutions, merge_texts


@dataclass(frozen=True, slots=True)
class Prose:
    """A text in its versions: as made before, as made now, and as a person left it.

    `plain` is what is made now where nobody edits anything.
    """

    name: str
    before: str
    plain: str
    now: str
    edited: str


def merge_prose(
    prose: Prose, quarantine: Quarantine, labels: tuple[str, str], resolutions: Resolutions
) -> str | Conflict:
    """Return what is made now with what a person changed; `labels` are of these two."""

    def merge(before: str, now: str, edited: str) -> str | Conflict:
        sides = ((labels[0], now), (labels[1], edited))
        return merge_texts(prose.name, before, *sides, quarantine, resolutions)

    merged = merge(prose.before, prose.now, prose.edited)
    if not isinstance(merged, Conflict) or prose.plain == prose.now:
        return merged
    without = merge(prose.before, prose.plain, prose.edited)
    if isinstance(without, Conflict):
        return merged
    told = merge(prose.plain, prose.now, without)
    if not isinstance(told, Conflict):
        return told
    words = " ".join(without.split())
    still_denies = any(phrase in words for phrase in _removed(prose.plain, prose.now))
    return merged if still_denies else without


def _removed(old: str, new: str) -> list[str]:
    """Return what the second text does not have of the first, in runs of words."""
    words = old.split()
    matcher = difflib.SequenceMatcher(None, words, new.split(), autojunk=False)
    return [
        " ".join(words[begin:end])
        for kind, begin, end, _, _ in matcher.get_opcodes()
        if kind in ("delete", "replace")
    ]
