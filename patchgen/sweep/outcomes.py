# SPDX-License-Identifier: GPL-2.0-or-later
"""The outcomes of a sweep by their files, and the form in which they are cached and in memory.

An outcome is the result of a whole file in which a rule matched or code was not parsed, with the
rules that matched; other files have none. A rule may change thousands of files, so the new texts
are compressed, in memory as in the cache.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import PurePosixPath
from typing import overload

from patchgen.model.outcome import FileResult, ReportedPlace, RuleHits, UnparsedFunction
from patchgen.model.series import FileEdit

# What is cached for a file without an outcome.
NO_MATCH = b""


class Outcomes(MutableMapping[PurePosixPath, FileResult]):
    """The outcomes by path. The `summaries` are the outcomes without texts, not compressed.

    `changed` are the files with a new text, `with_headers` those with new texts of headers.
    """

    def __init__(self) -> None:
        self._packed: dict[PurePosixPath, bytes] = {}
        self.summaries: dict[PurePosixPath, FileResult] = {}
        self.changed: set[PurePosixPath] = set()
        self.with_headers: set[PurePosixPath] = set()

    def __getitem__(self, path: PurePosixPath) -> FileResult:
        return unpack(self._packed[path], path)

    def __setitem__(self, path: PurePosixPath, outcome: FileResult) -> None:
        self._add(path, outcome, pack(outcome))

    def __delitem__(self, path: PurePosixPath) -> None:
        del self._packed[path], self.summaries[path]
        self.changed.discard(path)
        self.with_headers.discard(path)

    def __iter__(self) -> Iterator[PurePosixPath]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, path: object) -> bool:
        return path in self._packed

    def add_packed(self, path: PurePosixPath, packed: bytes) -> None:
        """Add the outcome of a file, which may be cached for the same content at another path."""
        self._add(path, unpack(packed, path), packed)

    def find_packed(self, path: PurePosixPath) -> bytes:
        """Return the bytes that are cached for a file."""
        return self._packed.get(path, NO_MATCH)

    def _add(self, path: PurePosixPath, outcome: FileResult, packed: bytes) -> None:
        # Not pop(), which would unpack the earlier one.
        if path in self:
            del self[path]
        self._packed[path] = packed
        self.summaries[path] = replace(outcome, after=None, headers=())
        if outcome.after is not None:
            self.changed.add(path)
        if outcome.headers:
            self.with_headers.add(path)


class CompressedEdits(Sequence[FileEdit]):
    """Edits of existing files with compressed texts; each is a FileEdit while it is used."""

    def __init__(self, edits: Iterable[FileEdit]):
        self._edits = [
            (edit.path, edit.mode, _compress(edit.before or b""), _compress(edit.after))
            for edit in edits
        ]

    @overload
    def __getitem__(self, index: int) -> FileEdit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FileEdit]: ...

    def __getitem__(self, index: int | slice) -> FileEdit | Sequence[FileEdit]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        path, mode, before, after = self._edits[index]
        return FileEdit(path, mode, zlib.decompress(before), zlib.decompress(after))

    def __len__(self) -> int:
        return len(self._edits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def _compress(text: bytes) -> bytes:
    """Compress a text to about a quarter; the best compression would take four times as long."""
    return zlib.compress(text, 1)


def outcome_of(result: FileResult) -> FileResult | None:
    """Return the outcome of a completed run over a whole file."""
    hits = tuple(rule for rule in result.rules if rule.hits)
    outcome = replace(result, rules=hits, from_texts=frozenset(), seconds=0.0)
    return None if outcome == FileResult(result.path) else outcome


def pack(outcome: FileResult | None) -> bytes:
    """Return the bytes that are cached for an outcome: a line of JSON, and the new texts."""
    if outcome is None:
        return NO_MATCH
    unparsed = [
        [None if place.path == outcome.path else str(place.path), place.line, place.name, place.end]
        for place in outcome.unparsed
    ]
    marks = [[mark.line, mark.end_line, mark.text] for mark in outcome.marks]
    hits = [[rule.rule, rule.hits, rule.counts_marks] for rule in outcome.rules]
    after = None if outcome.after is None else len(outcome.after)
    headers = [[str(path), len(new)] for path, new in outcome.headers]
    line = json.dumps([str(outcome.path), after, hits, unparsed, outcome.printed, marks, headers])
    texts = (outcome.after or b"", *(new for _, new in outcome.headers))
    return _compress(b"".join([line.encode("utf-8", "surrogatepass"), b"\n", *texts]))


def unpack(packed: bytes, path: PurePosixPath) -> FileResult:
    """Read a cached outcome, which may be that of the same content at another path."""
    file = BytesIO(zlib.decompress(packed))
    fields = json.loads(file.readline().decode("utf-8", "surrogatepass"))
    earlier_path, after, hits, unparsed, printed, marks, headers = fields
    return FileResult(
        path,
        None if after is None else file.read(after),
        tuple(RuleHits(rule, count, counts_marks=marked) for rule, count, marked in hits),
        tuple(
            UnparsedFunction(path if header is None else PurePosixPath(header), line, name, end)
            for header, line, name, end in unparsed
        ),
        printed if earlier_path == str(path) else printed.replace(earlier_path, str(path)),
        tuple(ReportedPlace(path, line, None, text, end_line=end) for line, end, text in marks),
        headers=tuple((PurePosixPath(name), file.read(length)) for name, length in headers),
    )
