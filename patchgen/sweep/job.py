"""A sweep from end to end: what is in question, what is known, what has to be run, the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from patchgen.coccinelle import Program, find_spatch, read_rules
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Counts, Report, RuleCount, Sweep
from patchgen.odb import Repository, read_contents, resolve_paths
from patchgen.sweep.grouping import Grouping
from patchgen.sweep.kept import KeptResults
from patchgen.sweep.outcome import FileSweep, Found
from patchgen.sweep.recall import Selection, recall_selection
from patchgen.sweep.request import Progress, SweepRequest, name_run

if TYPE_CHECKING:
    from patchgen.sweep.executor import Executor


def sweep(
    repository: Repository,
    request: SweepRequest,
    *,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Sweep:
    """Run a semantic patch over files of a tree, and tell what it came to.

    The result is the same whatever was kept, and in whatever order files came to their end.

    Raises SpecError where spatch refuses the semantic patch, BaseError for a path that the tree
    lacks, ToolError where a program is missing or breaks.
    """
    began = time.monotonic()
    spatch = find_spatch()
    # What rules print in the end is about all files, so that no file's share can be kept.
    path = None if request.grouping is Grouping.TOGETHER else request.kept
    with KeptResults(path, name_run(request, spatch.version)) as kept:
        selection = _select(repository, request)
        found = _recall(kept, selection)
        if found is None:
            # What it needs takes longer to import than a sweep takes that finds all kept.
            from patchgen.sweep.executor import LocalExecutor
            from patchgen.sweep.search import Search

            executor = executor or LocalExecutor(request.jobs)
            search = Search(repository, request, spatch, executor, kept, selection, on_progress)
            found = search.run()
        return _result(repository, request, found, kept.note, time.monotonic() - began)


def _select(repository: Repository, request: SweepRequest) -> Selection | None:
    """Return what names the files in question, None where trees and paths do not say it all."""
    tree = request.base.tree
    where = [(each.path, each.oid) for each in resolve_paths(repository, tree, request.paths)]
    if request.only is not None or request.grouping is Grouping.TOGETHER:
        return None
    return Selection(tree, tuple(where) or ((PurePosixPath("."), tree),), request.suffixes)


def _recall(kept: KeptResults, selection: Selection | None) -> Found | None:
    recalled = recall_selection(kept, selection) if selection else None
    if recalled is None:
        return None
    counts = Counts(recalled.count, 0, recalled.count, 0)
    return Found(recalled.files, recalled.outcomes, counts)


def _result(
    repository: Repository, request: SweepRequest, found: Found, note: str, seconds: float
) -> Sweep:
    """Return what the sweep came to, in the order of the paths."""
    outcomes = [found.outcomes[path] for path in sorted(found.outcomes)]
    said = (each.said for each in outcomes)
    reports, output = _read_said([text for text in (*said, found.said) if text])
    return Sweep(
        request.program.patch.name,
        request.base,
        request.mode,
        _count_rules(request.program, outcomes),
        _read_edits(repository, found, outcomes),
        tuple(place for each in outcomes for place in each.marks) + reports,
        output=output,
        unparsed=tuple(place for each in outcomes for place in each.unparsed),
        unfinished=tuple(sorted(found.unfinished, key=lambda each: each.path)),
        counts=found.counts,
        notes=(*request.notes, *found.notes, *([note] if note else [])),
        seconds=seconds,
    )


def _read_said(texts: list[str]) -> tuple[tuple[Report, ...], str]:
    """Return the reports in what scripts said, file by file, and the rest of it."""
    if not texts:
        return (), ""
    from patchgen.coccinelle import read_said

    said = [read_said(text) for text in texts]
    reports = tuple(report for each in said for report in each.reports)
    return reports, "".join(each.rest for each in said)


def _read_edits(
    repository: Repository, found: Found, outcomes: list[FileSweep]
) -> tuple[FileEdit, ...]:
    changed = [(found.files[each.path], each.after) for each in outcomes if each.after is not None]
    texts = read_contents(repository, [file for file, _ in changed])
    return tuple(
        FileEdit(file.path, file.mode, before, after)
        for (file, after), before in zip(changed, texts, strict=True)
    )


def _count_rules(program: Program, outcomes: list[FileSweep]) -> tuple[RuleCount, ...]:
    counts = {
        rule.name or f"line {rule.start}": [0, 0]
        for rule in read_rules(program.patch.text)
        if not rule.is_script
    }
    for each in outcomes:
        for name, hits in each.hits:
            count = counts.setdefault(name, [0, 0])
            count[0] += hits
            count[1] += 1
    return tuple(RuleCount(name, hits, files) for name, (hits, files) in counts.items())
