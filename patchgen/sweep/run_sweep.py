# SPDX-License-Identifier: GPL-2.0-or-later
"""A sweep from end to end: select the files, look up cached results, run the rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from patchgen.cachefile import Cache, cache_file
from patchgen.coccinelle import Needs, RunnableSmpl, Spatch, find_spatch, read_rules
from patchgen.model.base import Oid
from patchgen.model.leftover import Leftovers
from patchgen.model.outcome import ReportedPlace
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.model.sweep import RuleCount, Sweep
from patchgen.odb import Repository, open_tree, read_contents, read_files, resolve_paths
from patchgen.sweep.grouping import Grouping
from patchgen.sweep.header_changes import find_header_changes
from patchgen.sweep.includes import Includes
from patchgen.sweep.outcomes import CompressedEdits, Outcomes
from patchgen.sweep.request import MACRO_FOLDERS, SweepRequest, name_run
from patchgen.sweep.results import (
    Selection,
    SweepState,
    cache_leftovers,
    cache_reason,
    find_cached_leftovers,
    find_cached_needs,
    find_cached_reason,
    find_cached_selection,
)

if TYPE_CHECKING:
    from patchgen.sweep.executor import Executor

# Called with the number of files that are done, and of all candidates; None while candidates are
# still being searched for.
OnProgress = Callable[[int, int | None], None]

_PARTIAL = "remaining words were not searched for: the clone is partial"


def sweep(
    repository: Repository,
    request: SweepRequest,
    *,
    executor: Executor | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> Sweep:
    """Run a semantic patch over files of a tree, and return the result.

    The result does not depend on what was cached, nor on the order in which files are done.

    Raises SpecError if spatch refuses the semantic patch, RefusedError for a path that the tree
    lacks, ToolError if a program is missing or fails.
    """
    began = time.monotonic()
    spatch = find_spatch()
    path = cache_file() if request.is_cached else None
    with Cache(path, name_run(request, spatch.version)) as cache:
        selection = _select(repository, request)
        state = find_cached_selection(cache, selection) if selection else None
        if state is None:
            state = _search(repository, request, executor, spatch, cache, selection, on_progress)
        needs = state.needs or find_cached_needs(cache)
        result = _result(repository, request, state, cache.note)
        leftovers = None
        if _reports_leftovers(repository, request):
            cached_for = None if state.unfinished else selection
            leftovers = _find_leftovers(repository, request, result, state, cache, cached_for)
        why = ""
        if needs and not (state.outcomes or state.unfinished or state.printed):
            why = _explain_no_match(repository, request, needs, selection, cache)
        is_partial = request.mode is Mode.PATCH and repository.is_partial
        return replace(
            result,
            notes=(*result.notes, *filter(None, (why, _PARTIAL if is_partial else ""))),
            warnings=needs.warnings if needs else (),
            leftovers=leftovers,
            no_match=why,
            seconds=time.monotonic() - began,
        )


def _search(
    repository: Repository,
    request: SweepRequest,
    executor: Executor | None,
    spatch: Spatch,
    cache: Cache,
    selection: Selection | None,
    on_progress: OnProgress,
) -> SweepState:
    # These imports take longer than a sweep with cached results.
    from patchgen.sweep.executor import run_locally
    from patchgen.sweep.search import Search

    executor = executor or run_locally
    search = Search(repository, request, spatch, executor, cache, selection, on_progress)
    if _reports_leftovers(repository, request):
        from patchgen.sweep.word_search import plan_word_search

        search.word_search = plan_word_search(repository, request)
    return search.run()


def _explain_no_match(
    repository: Repository,
    request: SweepRequest,
    needs: Needs,
    selection: Selection | None,
    cache: Cache,
) -> str:
    """Return why no file can match, "" if one may. The answer is cached."""
    why = find_cached_reason(cache, selection) if selection else None
    if why is None:
        from patchgen.sweep.no_match import explain_no_match

        is_limited = request.only_paths is not None or repository.is_partial
        why = "" if is_limited else explain_no_match(repository, request, needs)
        if selection is not None:
            cache_reason(cache, selection, why)
    return why


def _reports_leftovers(repository: Repository, request: SweepRequest) -> bool:
    """Return whether a run reports remaining words. A search would skip objects not cloned."""
    return request.mode is Mode.PATCH and not repository.is_partial


def _find_leftovers(
    repository: Repository,
    request: SweepRequest,
    result: Sweep,
    state: SweepState,
    cache: Cache,
    selection: Selection | None,
) -> Leftovers:
    """Return the words that a sweep in patch mode left. The answer is cached."""
    leftovers = None
    if selection is not None and state.occurrences is None:
        leftovers = find_cached_leftovers(cache, selection)
    if leftovers is None:
        from patchgen.sweep.leftovers import find_leftovers
        from patchgen.sweep.word_search import plan_word_search

        occurrences = state.occurrences
        if occurrences is None:
            word_search = plan_word_search(repository, request)
            occurrences = word_search.count() if word_search else {}
        leftovers = find_leftovers(repository, request, result, occurrences)
        if selection is not None:
            cache_leftovers(cache, selection, leftovers)
    return leftovers


def _select(repository: Repository, request: SweepRequest) -> Selection | None:
    """Return the key of the selected files, None if trees and paths do not determine them."""
    tree = request.base.tree
    where = [
        (resolved.path, resolved.oid)
        for resolved in resolve_paths(repository, tree, request.run.paths)
    ]
    if request.only_paths is not None or request.grouping is Grouping.TOGETHER:
        return None
    if where and request.includes is not Includes.NONE:
        # Headers may be anywhere in the tree.
        where.append((PurePosixPath("."), tree))
    places = tuple(where) or ((PurePosixPath("."), tree),)
    uses_macros = bool(request.run.paths) and request.uses_macros
    macro_places = _find_macro_places(repository, tree, request.run.paths) if uses_macros else ()
    return Selection(tree, places, request.suffixes, macro_places)


def _find_macro_places(
    repository: Repository, tree: Oid, paths: Sequence[PurePosixPath]
) -> tuple[tuple[PurePosixPath, Oid], ...]:
    """Return the folders whose headers determine how files at these paths are parsed."""
    opened = open_tree(repository, tree)
    folders = {*MACRO_FOLDERS, *(path.parent for path in paths)}
    entries = {folder: opened.get("" if str(folder) == "." else str(folder)) for folder in folders}
    return tuple(
        (folder, entry[1]) for folder, entry in sorted(entries.items()) if entry is not None
    )


def _result(repository: Repository, request: SweepRequest, state: SweepState, note: str) -> Sweep:
    """Return the result of the sweep, sorted by path."""
    summaries = state.outcomes.summaries
    outcomes = [summaries[path] for path in sorted(summaries)]
    printed = (outcome.printed for outcome in outcomes)
    reports, output = _read_reports([text for text in (*printed, state.printed) if text])
    return Sweep(
        request.name,
        request.base,
        request.mode,
        _count_rules(request.program, state.outcomes),
        CompressedEdits(_read_edits(repository, request, state)),
        tuple(place for outcome in outcomes for place in outcome.marks) + reports,
        output=output,
        # A header that several files include is parsed for each of them.
        unparsed=tuple(dict.fromkeys(place for outcome in outcomes for place in outcome.unparsed)),
        written=_join_written(state.written),
        unfinished=dict(sorted(state.unfinished.items())),
        counts=state.counts,
        notes=(*request.notes, *state.notes, *state.header_notes, *([note] if note else [])),
    )


def _join_written(written: list[tuple[str, PurePosixPath, bytes]]) -> tuple[tuple[str, bytes], ...]:
    """Return each file once; what several runs wrote to it is in the order of the runs' files."""
    found: dict[str, bytes] = {}
    for name, _, content in sorted(written):
        found[name] = found.get(name, b"") + content
    return tuple(found.items())


