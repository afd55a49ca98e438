# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the facts of all relevant files of a tree, from the cache or with the parser.

Parsing uses two processes, as most of its work is in Python. Blobs are read in batches, so that a
whole kernel is never in memory at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.audit.assembly import parse_assembly
from patchgen.audit.facts import FileFacts
from patchgen.audit.parse_c import parse_source
from patchgen.audit.tables import Tables
from patchgen.cachefile import Cache, pack, unpack
from patchgen.errors import RefusedError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git, list_files, read_blobs
from patchgen.process import map_processes

OnProgress = Callable[[int, int], None]
_BATCH_BYTES = 400_000
_WORKERS = 2
_MAX_BYTES = 2 << 20
_TOO_LARGE = FileFacts(lost=((1, f"the whole file: it is larger than {_MAX_BYTES >> 20} MiB"),))
_Piece = list[tuple[bytes, bool, bytes | None]]


def find_files(git: Git, tree: Oid, tables: Tables) -> list[TreeFile]:
    """Return the files of a tree that an audit reads, sorted by path.

    Raises RefusedError for a tree that is not a kernel with arch/x86.
    """
    folders = [PurePosixPath(source) for source in (*tables.sources, *tables.headers)]
    files = []
    for file in sorted(list_files(git, tree, folders), key=lambda entry: entry.path.as_posix()):
        path = file.path.as_posix()
        header = path.endswith(".h")
        is_source = header or path.endswith((".c", ".S"))
        if is_source and not tables.without.fullmatch(path):
            files.append(file)
    if not any(file.path.as_posix().startswith("arch/x86/kernel/") for file in files):
        raise RefusedError(
            "the tree has no arch/x86/kernel: an audit needs an x86 kernel",
            code="not-a-kernel",
            hint="name the git repository of a kernel and one of its commits",
            parameters=("tree", "rev", "base"),
        )
    return files


def read_facts(
    git: Git,
    files: Sequence[TreeFile],
    cache: Cache,
    on_progress: OnProgress = lambda done, total: None,
) -> Mapping[str, FileFacts]:
    """Return the facts of each file by path. Raises RefusedError if a blob is missing."""
    keys = {file.path.as_posix(): _make_key(file) for file in files}
    stored = cache.find(sorted(set(keys.values())))
    loaded = {key: unpack(FileFacts, value) for key, value in stored.items()}
    del stored
    facts = {key: value for key, value in loaded.items() if value is not None}
    missing = {keys[file.path.as_posix()]: file for file in files}
    missing = {key: file for key, file in missing.items() if key not in facts}
    done = len(files) - len(missing)
    on_progress(done, len(files))
    parsed: list[tuple[bytes, bytes]] = []
    pieces = _read_pieces(git, missing)
    for values in map_processes(_parse_piece, pieces, workers=_WORKERS if len(missing) > 40 else 0):
        for key, value in values:
            if (read := unpack(FileFacts, value)) is None:
                raise ValueError(f"the facts of {missing[key].path} cannot be stored")
            facts[key] = read
            parsed.append((key, value))
        done += len(values)
        on_progress(done, len(files))
    if parsed:
        cache.store(parsed)
    return {path: facts[key] for path, key in keys.items()}


def _make_key(file: TreeFile) -> bytes:
    kind = "S" if file.path.suffix == ".S" else "C"
    return f"{kind}:{file.oid}".encode()


def _read_pieces(git: Git, missing: Mapping[bytes, TreeFile]) -> Iterator[_Piece]:
    """Yield contents in pieces of about the same size."""
    piece: _Piece = []
    size = 0
    oids = [file.oid for file in missing.values()]
    for (key, file), content in zip(missing.items(), read_blobs(git, oids), strict=True):
        small = content if len(content) <= _MAX_BYTES else None
        piece.append((key, file.path.suffix == ".S", small))
        size += len(content)
        if size > _BATCH_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _parse_piece(piece: _Piece) -> list[tuple[bytes, bytes]]:
    return [(key, pack(_parse(content, assembly))) for key, assembly, content in piece]


def _parse(content: bytes | None, is_assembly: bool) -> FileFacts:
    if content is None:
        return _TOO_LARGE
    return parse_assembly(content) if is_assembly else parse_source(content)


def digest_files(files: Sequence[TreeFile]) -> str:
    """Return a digest of all input of the facts."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.oid} ".encode() + bytes(file.path) + b"\0")
    return digest.hexdigest()
