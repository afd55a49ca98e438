# SPDX-License-Identifier: GPL-2.0-or-later
"""Find where the words that a semantic patch removes are left in a tree, and why.

One `git grep` lists all occurrences of the words, in files of all kinds. Only files that have a
word which is not too common are read. The occurrences that the new text of a file no longer has
were changed.

A word is too common if it is left in more than 200 places, and in more than ten for each one that
was changed. A conversion leaves fewer places than it changes; a word in so many more (`NULL`,
`kmalloc` in a rule about `kmalloc` and `memset`) has other uses, which do not concern the rule.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.coccinelle import WordJudge, count_word, find_word, refine_reason
from patchgen.linediff import find_line_changes
from patchgen.model.base import TreeFile
from patchgen.model.leftover import Leftover, Leftovers, LeftReason, WordCount
from patchgen.model.outcome import UnparsedFunction
from patchgen.model.sweep import Sweep
from patchgen.odb import (
    REGULAR,
    Repository,
    open_tree,
)
from patchgen.sweep.candidates import read_in_groups
from patchgen.sweep.request import SweepRequest
from patchgen.sweep.results import Occurrences
from patchgen.sweep.word_search import list_removed_words

_MOST_LEFT = 200
_MOST_PER_CHANGE = 10


def find_leftovers(
    repository: Repository,
    request: SweepRequest,
    result: Sweep,
    occurrences: Occurrences,
) -> Leftovers:
    """Return what a sweep in patch mode left, in the files below the paths of the run.

    Of a variant, it is what was left in the files that its manifest names.

    `occurrences` are those of the words that it removes.
    """
    words = list_removed_words(request)
    if not words:
        return Leftovers()
    before = _count(repository, request, words, occurrences)
    after = dict(before)
    # The indices of edits: their texts are compressed until they are used.
    edited: dict[str, int] = {}
    changed: Counter[str] = Counter()
    for index, edit in enumerate(result.edits):
        path = str(edit.path)
        if path not in before:
            continue
        edited[path] = index
        old, new = (_count_words(text, words) for text in (edit.before or b"", edit.after))
        changed.update({word: max(0, count - new.get(word, 0)) for word, count in old.items()})
        after[path] = new
    totals: Counter[str] = Counter()
    for found in before.values():
        totals.update(found)
    counts = tuple(_judge(word, totals[word], changed[word]) for word in words)
    listed = {count.word for count in counts if count.left and not count.is_common}
    classifier = _Classifier(request, result)
    places: list[Leftover] = []
    for file, text in _read(repository, request, after, listed):
        path = str(file.path)
        new_text = result.edits[edited[path]].after if path in edited else text
        places += classifier.classify(file, text, new_text, listed & after[path].keys())
    places.sort(key=lambda place: (place.path, place.line))
    return Leftovers(counts, tuple(places), only_on=request.on is not None)


def _judge(word: str, before: int, changed: int) -> WordCount:
    left = before - changed
    is_common = left > _MOST_LEFT and left > _MOST_PER_CHANGE * changed
    return WordCount(word, before, changed, is_common)


def _count(
    repository: Repository,
    request: SweepRequest,
    words: Collection[str],
    occurrences: Occurrences,
) -> Occurrences:
    """Return how often each file has each of the words; only files that have one."""
    if request.on is not None:
        on = set(map(str, request.on))
        occurrences = {path: found for path, found in occurrences.items() if path in on}
    unknown = {path for path, found in occurrences.items() if "" in found}
    counts = {path: found for path, found in occurrences.items() if path not in unknown}
    if unknown:
        for file, text in read_in_groups(repository, _find_files(repository, request, unknown)):
            counts[str(file.path)] = _count_words(text, words)
    return {path: found for path, found in counts.items() if found}


def _count_words(text: bytes, words: Iterable[str]) -> dict[str, int]:
    """Return how often a text has each of the words that it has."""
    counts = {word: count_word(text, word.encode()) for word in words}
    return {word: count for word, count in counts.items() if count}


def _read(
    repository: Repository,
    request: SweepRequest,
    counts: Occurrences,
    words: Collection[str],
) -> Iterator[tuple[TreeFile, bytes]]:
    """Yield the files that have one of the words, with their texts."""
    names = (path for path, found in counts.items() if not found.keys().isdisjoint(words))
    yield from read_in_groups(repository, _find_files(repository, request, names))


def _find_files(
    repository: Repository, request: SweepRequest, names: Iterable[str]
) -> Iterator[TreeFile]:
    """Yield those of the names that are regular files of the base."""
    tree = open_tree(repository, request.base.tree)
    for name in sorted(names):
        entry = tree.get(name)
        if entry is not None and entry[0] in REGULAR:
            yield TreeFile(PurePosixPath(name), *entry)


@dataclass(slots=True)
class _Classifier:
    """Determines why words were left in files of a sweep."""

    request: SweepRequest
    result: Sweep
    unparsed: dict[PurePosixPath, list[UnparsedFunction]] = field(init=False)

    def __post_init__(self) -> None:
        self.unparsed = defaultdict(list)
        for place in self.result.unparsed:
            self.unparsed[place.path].append(place)

    def classify(
        self, file: TreeFile, before: bytes, after: bytes, words: Iterable[str]
    ) -> Iterator[Leftover]:
        """Yield the places of the words in the new text of a file, with their lines in the old."""
        path = file.path
        of_file = self._judge_file(path)
        failure = self.result.unfinished.get(path)
        detail = failure.text if failure and of_file is LeftReason.GIVEN_UP else ""
        judge = None if of_file is LeftReason.OTHER else WordJudge(after)
        original = _LineMap(before, after)
        counted, new_line = 0, 1
        found = sorted((at, name) for name in words for at in find_word(after, name.encode()))
        for at, word in found:
            new_line += after.count(b"\n", counted, at)
            counted = at
            line = original.find(new_line, word.encode())
            reason = judge.judge(at, word) if judge else LeftReason.OTHER
            if of_file is not None and reason not in (LeftReason.INCLUDE, LeftReason.PROSE):
                yield Leftover(path, line, word, of_file, detail)
            else:
                reason = refine_reason(reason, line, self.unparsed.get(path, ()))
                yield Leftover(path, line, word, reason)

    def _judge_file(self, path: PurePosixPath) -> LeftReason | None:
        """Return why a whole file was left; None if spatch has seen it, or no rule can match."""
        if path.suffix not in (".c", ".h"):
            return LeftReason.OTHER
        if path in self.result.unfinished:
            return LeftReason.GIVEN_UP
        if path.suffix not in self.request.suffixes:
            return LeftReason.HEADER
        only = self.request.only_paths
        return LeftReason.FILE if only is not None and path not in only else None


class _LineMap:
    """Maps lines of a new text to those of the old one; both count from 1."""

    def __init__(self, before: bytes, after: bytes):
        self._old = before.split(b"\n")
        new = after.split(b"\n")
        self._changes = [] if before == after else find_line_changes(self._old, new)

    def find(self, line: int, word: bytes) -> int:
        """Return the line in the old text; of changed lines, the nearest that has the word."""
        shift = 0
        for change in self._changes:
            if line - 1 < change.new_start:
                break
            if line - 1 < change.new_end:
                near = change.old_start + line - 1 - change.new_start
                having = [
                    number
                    for number in range(change.old_start, change.old_end)
                    if word in self._old[number]
                ]
                last = max(change.old_start, change.old_end - 1)
                nearest = min(having, key=lambda number: abs(number - near), default=last)
                return min(nearest, len(self._old) - 1) + 1
            shift = change.old_end - change.new_end
        return line + shift
