# SPDX-License-Identifier: GPL-2.0-or-later
"""A rule that was inferred from a change, and that is not tested yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InferredRule:
    """A rule: its name, its SmPL, and its purpose in one sentence.

    The rule matches only files with all of `words`.
    """

    name: str
    text: str
    purpose: str
    words: tuple[str, ...]

    def may_match(self, content: bytes) -> bool:
        """Return whether a text has all words of the rule."""
        return all(word.encode() in content for word in self.words)


def choose_name(stem: str, used: set[str], separator: str = "_") -> str:
    """Return the stem, with a number if that name is used, and add the name to the used ones."""
    name, number = stem, 1
    while name in used:
        number += 1
        name = f"{stem}{separator}{number}"
    used.add(name)
    return name
