# SPDX-License-Identifier: GPL-2.0-or-later
"""Cached results for a whole selection of files."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.sweep.file_outcome import FileOutcome, unpack
from patchgen.sweep.result_cache import ResultCache


@dataclass(frozen=True, slots=True)
class Selection:
    """The files with some suffixes at or below some places of a tree, and the places' ids."""

    tree: Oid
    places: tuple[tuple[PurePosixPath, Oid], ...]
    suffixes: tuple[str, ...]

    @property
    def name(self) -> bytes:
        """The key of the files with their contents: the ids determine the contents."""
        return _name([[str(path), oid] for path, oid in self.places], self.suffixes)

    @property
    def shape(self) -> bytes:
        """The key of the selection in any tree."""
        return _name([str(path) for path, _ in self.places], self.suffixes)


@dataclass(frozen=True, slots=True)
class CachedSelection:
    """The cached result of a whole selection: the number of files, and those with an outcome."""

    tree: Oid
    count: int
    files: Mapping[PurePosixPath, TreeFile]
    outcomes: Mapping[PurePosixPath, FileOutcome]


def name_content(oid: Oid, headers: Mapping[str, Oid]) -> bytes:
    """Return the key of a file's content and of the headers that it sees."""
    if not headers:
        return bytes.fromhex(oid)
    return _name(oid, sorted(headers.items()))


def _name(*facts: object) -> bytes:
    return hashlib.sha1(json.dumps(facts).encode(), usedforsecurity=False).digest()


def find_cached_selection(cache: ResultCache, selection: Selection) -> CachedSelection | None:
    """Return the cached result of a selection, None if it is missing or incomplete."""
    return _recall(cache, selection.name, selection.tree)


def find_earlier_selection(cache: ResultCache, selection: Selection) -> CachedSelection | None:
    """Return the cached result of the tree that was last run with the same paths, or None."""
    packed = cache.find_fact(selection.shape)
    if packed is None:
        return None
    tree, name = json.loads(packed)
    return _recall(cache, bytes.fromhex(name), Oid(tree))


def _recall(cache: ResultCache, name: bytes, tree: Oid) -> CachedSelection | None:
    packed = cache.find_fact(name)
    if packed is None:
        return None
    count, entries = json.loads(zlib.decompress(packed))
    keys = {PurePosixPath(path): bytes.fromhex(key) for path, _, _, key in entries}
    results = cache.find(list(set(keys.values())))
    files = {}
    outcomes = {}
    for listed, mode, oid, _ in entries:
        path = PurePosixPath(listed)
        result = results.get(keys[path])
        if result is None:
            return None
        files[path] = TreeFile(path, mode, Oid(oid))
        outcomes[path] = unpack(result, path)
    return CachedSelection(tree, count, files, outcomes)


def cache_selection(
    cache: ResultCache,
    selection: Selection,
    count: int,
    entries: Sequence[tuple[TreeFile, bytes]],
) -> None:
    """Cache which files of a selection have outcomes, and the keys of these outcomes."""
    listed = [[str(file.path), file.mode, file.oid, key.hex()] for file, key in entries]
    cache.store_fact(selection.name, zlib.compress(json.dumps([count, listed]).encode(), 6))
    cache.store_fact(selection.shape, json.dumps([selection.tree, selection.name.hex()]).encode())
