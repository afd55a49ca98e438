# SPDX-License-Identifier: GPL-2.0-or-later
"""Cached results for a whole selection of files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.cachefile import Cache, make_key
from patchgen.model.base import Oid, TreeFile
from patchgen.model.outcome import FileResult
from patchgen.sweep.file_outcome import unpack


@dataclass(frozen=True, slots=True)
class Selection:
    """The files with some suffixes at or below some places of a tree, and the places' ids."""

    tree: Oid
    places: tuple[tuple[PurePosixPath, Oid], ...]
    suffixes: tuple[str, ...]

    @property
    def name(self) -> bytes:
        """The key of the files with their contents: the ids determine the contents."""
        return b"files " + make_key([[str(path), oid] for path, oid in self.places], self.suffixes)

    @property
    def shape(self) -> bytes:
        """The key of the selection in any tree."""
        return b"latest " + make_key([str(path) for path, _ in self.places], self.suffixes)


@dataclass(frozen=True, slots=True)
class CachedSelection:
    """The cached result of a whole selection: the number of files, and those with an outcome."""

    tree: Oid
    count: int
    files: Mapping[PurePosixPath, TreeFile]
    outcomes: Mapping[PurePosixPath, FileResult]


def name_content(oid: Oid, headers: Mapping[str, Oid]) -> bytes:
    """Return the key of a file's content and of the headers that it sees."""
    if not headers:
        return bytes.fromhex(oid)
    return make_key(oid, sorted(headers.items()))


def find_cached_selection(cache: Cache, selection: Selection) -> CachedSelection | None:
    """Return the cached result of a selection, None if it is missing or incomplete."""
    return _recall(cache, selection.name, selection.tree)


def find_earlier_selection(cache: Cache, selection: Selection) -> CachedSelection | None:
    """Return the cached result of the tree that was last run with the same paths, or None."""
    packed = cache.find([selection.shape])
    if not packed:
        return None
    tree, name = json.loads(packed[selection.shape])
    return _recall(cache, bytes.fromhex(name), Oid(tree))


def _recall(cache: Cache, name: bytes, tree: Oid) -> CachedSelection | None:
    packed = cache.find([name])
    if not packed:
        return None
    count, entries = json.loads(zlib.decompress(packed[name]))
    keys = {PurePosixPath(path): bytes.fromhex(key) for path, _, _, key in entries}
    results = cache.find(set(keys.values()))
    files = {}
    outcomes = {}
    for listed, mode, oid, _ in entries:
        path = PurePosixPath(listed)
        result = results.get(keys[path])
        if not result:
            return None
        files[path] = TreeFile(path, mode, Oid(oid))
        outcomes[path] = unpack(result, path)
    return CachedSelection(tree, count, files, outcomes)


def cache_selection(
    cache: Cache,
    selection: Selection,
    count: int,
    entries: Sequence[tuple[TreeFile, bytes]],
) -> None:
    """Cache which files of a selection have outcomes, and the keys of these outcomes."""
    listed = [[str(file.path), file.mode, file.oid, key.hex()] for file, key in entries]
    files = zlib.compress(json.dumps([count, listed]).encode(), 6)
    latest = json.dumps([selection.tree, selection.name.hex()]).encode()
    cache.store([(selection.name, files), (selection.shape, latest)])
