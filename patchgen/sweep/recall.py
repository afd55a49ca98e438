"""What earlier runs say of the files in question."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.sweep.kept import KeptResults
from patchgen.sweep.outcome import FileSweep, unpack


@dataclass(frozen=True, slots=True)
class Recalled:
    """A selection whose whole result is known: how many files, and those that have an outcome."""

    count: int
    files: Mapping[PurePosixPath, TreeFile]
    outcomes: Mapping[PurePosixPath, FileSweep]


def name_selection(where: Sequence[tuple[PurePosixPath, Oid]], suffixes: Sequence[str]) -> bytes:
    """Return what names the files below some paths: their trees' ids say what is in them."""
    facts = [[(str(path), oid) for path, oid in where], list(suffixes)]
    return hashlib.sha1(json.dumps(facts).encode(), usedforsecurity=False).digest()


def name_content(oid: Oid, headers: Mapping[str, Oid]) -> bytes:
    """Return what names a file's content and that of the headers that are looked into."""
    if not headers:
        return bytes.fromhex(oid)
    facts = json.dumps([oid, sorted(headers.items())])
    return hashlib.sha1(facts.encode(), usedforsecurity=False).digest()


def recall_selection(kept: KeptResults, selection: bytes) -> Recalled | None:
    """Return the result of a selection that was run before, None where a part of it is gone."""
    packed = kept.find_selection(selection)
    if packed is None:
        return None
    count, entries = json.loads(zlib.decompress(packed))
    keys = {PurePosixPath(path): bytes.fromhex(key) for path, _, _, key in entries}
    results = kept.find(list(set(keys.values())))
    files = {}
    outcomes = {}
    for name, mode, oid, _ in entries:
        path = PurePosixPath(name)
        result = results.get(keys[path])
        if result is None:
            return None
        files[path] = TreeFile(path, mode, Oid(oid))
        outcomes[path] = unpack(result, path)
    return Recalled(count, files, outcomes)


def keep_selection(
    kept: KeptResults,
    selection: bytes,
    count: int,
    entries: Sequence[tuple[TreeFile, bytes]],
) -> None:
    """Keep which files of a selection have outcomes, and the keys of these."""
    listed = [[str(file.path), file.mode, file.oid, key.hex()] for file, key in entries]
    kept.keep_selection(selection, zlib.compress(json.dumps([count, listed]).encode(), 6))