def _read_reports(texts: list[str]) -> tuple[tuple[ReportedPlace, ...], str]:
    """Split the output of scripts, file by file, into reports and other text."""
    if not texts:
        return (), ""
    from patchgen.coccinelle import read_reports

    parts = [read_reports(text) for text in texts]
    reports = tuple(report for part in parts for report in part.reports)
    return reports, "".join(part.other_text for part in parts)


def _read_edits(
    repository: Repository, request: SweepRequest, state: SweepState
) -> Iterator[FileEdit]:
    outcomes = state.outcomes
    headers = find_header_changes(outcomes[path] for path in sorted(outcomes.with_headers))
    files = read_files(repository, request.base.tree, headers) if headers else {}
    files |= {path: state.files[path] for path in outcomes.changed}
    ordered = [files[path] for path in sorted(files)]
    for file, before in zip(ordered, read_contents(repository, ordered), strict=True):
        header = headers.get(file.path)
        own = outcomes[file.path].after if file.path in outcomes.changed else None
        if header is not None and own is not None:
            header.join_own(before, own)
        after = own if header is None else header.after
        assert after is not None
        yield FileEdit(file.path, file.mode, before, after)


def _count_rules(program: RunnableSmpl, outcomes: Outcomes) -> tuple[RuleCount, ...]:
    counts = {rule.label: [0, 0] for rule in read_rules(program.patch.text) if not rule.is_script}
    marking: set[str] = set()
    for path, outcome in sorted(outcomes.summaries.items()):
        # The trace of a file has the hits in its headers, too. They count once, for the header.
        counted = Counter[str]()
        for header, text in outcomes[path].headers if path in outcomes.with_headers else ():
            if header in outcomes.changed and (own := outcomes[header]).after == text:
                counted.update({rule.rule: rule.hits for rule in own.rules})
        for rule in outcome.rules:
            if rule.counts_marks:
                marking.add(rule.rule)
            hits = rule.hits - counted[rule.rule]
            if hits > 0:
                count = counts.setdefault(rule.rule, [0, 0])
                count[0] += hits
                count[1] += 1
    return tuple(
        RuleCount(name, hits, files, name in marking) for name, (hits, files) in counts.items()
    )
