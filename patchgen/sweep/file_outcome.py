# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of a run, for one file and for all, and how they are stored in the cache."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.model.base import TreeFile
from patchgen.model.outcome import FileResult, ReportedPlace, RuleHits, UnparsedFunction
from patchgen.model.sweep import Counts, Unfinished

# What is cached for a file without a match.
NO_MATCH = b""


@dataclass(slots=True)
class SweepState:
    """The results for all selected files: the files with an outcome, and their outcomes.

    An outcome is the result of a whole file in which a rule matched or code was not parsed, with
    the rules that matched; other files have none.
    """

    files: Mapping[PurePosixPath, TreeFile]
    outcomes: Mapping[PurePosixPath, FileResult]
    counts: Counts
    unfinished: list[Unfinished] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: str = ""


def outcome_of(result: FileResult) -> FileResult | None:
    """Return the outcome of a completed run over a whole file."""
    hits = tuple(rule for rule in result.rules if rule.hits)
    outcome = replace(result, rules=hits, from_texts=frozenset(), seconds=0.0)
    return None if outcome == FileResult(result.path) else outcome


def pack(outcome: FileResult | None) -> bytes:
    """Return the bytes that are cached for an outcome."""
    if outcome is None:
        return NO_MATCH
    after = None if outcome.after is None else base64.b64encode(outcome.after).decode()
    unparsed = [[each.line, each.name] for each in outcome.unparsed]
    marks = [[each.line, each.end_line, each.text] for each in outcome.marks]
    hits = [[rule.rule, rule.hits] for rule in outcome.rules]
    text = json.dumps([str(outcome.path), after, hits, unparsed, outcome.printed, marks])
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 6)


def unpack(packed: bytes, path: PurePosixPath) -> FileResult:
    """Read a cached outcome, which may be that of the same content at another path."""
    fields = json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))
    was, after, hits, unparsed, printed, marks = fields
    return FileResult(
        path,
        None if after is None else base64.b64decode(after),
        tuple(RuleHits(rule, count) for rule, count in hits),
        tuple(UnparsedFunction(path, line, name) for line, name in unparsed),
        printed if was == str(path) else printed.replace(was, str(path)),
        tuple(ReportedPlace(path, line, None, text, end_line=end) for line, end, text in marks),
    )
