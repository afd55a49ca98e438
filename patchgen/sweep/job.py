"""A sweep from end to end: what is in question, what is known, what has to be run, the result."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import (
    Needs,
    Program,
    Ran,
    Source,
    Spatch,
    find_needs,
    find_spatch,
    read_rules,
    read_said,
)
from patchgen.model.base import Base, Oid, TreeFile
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Counts, Mode, RuleCount, Sweep, Unfinished
from patchgen.odb import Repository, list_files, read_blobs, resolve_paths
from patchgen.sweep.candidates import Slicer, find_candidates, read_headers
from patchgen.sweep.executor import Executor, LocalExecutor
from patchgen.sweep.includes import HeaderFinder, Includes
from patchgen.sweep.kept import KeptResults
from patchgen.sweep.outcome import FileSweep, outcome_of, pack, unpack
from patchgen.sweep.recall import keep_selection, name_content, name_selection, recall_selection
from patchgen.sweep.slices import restore
from patchgen.sweep.work import Batch, make_batches, work

# As the kernel's .cocciconfig has it.
DEFAULT_TIMEOUT_S = 200
# Part of each run's digest: kept results of another number are not taken.
_FORM = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is: files that are done, of all that have to be run."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What to run over which files.

    `suffixes` are those of the files in question. `only` restricts them to these paths, None does
    not. `kept` is the file of kept results, None for none. `slices` off gives spatch whole files.
    """

    program: Program
    mode: Mode
    base: Base
    paths: tuple[PurePosixPath, ...] = ()
    suffixes: tuple[str, ...] = (".c",)
    includes: Includes = Includes.NONE
    include_folders: tuple[str, ...] = ()
    only: Collection[PurePosixPath] | None = None
    kept: Path | None = None
    slices: bool = True
    together: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    jobs: int = 1
    notes: tuple[str, ...] = ()


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
    executor = executor or LocalExecutor(request.jobs)
    digest = _digest(request, spatch)
    # What rules print in the end is about all files, so that no file's share can be kept.
    kept = KeptResults(None if request.together else request.kept, digest)
    with kept:
        job = _Job(repository, request, spatch, executor, kept, on_progress)
        job.run()
        return job.result(time.monotonic() - began)


