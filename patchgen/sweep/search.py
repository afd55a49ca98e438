# SPDX-License-Identifier: GPL-2.0-or-later
"""Search for files that can match, run spatch over them, and cache the results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.cachefile import Cache
from patchgen.coccinelle import Source, Spatch, find_needs, run_files
from patchgen.model.base import Oid, TreeFile
from patchgen.model.outcome import Failure, FileResult
from patchgen.model.sweep import Counts
from patchgen.odb import (
    Entry,
    Repository,
    list_changes,
    list_entries,
    read_contents,
)
from patchgen.process import in_background
from patchgen.sweep.batches import make_batches
from patchgen.sweep.candidates import (
    Slicer,
    cache_needs,
    find_cached_needs,
    find_candidates,
    plan_candidates,
    read_header,
    read_headers,
)
from patchgen.sweep.executor import Executor
from patchgen.sweep.includes import HeaderFinder, Includes, Listing
from patchgen.sweep.request import MOST_FILE_BYTES, SweepRequest
from patchgen.sweep.results import (
    NO_MATCH,
    Selection,
    SweepState,
    cache_selection,
    find_earlier_selection,
    name_content,
    outcome_of,
    pack,
)
from patchgen.sweep.slices import restore

_TOO_LARGE = f"it is larger than the {MOST_FILE_BYTES >> 20} MiB that spatch is given"


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
    state: SweepState = field(default_factory=SweepState)
    finder: HeaderFinder | None = None

    def run(self) -> SweepState:
        """Look up cached results, and run the other files. Raises as `sweep` does."""
        request = self.request
        known = find_cached_needs(self.cache)
        with in_background(lambda: known or find_needs(self.spatch, request.program)) as asked:
            count, listed = self._list()
            unknown = self._recall_files(listed)
            planned = plan_candidates(self.repository, request, unknown)
        needs = asked.result()
        if known is None:
            cache_needs(self.cache, needs)
        if needs.functions is None and request.slices:
            self.state.notes.append(f"files are not sliced: {needs.reason}")
        slicer = Slicer(self.repository, needs, request.slices)
        run = self._run(find_candidates(self.repository, planned, unknown, needs), slicer)
        having = slicer.names - {str(file.path) for file in slicer.lacking}
        # A file without the words has no match, whatever its headers.
        idle = (oid for name, (_, oid) in unknown.items() if name not in having)
        self.cache.store((name_content(oid, {}), NO_MATCH) for oid in idle)
        self.state.counts = Counts(count, len(having), count - len(unknown), run)
        if self.selection and not self.state.unfinished:
            cache_selection(self.cache, self.selection, self.state)
        return self.state

    # --- cached results ---

    def _list(self) -> tuple[int, Mapping[str, Entry]]:
        """Return the number of selected files, and those without a result so far."""
        request = self.request
        tree = request.base.tree
        if request.includes is Includes.NONE:
            if (changed := self._list_changed()) is not None:
                return changed
            listed = list_entries(self.repository, tree, request.run.paths, request.suffixes)
        else:
            near = list_entries(self.repository, tree, request.run.paths)
            self.finder = self._header_finder(near)
            listed = {
                name: entry for name, entry in near.items() if name.endswith(request.suffixes)
            }
        if request.only is not None:
            only = set(map(str, request.only))
            listed = {name: entry for name, entry in listed.items() if name in only}
        return len(listed), listed

    def _list_changed(self) -> tuple[int, Mapping[str, Entry]] | None:
        """Do what `_list` does from the cached results of another tree, None if there are none."""
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
        self.state = state
        return state.counts.files - len(changes.before) + len(changes.after), changes.after

    def _recall_files(self, listed: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Use the cached results; return the files that have none."""
        if not self.cache.is_open or self.request.includes is not Includes.NONE:
            return listed
        keys = {name: name_content(oid, {}) for name, (_, oid) in listed.items()}
        results = self.cache.find(set(keys.values()))
        unknown = {}
        for name, (mode, oid) in listed.items():
            key = keys[name]
            if key not in results:
                unknown[name] = (mode, oid)
            elif results[key] != NO_MATCH:
                self.state.take(TreeFile(PurePosixPath(name), mode, oid), key, results[key])
        return unknown

    # --- runs of spatch ---

    def _run(self, candidates: Iterator[TreeFile], slicer: Slicer) -> int:
        """Run spatch over the candidates that can match; return how many files it saw."""
        request = self.request
        # The order matters: start what would otherwise finish last; large files are not known yet.
        batches = make_batches(
            self._sources(slicer, candidates),
            grouping=request.grouping,
            cores=request.run.jobs or os.cpu_count() or 1,
        )
        done = 0
        for batch, ran in self.executor(request, self.spatch, batches):
            self._collect(slicer, ran)
            done += len(batch.sources)
            total = len(slicer.names) if slicer.has_read_all else None
            self.on_progress(done + len(slicer.idle) + len(slicer.lacking), total)
        self.cache.store((self.state.keys[file.path], NO_MATCH) for file in slicer.idle)
        return done

    def _sources(
        self, slicer: Slicer, candidates: Iterator[TreeFile]
    ) -> Iterator[tuple[Source, Mapping[PurePosixPath, bytes]]]:
        finder, state = self.finder, self.state
        held: dict[Oid, bytes] = {}
        for file, text in slicer.read(candidates):
            headers = finder.find(str(file.path), text) if finder else {}
            key = state.keys[file.path] = name_content(file.oid, headers)
            state.files[file.path] = file
            # The key was not known before the file was read.
            if headers and key in (results := self.cache.find([key])):
                state.take(file, key, results[key])
                continue
            if len(text) > MOST_FILE_BYTES and slicer.may_match(text):
                state.unfinished[file.path] = Failure(_TOO_LARGE)
                continue
            source = slicer.cut(file, text)
            if source is not None:
                yield source, read_headers(self.repository, headers.items(), held)

    def _header_finder(self, near: Mapping[str, Entry]) -> HeaderFinder:
        request = self.request

        def list_below(paths: Sequence[PurePosixPath]) -> Mapping[str, Entry]:
            return list_entries(self.repository, request.base.tree, paths)

        def read(path: str, oid: Oid) -> bytes:
            return read_header(self.repository, path, oid)

        files = Listing(near, request.run.paths, list_below)
        return HeaderFinder(request.includes, files, request.includes.folders, read)

    def _collect(self, slicer: Slicer, results: list[FileResult]) -> None:
        state = self.state
        cached: list[tuple[bytes, bytes]] = []
        for result in results:
            ran = self._restore(result, slicer.parts.pop(result.path, ()))
            if str(ran.path) == ".":
                state.printed += ran.printed
            elif ran.failure is not None:
                state.unfinished[ran.path] = ran.failure
            else:
                outcome = outcome_of(ran)
                if outcome is not None:
                    state.outcomes[ran.path] = outcome
                cached.append((state.keys[ran.path], pack(outcome)))
        self.cache.store(cached)

    def _restore(self, ran: FileResult, parts: tuple[bytes, ...]) -> FileResult:
        """Return the result of a slice as that of the whole file."""
        if not parts or (ran.failure is not None and ran.failure.limit_s is not None):
            return ran
        whole = None if ran.after is None else restore(ran.after, parts)
        if ran.failure is None and (ran.after is None or whole is not None):
            return replace(ran, after=whole)
        # A rule changed a part that no rule can match, or spatch could not parse the slice.
        [text] = read_contents(self.repository, [self.state.files[ran.path]])
        seen = self.finder.find(str(ran.path), text) if self.finder else {}
        headers = read_headers(self.repository, seen.items(), {})
        self.state.notes.append(f"{ran.path} was run again, as a whole file")
        [again] = run_files(
            self.spatch,
            self.request.program,
            [Source(ran.path, text)],
            headers,
            timeout_s=self.request.run.timeout_s,
        )
        return again
