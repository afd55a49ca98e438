# SPDX-License-Identifier: GPL-2.0-or-later
"""Search for files that can match, run spatch over them, and cache the results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.cachefile import Cache
from patchgen.coccinelle import Source, Spatch, find_needs, run_files
from patchgen.model.base import Oid, TreeFile
from patchgen.model.outcome import Failure, FileResult, UnparsedFunction
from patchgen.model.sweep import Counts
from patchgen.odb import (
    Entry,
    PlannedSearch,
    Repository,
    list_changes,
    list_entries,
    read_contents,
)
from patchgen.process import in_background
from patchgen.sweep.batches import make_batches
from patchgen.sweep.candidates import (
    Slicer,
    choose_clause,
    find_candidates,
    find_entries,
    may_have_matched,
    plan_candidates,
    read_header,
    read_headers,
)
from patchgen.sweep.executor import Executor
from patchgen.sweep.header_changes import describe_partial_changes
from patchgen.sweep.includes import HeaderFinder, Includes, Listing
from patchgen.sweep.outcomes import NO_MATCH, outcome_of
from patchgen.sweep.request import MAX_FILE_BYTES, WHOLE_FILES, SweepRequest
from patchgen.sweep.results import (
    Selection,
    SweepState,
    cache_needs,
    cache_selection,
    find_cached_needs,
    find_earlier_selection,
    name_content,
)
from patchgen.sweep.slices import restore
from patchgen.sweep.word_search import WordSearch

_TOO_LARGE = f"it is larger than the {MAX_FILE_BYTES >> 20} MiB that spatch is given"


@dataclass(slots=True)
class Search:
    """One run over the files of a tree whose results are not all cached."""

    repository: Repository
    request: SweepRequest
    spatch: Spatch
    executor: Executor
    cache: Cache
    selection: Selection | None
    on_progress: Callable[[int, int | None], None]
    # The search for the words that the semantic patch removes.
    word_search: WordSearch | None = None
    state: SweepState = field(default_factory=SweepState)
    finder: HeaderFinder | None = None
    # The candidates by the headers that they include, if headers may be changed.
    includers: dict[str, list[PurePosixPath]] = field(default_factory=dict)

    def run(self) -> SweepState:
        """Look up cached results, and run the other files. Raises as `sweep` does."""
        request = self.request
        cached_needs = find_cached_needs(self.cache)
        with in_background(
            lambda: cached_needs or find_needs(self.spatch, request.program)
        ) as needs_result:
            count, listed = self._list()
            uncached = self._use_cached(listed)
            whole = self.word_search.search if self.word_search else None
            search = plan_candidates(self.repository, request, uncached, whole)
        needs = self.state.needs = needs_result.result()
        if cached_needs is None:
            cache_needs(self.cache, needs)
        if needs.functions is None and request.slices:
            self.state.notes.append(f"{WHOLE_FILES}: {needs.reason}")
        slicer = Slicer(self.repository, needs, request.slices)
        run = self._run_candidates(search, uncached, slicer)
        with_words = slicer.names - {str(file.path) for file in slicer.without_words}
        # A file without the words has no match, whatever its headers contain.
        without_words = (oid for name, (_, oid) in uncached.items() if name not in with_words)
        self.cache.store((name_content(oid, {}), NO_MATCH) for oid in without_words)
        self.state.counts = Counts(count, len(with_words), count - len(uncached), run)
        # They take much memory, which the macros of the tree need next.
        del listed, uncached, without_words
        self._run_again(slicer)
        outcomes = self.state.outcomes
        self.state.header_notes = describe_partial_changes(
            (outcomes[path] for path in outcomes.with_headers), self.includers
        )
        if self.selection and not self.state.unfinished and not self.state.written:
            cache_selection(self.cache, self.selection, self.state)
        return self.state

    # --- cached results ---

    def _list(self) -> tuple[int, Mapping[str, Entry]]:
        """Return the number of selected files, and the files that have no result yet."""
        request = self.request
        tree = request.base.tree
        if request.includes is Includes.NONE:
            if (changed := self._list_changed()) is not None:
                return changed
            listed = list_entries(self.repository, tree, request.run.paths, request.suffixes)
            headers = [path for path in request.run.paths if path.suffix == ".h"]
            if headers:
                found = list_entries(self.repository, tree, headers, (".h",))
                listed |= {name: found[name] for name in map(str, headers) if name in found}
        else:
            near = list_entries(self.repository, tree, request.run.paths)
            self.finder = self._header_finder(near)
            named = frozenset(map(str, request.run.paths))
            listed = {
                name: entry
                for name, entry in near.items()
                if name.endswith(request.suffixes) or name in named
            }
        if request.only_paths is not None:
            only_paths = set(map(str, request.only_paths))
            listed = {name: entry for name, entry in listed.items() if name in only_paths}
        return len(listed), listed

    def _list_changed(self) -> tuple[int, Mapping[str, Entry]] | None:
        """Return what `_list` does, by the cached results of another tree; None without them."""
        earlier = find_earlier_selection(self.cache, self.selection) if self.selection else None
        if earlier is None:
            return None
        request = self.request
        before, state = earlier
        changes = list_changes(
            self.repository, before, request.base.tree, request.run.paths, request.suffixes
        )
        if changes is None:
            return None
        for path in changes.before & state.outcomes.keys():
            del state.outcomes[path]
        again = {
            str(path): (state.files[path].mode, state.files[path].oid)
            for path in state.run_again - changes.before
        }
        state.run_again.clear()
        self.state = state
        count = state.counts.files - len(changes.before) + len(changes.after)
        return count, {**again, **changes.after}

    def _use_cached(self, listed: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Use the cached results; return the files without one."""
        if not self.cache.is_open or self.request.includes is not Includes.NONE:
            return listed
        keys = {name: name_content(oid, {}) for name, (_, oid) in listed.items()}
        results = self.cache.find(set(keys.values()))
        uncached = {}
        for name, (mode, oid) in listed.items():
            key = keys[name]
            if key not in results:
                uncached[name] = (mode, oid)
            elif results[key] != NO_MATCH:
                self.state.use_cached(TreeFile(PurePosixPath(name), mode, oid), key, results[key])
        return uncached

    # --- runs of spatch ---

    def _run_candidates(
        self, search: PlannedSearch | None, files: Mapping[str, Entry], slicer: Slicer
    ) -> int:
        """Search for candidates and for removed words; return on how many files spatch ran."""
        word_search, clause = self.word_search, choose_clause(slicer.needs.file)
        if search and clause and word_search and word_search.can_include(clause):
            run = self._run(find_entries(files, word_search.list_files(clause)), slicer)
            self.state.occurrences = word_search.occurrences
            return run
        candidates = find_candidates(self.repository, search, files, slicer.needs)
        # In parallel, now that spatch has accepted the semantic patch.
        with in_background(lambda: word_search.count() if word_search else None) as occurrences:
            run = self._run(candidates, slicer)
        self.state.occurrences = occurrences.result()
        return run

    def _run(self, candidates: Iterator[TreeFile], slicer: Slicer) -> int:
        """Run spatch on the candidates that can match; return their number."""
        request = self.request
        # In the order of the search: which files are large is known only once they are read.
        batches = make_batches(
            self._sources(slicer, candidates),
            grouping=request.grouping,
            cores=request.run.jobs or os.cpu_count() or 1,
        )
        done = 0
        for batch, results in self.executor(request, self.spatch, batches):
            self._collect(slicer, results)
            done += len(batch.sources)
            total = len(slicer.names) if slicer.has_read_all else None
            self.on_progress(done + len(slicer.unmatchable) + len(slicer.without_words), total)
        self.cache.store((self.state.keys[file.path], NO_MATCH) for file in slicer.unmatchable)
        return done

    def _run_again(self, slicer: Slicer) -> None:
        """Run the files again that spatch could not parse, with the macros of the tree."""
        request, state = self.request, self.state
        unparsed = [
            path
            for path, outcome in sorted(state.outcomes.summaries.items())
            if any(place.path == path for place in outcome.unparsed)
        ]
        if not unparsed or not request.uses_macros:
            return
        from patchgen.sweep.second_run import SecondRun
        from patchgen.sweep.tree_macros import MacroFinder, find_macros

        tree = request.base.tree
        macros = find_macros(self.repository, request)
        second = SecondRun(
            self.repository,
            request,
            self.spatch,
            self.executor,
            self.cache,
            state,
            slicer,
            self.finder,
            MacroFinder(self.repository, tree, macros),
            self._may_match,
        )
        second.run(unparsed)
        state.run_again.update(unparsed)

    def _sources(
        self, slicer: Slicer, candidates: Iterator[TreeFile]
    ) -> Iterator[tuple[Source, Mapping[PurePosixPath, bytes]]]:
        finder, state = self.finder, self.state
        header_contents: dict[Oid, bytes] = {}
        for file, text in slicer.read(candidates):
            headers = finder.find(str(file.path), text) if finder else {}
            key = state.keys[file.path] = name_content(file.oid, headers)
            state.files[file.path] = file
            for name in headers if self.request.changes_headers else ():
                self.includers.setdefault(name, []).append(file.path)
            # The key was not known before the file was read.
            if headers and key in (results := self.cache.find([key])):
                state.use_cached(file, key, results[key])
                continue
            if len(text) > MAX_FILE_BYTES and slicer.may_match(text):
                state.unfinished[file.path] = Failure(_TOO_LARGE)
                continue
            texts: Mapping[PurePosixPath, bytes] = {}
            if headers and slicer.may_match(text):
                texts = read_headers(self.repository, headers.items(), header_contents)
            changes_headers = self.request.changes_headers and any(
                slicer.may_change(oid, header_contents[oid]) for oid in headers.values() if texts
            )
            source = slicer.cut(file, text, changes_headers=changes_headers)
            if source is not None:
                yield source, texts

    def _header_finder(self, near: Mapping[str, Entry]) -> HeaderFinder:
        request = self.request

        def list_below(paths: Sequence[PurePosixPath]) -> Mapping[str, Entry]:
            return list_entries(self.repository, request.base.tree, paths)

        def read(path: str, oid: Oid) -> bytes:
            return read_header(self.repository, path, oid)

        files = Listing(near, request.run.paths, list_below)
        return HeaderFinder(request.includes, files, request.folders, read)

    def _collect(self, slicer: Slicer, results: list[FileResult]) -> None:
        state = self.state
        cached: list[tuple[bytes, bytes]] = []
        for result in results:
            restored = self._restore(result, slicer.take_parts(result.path))
            if str(restored.path) == ".":
                state.printed += restored.printed
                first = min(other.path for other in results if other is not result)
                state.written += [(name, first, content) for name, content in restored.written]
            elif restored.failure is not None:
                state.unfinished[restored.path] = restored.failure
            else:
                outcome = outcome_of(
                    replace(restored, unparsed=tuple(self._may_match(restored.unparsed)))
                )
                if outcome is not None:
                    state.outcomes[restored.path] = outcome
                packed = state.outcomes.find_packed(restored.path)
                cached.append((state.keys[restored.path], packed))
        # A cached result would not write its files again.
        if not any(result.written for result in results):
            self.cache.store(cached)

    def _may_match(self, places: Iterable[UnparsedFunction]) -> Iterator[UnparsedFunction]:
        """Yield the code in which a rule could have matched, had it been parsed."""
        for place in places:
            if self.state.needs is None or may_have_matched(self.state.needs, place.words):
                yield replace(place, words=frozenset())

    def _restore(self, result: FileResult, parts: tuple[bytes, ...]) -> FileResult:
        """Return the result of a slice as that of the whole file."""
        if not parts or (result.failure is not None and result.failure.limit_s is not None):
            return result
        restored = None if result.after is None else restore(result.after, parts)
        if result.failure is None and (result.after is None or restored is not None):
            return replace(result, after=restored)
        # A rule changed a part that no rule can match, or spatch could not parse the slice.
        [text] = read_contents(self.repository, [self.state.files[result.path]])
        includes = self.finder.find(str(result.path), text) if self.finder else {}
        headers = read_headers(self.repository, includes.items(), {})
        self.state.notes.append(f"{result.path} was run again, as a whole file")
        source = Source(result.path, text, changes_headers=self.request.changes_headers)
        [rerun] = run_files(
            self.spatch,
            self.request.program,
            [source],
            headers,
            timeout_s=self.request.run.timeout_s,
        )
        return rerun
