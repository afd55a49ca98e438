# SPDX-License-Identifier: GPL-2.0-or-later
"""Search a tree for the words that a semantic patch removes, and for its candidates with them.

The words are searched for in files of all kinds. Most rules remove a word that they need, as a
renamed call; then one search finds the candidates, too, and each file is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import permutations

from patchgen.coccinelle import ANY, find_removed_words, has_word
from patchgen.odb import PlannedSearch, Repository, grep_words, plan_search
from patchgen.sweep.request import SweepRequest
from patchgen.sweep.results import Occurrences


@dataclass(slots=True)
class WordSearch:
    """A search for the `words` that a semantic patch removes, and the `occurrences` found."""

    repository: Repository
    search: PlannedSearch
    words: frozenset[str]
    occurrences: Occurrences = field(default_factory=dict)

    def count(self) -> Occurrences:
        """Return how often each file has each of the words."""
        for _ in self.list_files(frozenset()):
            pass
        return self.occurrences

    def can_include(self, clause: frozenset[str]) -> bool:
        """Return whether files with a word of a clause can be listed with this search.

        They can if each of its words is removed, or is a part of a removed word, as `b.h` is of
        `a/b.h`. Otherwise, `count` and a search that stops at the first word of each file are
        faster.
        """
        if not all(map(self._is_in_removed_word, clause)):
            return False
        # Of two matches that overlap, git shows one. `list_files` finds a word that is within it.
        return not any(_may_overlap(*pair) for pair in permutations(self.words | clause, 2))

    def list_files(self, clause: frozenset[str]) -> Iterator[str]:
        """Yield the files that have a word of the clause, and count the words in all files.

        Files of the work tree that differ from the tree are always listed. The `occurrences` are
        complete at the end.
        """
        names: set[str] = set()
        satisfies: dict[str, bool] = {"": bool(clause)}
        for path, word in grep_words(self.repository, self.search, self.words | clause):
            if word not in satisfies:
                satisfies[word] = _has_any(word, clause)
            if not word or word in self.words:
                counts = self.occurrences.setdefault(path, {})
                counts[word] = counts.get(word, 0) + 1
            if satisfies[word] and path not in names:
                names.add(path)
                yield path

    def _is_in_removed_word(self, word: str) -> bool:
        return ANY not in word and any(_has_any(removed, {word}) for removed in self.words)


def plan_word_search(repository: Repository, request: SweepRequest) -> WordSearch | None:
    """Return the search for the words that a semantic patch removes, None if it removes none."""
    words = frozenset(list_removed_words(request))
    if not words:
        return None
    search = plan_search(repository, request.base.tree, request.run.paths, ("",))
    return WordSearch(repository, search, words)


def list_removed_words(request: SweepRequest) -> tuple[str, ...]:
    """Return the words that a semantic patch removes in this run."""
    program = request.program
    dead = frozenset(entry.rule.traced_name for entry in program.dead_rules)
    included = [text for name, text in program.companions.items() if name.endswith(".cocci")]
    return find_removed_words([program.patch.text, *included], dead, program.definitions)


def _has_any(text: str, words: Set[str]) -> bool:
    encoded = text.encode("utf-8", "surrogateescape")
    return any(has_word(encoded, word.encode("utf-8", "surrogateescape")) for word in words)


def _may_overlap(first: str, second: str) -> bool:
    """Return whether a text may have the end of one word as the beginning of the other."""
    if first.isidentifier() and second.isidentifier():
        return False
    return any(first.endswith(second[:length]) for length in range(1, min(len(first), len(second))))
