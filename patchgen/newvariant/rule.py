# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule that was inferred from a change, before it is tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InferredRule:
    """A rule: its name, its SmPL, a sentence that says what it does, and words that it needs.

    A file without one of the words cannot match.
    """

    name: str
    text: str
    purpose: str
    words: tuple[str, ...]

    def may_match(self, content: bytes) -> bool:
        """Return whether a text has all words of the rule."""
        return all(word.encode() in content for word in self.words)


def choose_name(wish: str, taken: set[str]) -> str:
    """Return the name of a rule, with a number if it is taken, and add it to the taken ones."""
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    taken.add(name)
    return name
