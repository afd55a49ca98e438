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

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.ctokens import find_prose
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
from patchgen.sweep.bodies import find_line_start
from patchgen.sweep.candidates import read_in_groups
from patchgen.sweep.request import SweepRequest
from patchgen.sweep.results import Occurrences
from patchgen.sweep.word_search import list_removed_words
from patchgen.sweep.words import count_word, find_macro, find_word

_MOST_LEFT = 200
_MOST_PER_CHANGE = 10


def find_leftovers(
    repository: Repository,
    request: SweepRequest,
    result: Sweep,
    occurrences: Occurrences,
) -> Leftovers:
    """Return what a sweep in patch mode left, in the files below the paths of the run.

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
    return Leftovers(counts, tuple(sorted(places, key=lambda place: (place.path, place.line))))


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
        is_c = of_file is not LeftReason.OTHER
        prose = find_prose(after) if is_c else []
        disabled = _find_disabled(after, prose) if is_c else []
        original = _LineMap(before, after)
        counted, new_line = 0, 1
        found = sorted((at, name) for name in words for at in find_word(after, name.encode()))
        for at, word in found:
            new_line += after.count(b"\n", counted, at)
            counted = at
            line = original.find(new_line, word.encode())
            is_path = is_c and _is_included_path(after, at, prose)
            if is_path and word.isidentifier():
                yield Leftover(path, line, word, LeftReason.INCLUDE)
            elif not is_path and _is_within(prose, at):
                yield Leftover(path, line, word, LeftReason.PROSE)
            elif of_file is not None:
                yield Leftover(path, line, word, of_file, detail)
            elif _is_within(disabled, at):
                yield Leftover(path, line, word, LeftReason.DISABLED)
            else:
                yield Leftover(path, line, word, self._judge_code(path, after, at, line))

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

    def _judge_code(self, path: PurePosixPath, text: bytes, at: int, line: int) -> LeftReason:
        if find_macro(text, at) is not None:
            return LeftReason.MACRO
        if any(place.line <= line <= place.end for place in self.unparsed.get(path, ())):
            return LeftReason.UNPARSED
        return LeftReason.UNCHANGED


_Span = tuple[int, int]


def _is_within(spans: Sequence[_Span], at: int) -> bool:
    """Return whether an offset is in one of the spans, which are in order."""
    number = bisect_right(spans, (at, len(spans) and spans[-1][1])) - 1
    return number >= 0 and at < spans[number][1]


_INCLUDE = re.compile(rb"[ \t]*#[ \t]*include(?:_next)?[ \t]*(?P<path><[^>\n]*>|\"[^\"\n]*\")")


def _is_included_path(text: bytes, at: int, prose: Sequence[_Span]) -> bool:
    """Return whether an offset is in the path of an `#include` line, outside of comments."""
    begin = find_line_start(text, at)
    match = _INCLUDE.match(text, begin)
    return (
        match is not None
        and match.start("path") < at < match.end("path")
        and not _is_within(prose, begin)
    )


_CONDITION = re.compile(
    rb"^[ \t]*#[ \t]*(?P<kind>if|ifdef|ifndef|elif|else|endif)\b[ \t]*(?P<value>[01]\b)?", re.M
)


def _find_disabled(text: bytes, prose: Sequence[_Span]) -> list[_Span]:
    """Return begin and end of each stretch in `#if 0`, or in the #else of `#if 1`, in order.

    spatch skips these (parsing_hacks.ml), as the compiler does.
    """
    found: list[_Span] = []
    # For each open condition, where its disabled stretch begins, and whether the next is disabled.
    opened: list[tuple[int | None, bool]] = []
    for match in _CONDITION.finditer(text):
        if _is_within(prose, match.start()):
            continue
        if match["kind"].startswith(b"if"):
            value = match["value"] if match["kind"] == b"if" else None
            opened.append((match.end() if value == b"0" else None, value == b"1"))
        elif opened:
            begin, is_next_disabled = opened.pop()
            if begin is not None:
                # A stretch contains those within it.
                found = [span for span in found if span[0] < begin]
                found.append((begin, match.start()))
            if match["kind"] != b"endif":
                opened.append((match.end() if is_next_disabled else None, False))
    return found


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
