# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a sweep, and how its results are stored in the cache.

The cache has a result for each content, and for each selection of files a list of those with an
outcome, so that an unchanged tree need not be listed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.cachefile import Cache, make_key
from patchgen.coccinelle import Needs, load_needs
from patchgen.model.base import Oid, TreeFile
from patchgen.model.leftover import Leftover, Leftovers, LeftReason, WordCount
from patchgen.model.outcome import Failure
from patchgen.model.sweep import Counts
from patchgen.sweep.outcomes import NO_MATCH, Outcomes

_NEEDS = b"needs"
# How often each file has each word, by path; "" stands for any number of all words.
Occurrences = dict[str, dict[str, int]]
_NO_FILES = Counts(0, 0, 0, 0)


@dataclass(slots=True)
class SweepState:
    """The files that have an outcome at this point of a sweep, and their outcomes.

    `keys` are the cache's keys of results. Of the files that were `run_again`, the result depends
    on the tree's macros. `header_notes` name headers that some includers change and others do not.
    """

    files: dict[PurePosixPath, TreeFile] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    keys: dict[PurePosixPath, bytes] = field(default_factory=dict)
    counts: Counts = _NO_FILES
    unfinished: dict[PurePosixPath, Failure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    header_notes: list[str] = field(default_factory=list)
    run_again: set[PurePosixPath] = field(default_factory=set)
    needs: Needs | None = None
    printed: str = ""
    # The words that the semantic patch removes; None if they were not searched for.
    occurrences: Occurrences | None = None
    # The files that scripts wrote, each with the first file of the run.
    written: list[tuple[str, PurePosixPath, bytes]] = field(default_factory=list)

    def use_cached(self, file: TreeFile, key: bytes, cached: bytes) -> None:
        """Use the cached result of a file."""
        self.files[file.path] = file
        self.keys[file.path] = key
        if cached != NO_MATCH:
            self.outcomes.add_packed(file.path, cached)


def name_content(oid: Oid, headers: Mapping[str, Oid]) -> bytes:
    """Return the key of a file's content and of the headers that it sees."""
    if not headers:
        return bytes.fromhex(oid)
    return make_key(oid, sorted(headers.items()))


# --- the results of a selection of files ---


@dataclass(frozen=True, slots=True)
class Selection:
    """The files with some suffixes at or below some places of a tree, and the places' ids.

    `macro_places` are the folders whose headers determine how files are parsed.
    """

    tree: Oid
    places: tuple[tuple[PurePosixPath, Oid], ...]
    suffixes: tuple[str, ...]
    macro_places: tuple[tuple[PurePosixPath, Oid], ...] = ()

    @property
    def name(self) -> bytes:
        """The key of the files with their contents: the ids determine the contents."""
        places = [[str(path), oid] for path, oid in self.places]
        macro_places = [[str(path), oid] for path, oid in self.macro_places]
        return b"files " + make_key(places, self.suffixes, macro_places)

    @property
    def shape(self) -> bytes:
        """The key of the selection in any tree."""
        return b"latest " + make_key([str(path) for path, _ in self.places], self.suffixes)


def find_cached_selection(cache: Cache, selection: Selection) -> SweepState | None:
    """Return the cached result of a selection, None if it is missing or incomplete."""
    return _find_state(cache, selection.name)


def find_earlier_selection(cache: Cache, selection: Selection) -> tuple[Oid, SweepState] | None:
    """Return the tree that was last run with the same paths, and its cached result, or None.

    Outcomes that depend on the tree's macros are left out: only the files are named.
    """
    packed = cache.find([selection.shape])
    if not packed:
        return None
    tree, name, run_again = json.loads(packed[selection.shape])
    state = _find_state(cache, bytes.fromhex(name))
    if state is None:
        return None
    for path, mode, oid in run_again:
        file = TreeFile(PurePosixPath(path), mode, Oid(oid))
        state.files[file.path] = file
        state.run_again.add(file.path)
        state.outcomes.pop(file.path, None)
    return Oid(tree), state


def _find_state(cache: Cache, name: bytes) -> SweepState | None:
    packed = cache.find([name])
    if not packed:
        return None
    count, entries, notes = json.loads(zlib.decompress(packed[name]))
    state = SweepState(counts=Counts(count, 0, count, 0), header_notes=notes)
    results = cache.find({bytes.fromhex(key) for *_, key in entries})
    for path, mode, oid, name_of_content in entries:
        key = bytes.fromhex(name_of_content)
        result = results.get(key, NO_MATCH)
        if result == NO_MATCH:
            return None
        state.use_cached(TreeFile(PurePosixPath(path), mode, Oid(oid)), key, result)
    return state


def cache_selection(cache: Cache, selection: Selection, state: SweepState) -> None:
    """Cache which files of a selection have outcomes, and the keys of these outcomes."""
    files = [(state.files[path], state.keys[path]) for path in state.outcomes]
    listed = [[str(file.path), file.mode, file.oid, key.hex()] for file, key in files]
    packed = zlib.compress(json.dumps([state.counts.files, listed, state.header_notes]).encode(), 6)
    again = [state.files[path] for path in sorted(state.run_again)]
    run_again = [[str(file.path), file.mode, file.oid] for file in again]
    latest = json.dumps([selection.tree, selection.name.hex(), run_again]).encode()
    cache.store([(selection.name, packed), (selection.shape, latest)])


# --- the words ---


def find_cached_needs(cache: Cache) -> Needs | None:
    """Return the words that a semantic patch needs, if an earlier run has determined them."""
    packed = cache.find([_NEEDS])
    return load_needs(packed[_NEEDS]) if packed else None


def cache_needs(cache: Cache, needs: Needs) -> None:
    """Cache the words that a semantic patch needs."""
    cache.store([(_NEEDS, needs.dump())])


# --- leftovers, and the reason why no file can match ---


def find_cached_leftovers(cache: Cache, selection: Selection) -> Leftovers | None:
    """Return the leftovers of a run over a selection, None if they are not cached."""
    key = b"left " + selection.name
    packed = cache.find([key]).get(key)
    if packed is None:
        return None
    words, places = json.loads(zlib.decompress(packed))
    return Leftovers(
        tuple(WordCount(*fields) for fields in words),
        tuple(
            Leftover(PurePosixPath(path), line, word, LeftReason(reason), detail)
            for path, line, word, reason, detail in places
        ),
    )


def cache_leftovers(cache: Cache, selection: Selection, leftovers: Leftovers) -> None:
    """Cache the leftovers of a run over a selection."""
    words = [
        [count.word, count.before, count.changed, count.is_common] for count in leftovers.words
    ]
    places = [
        [str(place.path), place.line, place.word, place.reason.value, place.detail]
        for place in leftovers.places
    ]
    packed = zlib.compress(json.dumps([words, places]).encode(), 6)
    cache.store([(b"left " + selection.name, packed)])


def find_cached_reason(cache: Cache, selection: Selection) -> str | None:
    """Return why no file of a selection can match, None if the reason is not cached."""
    key = b"nothing " + selection.name
    packed = cache.find([key]).get(key)
    return None if packed is None else packed.decode()


def cache_reason(cache: Cache, selection: Selection, reason: str) -> None:
    """Cache why no file of a selection can match; "" if one may."""
    cache.store([(b"nothing " + selection.name, reason.encode())])
