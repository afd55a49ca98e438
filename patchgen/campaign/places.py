# SPDX-License-Identifier: GPL-2.0-or-later
"""Count the places that a patch changes, and those left in its files, with the reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchgen.coccinelle import count_word
from patchgen.counting import count
from patchgen.linediff import find_line_changes
from patchgen.model.finding import list_first
from patchgen.model.leftover import Leftover, Leftovers, LeftReason
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Sweep

# Messages omit LeftReason.INCLUDE: a part of a header's path is not a use of the word.
# No word may begin with "#": git drops a line that begins with it as a comment.
_PHRASES = {
    LeftReason.UNPARSED: "in code that spatch could not parse",
    LeftReason.MACRO: "in macros",
    LeftReason.HEADER: "in headers that spatch did not read",
    LeftReason.FILE: "in files that spatch did not read",
    LeftReason.GIVEN_UP: "in files that spatch could not process",
    LeftReason.DISABLED: "in disabled code (#if 0)",
    LeftReason.UNCHANGED: "in code that the semantic patch does not change",
    LeftReason.PROSE: "in comments or strings",
    LeftReason.OTHER: "in documentation, Kconfig, assembly or other languages",
}


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """The numbers of changed places, of files, and of the places that are left, by reason.

    Its text is a sentence about the semantic patch, so it also holds for a patch that was edited by
    hand. With `is_partial`, `left` counts the places in these files only. `words` are the words in
    the places that are left; they are named unless the semantic patch removes one word only.
    """

    changed: int
    files: int
    left: Mapping[LeftReason, int]
    is_partial: bool = False
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        changes = f"It changes {count(self.changed, 'place')} in {count(self.files, 'file')}"
        left = {reason: left for reason, left in self.left.items() if left and reason in _PHRASES}
        total = sum(left.values())
        if not total:
            return f"{changes}."
        these = "this file" if self.files == 1 else "these files"
        where = f" in {these}" if self.is_partial else ""
        words = f"{list_first(self.words)} in " if self.words else ""
        leaves = f"{changes}, and leaves {words}{count(total, 'place')}{where}"
        if len(left) == 1:
            return f"{leaves}, {_PHRASES[next(iter(left))]}."
        reasons = ", ".join(f"{number} {_PHRASES[reason]}" for reason, number in left.items())
        return f"{leaves}: {reasons}."


def join_counts(counts: Sequence[PlaceCount]) -> PlaceCount:
    """Return the numbers of a patch, from its own and those of the patches squashed into it."""
    left: Counter[LeftReason] = Counter()
    for each in counts:
        left.update(each.left)
    return PlaceCount(
        sum(each.changed for each in counts),
        sum(each.files for each in counts),
        {reason: left[reason] for reason in LeftReason if left[reason]},
        is_partial=True,
        words=tuple(sorted({word for each in counts for word in each.words})),
    )


def count_places(sweep: Sweep, groups: Sequence[Sequence[FileEdit]]) -> list[PlaceCount]:
    """Return the numbers of places for groups of edits.

    A place is an occurrence of the word that the semantic patch removes. If it removes several, or
    in a file that loses none, a place is a block of changed lines: a call may have two such words.
    """
    leftovers = sweep.leftovers or Leftovers()
    removed = [removed.word for removed in leftovers.words if removed.before]
    word = removed[0].encode() if len(removed) == 1 else None
    left: dict[PurePosixPath, list[Leftover]] = defaultdict(list)
    for place in leftovers.places:
        left[place.path].append(place)
    counts = []
    for edits in groups:
        remaining = tuple(place for edit in edits for place in left.get(edit.path, ()))
        part = replace(leftovers, places=remaining)
        counts.append(
            PlaceCount(
                sum(_count_changes(edit, word) for edit in edits),
                len(edits),
                part.by_reason,
                is_partial=True,
                words=name_left(part),
            )
        )
    return counts


def name_left(leftovers: Leftovers) -> tuple[str, ...]:
    """Return the words in the listed places, () if the semantic patch removes one word only."""
    if sum(removed.before > 0 for removed in leftovers.words) <= 1:
        return ()
    places = (place for place in leftovers.places if place.reason in _PHRASES)
    return tuple(sorted({place.word for place in places}))


def _count_changes(edit: FileEdit, word: bytes | None) -> int:
    old, new = edit.before or b"", edit.after
    removed = count_word(old, word) - count_word(new, word) if word else 0
    return removed if removed > 0 else len(find_line_changes(old.split(b"\n"), new.split(b"\n")))
