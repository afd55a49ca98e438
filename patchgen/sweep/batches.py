# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches of files, each for one run of spatch by a local thread or a remote worker.

A batch contains everything that its run needs, so that it can be sent to a machine without the
repository and the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.coccinelle import Source
from patchgen.sweep.grouping import Grouping

# Starting spatch costs 20 to 220 ms, depending on the rules; 400 KB take a second. The first
# batches are smaller, so that no core waits for the search to fill them. Later ones are larger, but
# not so large that a single core would be busy with the last of them for long. spatch keeps the
# types that it has seen, which makes it slower by a sixth with 60 files, by half with 120.
_FIRST_BYTES = 50_000
_BATCH_BYTES = 400_000
_MAX_BYTES = 1_600_000
_SHARE = 4
_BATCH_FILES = 40
_PART_BYTES = 30_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Files for one run of spatch, with the headers that they see."""

    sources: tuple[Source, ...]
    headers: Mapping[PurePosixPath, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of bytes that spatch has to parse, which determines the time."""
        texts = [source.text for source in self.sources]
        return sum(map(len, (*texts, *self.headers.values())))


def make_batches(
    sources: Iterable[tuple[Source, Mapping[PurePosixPath, bytes]]],
    *,
    grouping: Grouping = Grouping.ANY,
    cores: int = 1,
) -> Iterator[Batch]:
    """Group files into batches of about the same cost, or as their semantic patch requires.

    The last files are shared out to that many cores, since no other work is left for these.
    """
    max_files = 1 if grouping is Grouping.APART else _BATCH_FILES
    together = grouping is Grouping.TOGETHER
    pending = _PendingBatch()
    max_bytes, batched_bytes = _FIRST_BYTES, 0
    for source, headers in sources:
        is_full = (
            pending.size + pending.weigh(source, headers) > max_bytes
            or len(pending.files) >= max_files
        )
        if pending.files and is_full and not together:
            yield pending.join()
            batched_bytes += pending.size
            pending = _PendingBatch()
            share = min(batched_bytes // (_SHARE * cores), _MAX_BYTES)
            max_bytes = max(min(2 * max_bytes, _BATCH_BYTES), share)
        pending.add(source, headers)
    if pending.files:
        yield from [pending.join()] if together else pending.share_out(cores)


_FileWithHeaders = tuple[Source, Mapping[PurePosixPath, bytes]]


@dataclass(slots=True)
class _PendingBatch:
    """Files collected for one batch. A header that several of them see is parsed once."""

    files: list[_FileWithHeaders] = field(default_factory=list)
    headers: dict[PurePosixPath, bytes] = field(default_factory=dict)
    size: int = 0

    def weigh(self, source: Source, headers: Mapping[PurePosixPath, bytes]) -> int:
        """Return how many more bytes spatch has to parse if a file is added."""
        new_headers = (text for path, text in headers.items() if path not in self.headers)
        return len(source.text) + sum(map(len, new_headers))

    def add(self, source: Source, headers: Mapping[PurePosixPath, bytes]) -> None:
        self.size += self.weigh(source, headers)
        self.headers |= headers
        self.files.append((source, headers))

    def join(self) -> Batch:
        return Batch(tuple(source for source, _ in self.files), self.headers)

    def share_out(self, cores: int) -> Iterator[Batch]:
        """Yield one batch per core, of about the same size; neighbours stay together."""
        parts = max(1, min(cores, self.size // _PART_BYTES, len(self.files)))
        remaining = self.size
        part = _PendingBatch()
        for source, headers in self.files:
            more = part.weigh(source, headers)
            if part.files and parts > 1 and part.size + more // 2 > remaining // parts:
                yield part.join()
                remaining -= part.size
                parts -= 1
                part = _PendingBatch()
            part.add(source, headers)
        yield part.join()
