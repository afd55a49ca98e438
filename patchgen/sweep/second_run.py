# SPDX-License-Identifier: GPL-2.0-or-later
"""Run files again, with stand-ins for the tree's macros, if spatch could not parse all of them.

The first run is that of plain spatch. The result of the second one is used only if it contains that
of the first: each change, each mark and each line of output. So all findings of plain
spatch remain, and a file that spatch parses is not run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.cachefile import Cache, make_key
from patchgen.coccinelle import Source, Spatch, without_rule_marks
from patchgen.counting import count
from patchgen.linediff import find_line_changes, split_lines
from patchgen.model.base import Oid, TreeFile
from patchgen.model.outcome import FileResult, UnparsedFunction
from patchgen.odb import Repository, read_contents
from patchgen.sweep.batches import make_batches
from patchgen.sweep.candidates import Slicer, read_headers, read_in_groups
from patchgen.sweep.executor import Executor
from patchgen.sweep.includes import HeaderFinder
from patchgen.sweep.outcomes import outcome_of
from patchgen.sweep.request import SweepRequest
from patchgen.sweep.results import SweepState, name_content
from patchgen.sweep.slices import restore
from patchgen.sweep.stand_ins import Disguised, disguise
from patchgen.sweep.tree_macros import MacroFinder, add_hints


@dataclass(slots=True)
class _Rerun:
    """A file that is run again: its slice with stand-ins, and the parts that were cut from it."""

    file: TreeFile
    disguised: Disguised
    parts: tuple[bytes, ...]
    headers: Mapping[str, Oid]
    key: bytes


@dataclass(slots=True)
class SecondRun:
    """Runs the files again in which code was not parsed."""

    repository: Repository
    request: SweepRequest
    spatch: Spatch
    executor: Executor
    cache: Cache
    state: SweepState
    slicer: Slicer
    finder: HeaderFinder | None
    macros: MacroFinder
    # Selects the code in which a rule could have matched.
    may_match: Callable[[Iterable[UnparsedFunction]], Iterator[UnparsedFunction]]
    # The files by the macros for them: those that replace spatch's builtin ones, and the others.
    groups: dict[tuple[str, str], list[_Rerun]] = field(default_factory=dict)

    def run(self, paths: Sequence[PurePosixPath]) -> None:
        """Run these files again, and change the state to what both runs found."""
        files = [self.state.files[path] for path in paths]
        for file, text in read_in_groups(self.repository, files):
            self._prepare(file, text)
        own = self.request.program.patch
        has_written = False
        for (builtin, macros), reruns in self.groups.items():
            patch = replace(own, macros=macros + own.macros)
            # A stand-in may end with spaces, which must not be removed before it is replaced.
            program = replace(
                self.request.program, patch=patch, builtin_macros=builtin, restyles=False
            )
            request = replace(self.request, program=program)
            by_path = {rerun.file.path: rerun for rerun in reruns}
            batches = make_batches(
                self._sources(reruns),
                grouping=request.grouping,
                cores=request.run.jobs or os.cpu_count() or 1,
            )
            for _, results in self.executor(request, self.spatch, batches):
                for result in results:
                    if result.path in by_path:
                        self._take(by_path[result.path], result)
                    has_written |= bool(result.written)
        total = sum(map(len, self.groups.values()))
        if total:
            files_were = count(total, "file was", "files were")
            self.state.notes.append(f"{files_were} run again, with the tree's macros")
        if has_written or self.state.written:
            # Scripts write about many files in one run: the text about one cannot be replaced.
            self.state.notes.append("the files that its scripts wrote are those of the first run")

    def _prepare(self, file: TreeFile, text: bytes) -> None:
        """Use the cached result of a file, or add it to those that are run again."""
        near = self.macros.find_headers(file.path, text)
        includes = self.finder.find(str(file.path), text) if self.finder else {}
        key = make_key(
            "again",
            name_content(file.oid, includes).hex(),
            self.macros.shared.key.hex(),
            sorted(near.items()),
        )
        cached = self.cache.find([key]).get(key)
        if cached is not None:
            del self.state.outcomes[file.path]
            self.state.use_cached(file, key, cached)
            return
        source = self.slicer.cut(file, text)
        parts = self.slicer.take_parts(file.path)
        found = self.macros.find(text, near)
        disguised = disguise(source.text, found.uses) if source else None
        if disguised is not None:
            rerun = _Rerun(file, disguised, parts, includes, key)
            macros = add_hints(self.spatch.read_builtin_macros(), found)
            self.groups.setdefault(macros, []).append(rerun)

    def _sources(
        self, reruns: Sequence[_Rerun]
    ) -> Iterator[tuple[Source, Mapping[PurePosixPath, bytes]]]:
        contents: dict[Oid, bytes] = {}
        for rerun in reruns:
            headers = read_headers(self.repository, rerun.headers.items(), contents)
            yield Source(rerun.file.path, rerun.disguised.text), headers

    def _take(self, rerun: _Rerun, result: FileResult) -> None:
        """Use the result of the second run if it contains that of the first."""
        path = rerun.file.path
        first = self.state.outcomes[path]
        second = _reveal(rerun, result)
        if second is not None:
            [before] = read_contents(self.repository, [rerun.file])
            if second.after is not None:
                second = replace(second, after=self.request.program.restyle(before, second.after))
            if contains(before, first, second):
                unparsed = _both_unparsed(first, self.may_match(second.unparsed))
                first = replace(second, unparsed=tuple(unparsed), headers=first.headers)
        outcome = outcome_of(first)
        del self.state.outcomes[path]
        if outcome is not None:
            self.state.outcomes[path] = outcome
        if result.failure is None or result.failure.limit_s is None:
            self.state.keys[path] = rerun.key
            self.cache.store([(rerun.key, self.state.outcomes.find_packed(path))])


def _reveal(rerun: _Rerun, result: FileResult) -> FileResult | None:
    """Return a result for the whole file with its macros; None if it cannot be used."""
    if result.failure is not None:
        return None
    disguised = rerun.disguised
    after = result.after
    if after is not None:
        revealed = disguised.reveal(after)
        after = restore(revealed, rerun.parts) if revealed is not None and rerun.parts else revealed
        if after is None:
            return None
    printed = disguised.reveal_quotes(result.printed)
    marks = tuple(replace(mark, text=disguised.reveal_quotes(mark.text)) for mark in result.marks)
    if not all(map(disguised.is_free, (printed, *(mark.text for mark in marks)))):
        return None
    return replace(result, after=after, printed=printed, marks=marks)


def contains(before: bytes, first: FileResult, second: FileResult) -> bool:
    """Return whether a result for a file has all that another one has."""
    return (
        _has_changes(before, first.after, second.after)
        and set(first.marks) <= set(second.marks)
        and _has_lines(*(without_rule_marks(result.printed) for result in (first, second)))
    )


def _has_changes(before: bytes, first: bytes | None, second: bytes | None) -> bool:
    if first is None or first == second:
        return True
    if second is None:
        return False
    old, new, newer = map(split_lines, (before, first, second))
    changes = iter(find_line_changes(old, newer))
    change = next(changes, None)
    for start, end, new_start, new_end in find_line_changes(old, new):
        while change is not None and change.old_end < end:
            change = next(changes, None)
        if change is None or change.old_start > start:
            return False
        added = newer[change.new_start : change.new_end]
        if not _has_run(new[new_start:new_end], added):
            return False
    return True


def _has_run(lines: Sequence[bytes], within: Sequence[bytes]) -> bool:
    """Return whether lines are in others, one directly after the other."""
    count = len(lines)
    return any(within[at : at + count] == lines for at in range(len(within) - count + 1))


def _has_lines(text: str, within: str) -> bool:
    """Return whether the lines of a text are in another, in the same order."""
    remaining = iter(within.splitlines())
    return all(line in remaining for line in text.splitlines())


def _both_unparsed(
    first: FileResult, places: Iterable[UnparsedFunction]
) -> Iterator[UnparsedFunction]:
    """Yield those of the second run's places that the first one did not parse, either."""
    for place in places:
        if any(_overlap(place, other) for other in first.unparsed):
            yield place


def _overlap(one: UnparsedFunction, other: UnparsedFunction) -> bool:
    ends = max(one.line, one.end), max(other.line, other.end)
    return one.path == other.path and one.line <= ends[1] and other.line <= ends[0]