def _digest(request: SweepRequest, spatch: Spatch) -> str:
    """Return what names all that a file's result depends on but the file and its headers."""
    program = request.program
    facts = [
        _FORM,
        spatch.version,
        program.patch.text,
        sorted(program.patch.definitions.items()),
        program.options,
        program.modes,
        sorted(program.companions.items()),
        program.patch.macros,
        sorted(program.patch.texts.items()),
        request.includes,
        request.include_folders,
        # A slice's result is the file's own. Where that is doubted, nothing of it may be taken.
        request.slices,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(slots=True)
class _Job:
    repository: Repository
    request: SweepRequest
    spatch: Spatch
    executor: Executor
    kept: KeptResults
    on_progress: Callable[[Progress], None]
    files: Mapping[PurePosixPath, TreeFile] = field(default_factory=dict)
    outcomes: dict[PurePosixPath, FileSweep] = field(default_factory=dict)
    unfinished: list[Unfinished] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: str = ""
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0))
    keys: dict[PurePosixPath, bytes] = field(default_factory=dict)

    def run(self) -> None:
        """Find what is known, and run what is not."""
        request = self.request
        selection = self._name_selection()
        recalled = recall_selection(self.kept, selection) if selection else None
        if recalled is not None:
            self.files, self.outcomes = recalled.files, dict(recalled.outcomes)
            self.counts = Counts(recalled.count, 0, recalled.count, 0)
            return
        tree = request.base.tree
        listed = list_files(self.repository, tree, request.paths, request.suffixes)
        if request.only is not None:
            listed = [file for file in listed if file.path in request.only]
        self.files = {file.path: file for file in listed}
        program = request.program
        needs = find_needs(self.spatch, program.patch, program.modes, program.companions)
        if needs.functions is None and request.slices:
            self.notes.append(f"files are not sliced: {needs.why_not}")
        if request.includes is Includes.NONE:
            self.keys = {file.path: name_content(file.oid, {}) for file in listed}
        unknown = self._recall_files(listed)
        candidates = find_candidates(
            self.repository, tree, request.paths, request.suffixes, unknown, needs
        )
        run = self._run(candidates, needs)
        self._keep_nothing(unknown, candidates)
        known = len(listed) - len(unknown)
        self.counts = Counts(len(listed), len(candidates), known, run)
        if selection and not self.unfinished:
            entries = [(self.files[path], self.keys[path]) for path in self.outcomes]
            keep_selection(self.kept, selection, len(listed), entries)

    def _name_selection(self) -> bytes | None:
        request = self.request
        where = resolve_paths(self.repository, request.base.tree, request.paths)
        if request.only is not None or request.together:
            return None
        where = where or [(PurePosixPath("."), request.base.tree)]
        return name_selection(where, request.suffixes)

    def _recall_files(self, listed: list[TreeFile]) -> list[TreeFile]:
        """Take the results that are kept; return the files that have none."""
        results = self.kept.find(list(set(self.keys.values())))
        unknown = []
        for file in listed:
            key = self.keys.get(file.path)
            if key not in results:
                unknown.append(file)
            elif (result := results[key]) is not None:
                self.outcomes[file.path] = unpack(result, file.path)
        return unknown

    def _keep_nothing(self, unknown: list[TreeFile], candidates: list[TreeFile]) -> None:
        """Keep that files which lack the words have no match, headers or not."""
        in_question = {file.path for file in candidates}
        self.kept.keep(
            (name_content(file.oid, {}), None) for file in unknown if file.path not in in_question
        )

    # --- what has to be run ---

    def _run(self, candidates: list[TreeFile], needs: Needs) -> int:
        """Run spatch over what can match in the candidates; return how many files it saw."""
        request = self.request
        # What holds the rest up if it comes last comes first; large files are not known yet.
        slicer = Slicer(self.repository, needs, request.slices and not request.together)
        batches = make_batches(self._sources(slicer, candidates), together=request.together)
        done = 0
        total = len(candidates)
        for batch, ran in self.executor.run(
            self.spatch, request.program, batches, request.timeout_s
        ):
            self._collect(slicer, ran)
            done += len(batch.sources)
            self.on_progress(Progress(done + len(slicer.idle), total))
        self.kept.keep((self.keys[file.path], None) for file in slicer.idle)
        return done

    def _sources(
        self, slicer: Slicer, candidates: list[TreeFile]
    ) -> Iterator[tuple[Source, Mapping[PurePosixPath, bytes]]]:
        finder = self._header_finder()
        held: dict[Oid, bytes] = {}
        for file, text in slicer.read(candidates):
            headers = finder.find(str(file.path), text) if finder else {}
            key = self.keys.setdefault(file.path, name_content(file.oid, headers))
            if headers and self._recall_late(file, key):
                continue
            source = slicer.cut(file, text)
            if source is not None:
                yield source, read_headers(self.repository, headers.items(), held)

    def _recall_late(self, file: TreeFile, key: bytes) -> bool:
        """Take a result whose key was not known before the file was read."""
        results = self.kept.find([key])
        if (result := results.get(key)) is not None:
            self.outcomes[file.path] = unpack(result, file.path)
        return key in results

    def _header_finder(self) -> HeaderFinder | None:
        request = self.request
        if request.includes is Includes.NONE:
            return None
        tree = list_files(self.repository, request.base.tree, (), ("",))
        files = {str(file.path): file.oid for file in tree}

        def read(oid: Oid) -> bytes:
            return next(read_blobs(self.repository, [oid]))

        return HeaderFinder(request.includes, files, request.include_folders, read)

    def _collect(self, slicer: Slicer, results: list[Ran]) -> None:
        keep: list[tuple[bytes, bytes | None]] = []
        for ran in results:
            if str(ran.path) == ".":
                self.said += ran.said
            elif ran.failure:
                self.unfinished.append(Unfinished(ran.path, ran.failure))
            else:
                outcome = outcome_of(ran, self._whole(slicer, ran))
                if outcome is not None:
                    self.outcomes[ran.path] = outcome
                keep.append((self.keys[ran.path], pack(outcome)))
        self.kept.keep(keep)

    def _whole(self, slicer: Slicer, ran: Ran) -> bytes | None:
        """Return the new text of the whole file, None where it does not change."""
        parts = slicer.parts.pop(ran.path, ())
        if ran.after is None or not parts:
            return ran.after
        whole = restore(ran.after, parts)
        if whole is None:
            # A rule has reached into what no rule can match: run the file whole.
            [before] = read_blobs(self.repository, [self.files[ran.path].oid])
            batch = Batch((Source(ran.path, before),))
            program, timeout_s = self.request.program, self.request.timeout_s
            [again] = work(self.spatch, program, batch, timeout_s)
            self.notes.append(f"{ran.path} was run again, whole")
            return again.after
        return whole

    # --- the result ---

    def result(self, seconds: float) -> Sweep:
        """Return what the sweep came to, in the order of the paths."""
        request = self.request
        found = [self.outcomes[path] for path in sorted(self.outcomes)]
        said = read_said("".join(each.said for each in found) + self.said)
        notes = [*request.notes, *self.notes, *([self.kept.note] if self.kept.note else [])]
        return Sweep(
            request.program.patch.name,
            request.base,
            request.mode,
            _count_rules(request.program, found),
            self._edits(found),
            tuple(place for each in found for place in each.marks) + said.reports,
            output=said.rest,
            unparsed=tuple(place for each in found for place in each.unparsed),
            unfinished=tuple(sorted(self.unfinished, key=lambda each: each.path)),
            counts=self.counts,
            notes=tuple(notes),
            seconds=seconds,
        )

    def _edits(self, found: list[FileSweep]) -> tuple[FileEdit, ...]:
        changed = [(each.path, each.after) for each in found if each.after is not None]
        oids = [self.files[path].oid for path, _ in changed]
        return tuple(
            FileEdit(path, self.files[path].mode, before, after)
            for (path, after), before in zip(
                changed, read_blobs(self.repository, oids), strict=True
            )
        )


def _count_rules(program: Program, found: list[FileSweep]) -> tuple[RuleCount, ...]:
    counts = {
        rule.name or f"line {rule.start}": [0, 0]
        for rule in read_rules(program.patch.text)
        if not rule.is_script
    }
    for each in found:
        for name, hits in each.hits:
            count = counts.setdefault(name, [0, 0])
            count[0] += hits
            count[1] += 1
    return tuple(RuleCount(name, hits, files) for name, (hits, files) in counts.items())
