# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of a run, for one file and for all, and how they are stored in the cache."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.coccinelle import FileRun
from patchgen.model.base import TreeFile
from patchgen.model.outcome import UnparsedFunction
from patchgen.model.sweep import Counts, ReportedPlace, Unfinished

# What is cached for a file without a match.
NO_MATCH = b""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """The result for one file that matched or was not parsed; a file without a match has None.

    `after` is the whole new file, None if it does not change. `hits` are the rules that matched,
    with their counts. `marks` are the places that context mode marks.
    """

    path: PurePosixPath
    after: bytes | None = None
    hits: tuple[tuple[str, int], ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    said: str = ""
    marks: tuple[ReportedPlace, ...] = ()


@dataclass(slots=True)
class SweepState:
    """The results for all selected files: the files with an outcome, and their outcomes."""

    files: Mapping[PurePosixPath, TreeFile]
    outcomes: Mapping[PurePosixPath, FileOutcome]
    counts: Counts
    unfinished: list[Unfinished] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: str = ""


def outcome_of(ran: FileRun) -> FileOutcome | None:
    """Return the outcome of a completed run over a whole file."""
    hits = tuple((rule.rule, rule.hits) for rule in ran.rules if rule.hits)
    outcome = FileOutcome(ran.path, ran.after, hits, ran.unparsed, ran.said, ran.marks)
    return None if outcome == FileOutcome(ran.path) else outcome


def pack(outcome: FileOutcome | None) -> bytes:
    """Return the bytes that are cached for an outcome."""
    if outcome is None:
        return NO_MATCH
    after = None if outcome.after is None else base64.b64encode(outcome.after).decode()
    unparsed = [[each.line, each.name] for each in outcome.unparsed]
    marks = [[each.line, each.end_line, each.text] for each in outcome.marks]
    text = json.dumps([str(outcome.path), after, outcome.hits, unparsed, outcome.said, marks])
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack(packed: bytes, path: PurePosixPath) -> FileOutcome:
    """Read a cached outcome, which may be that of the same content at another path."""
    fields = json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
    was, after, hits, unparsed, said, marks = fields
    return FileOutcome(
        path,
        None if after is None else base64.b64decode(after),
        tuple((rule, count) for rule, count in hits),
        tuple(UnparsedFunction(path, line, name) for line, name in unparsed),
        said if was == str(path) else said.replace(was, str(path)),
        tuple(ReportedPlace(path, line, None, text, end_line=end) for line, end, text in marks),
    )
