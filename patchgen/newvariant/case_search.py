# SPDX-License-Identifier: GPL-2.0-or-later
"""Search a tree for golden cases of a semantic patch, in the files that it may change."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import (
    FileResult,
    Needs,
    RunnableSmpl,
    Source,
    Spatch,
    run_files,
)
from patchgen.counting import count
from patchgen.errors import PatchgenError, RefusedError
from patchgen.model.base import TreeFile
from patchgen.newvariant.golden_case import CaseFinder
from patchgen.odb import GitTree, Repository, plan_search, read_contents
from patchgen.paths import absolute_path
from patchgen.process import iterate_parallel
from patchgen.sweep.batches import Batch, make_batches
from patchgen.sweep.candidates import Slicer, find_candidates
from patchgen.sweep.request import MAX_FILE_BYTES

# Up to this many files are read in less time than git searches all.
_FEW_FILES = 400
# `new` is interactive: a semantic patch that changes nothing must not run over the whole kernel.
_SEARCH_S = 60
_ON = "`--on` can name a file that it changes"
_TREE = "`--tree` names one that has files that it changes"


@dataclass(frozen=True, slots=True)
class CaseSource:
    """Where to look for a golden case: the files that match `on` at HEAD of a repository."""

    tree: Path
    on: tuple[str, ...]
    timeout_s: int


@dataclass(frozen=True, slots=True)
class FoundCases:
    """The texts of cases, and why there is none: "" if there are some."""

    texts: Sequence[bytes] = ()
    reason: str = ""


def search_cases(
    source: CaseSource, program: RunnableSmpl, needs: Needs, spatch: Spatch
) -> FoundCases:
    """Return golden cases from the tree, until each rule matches in one or the time is up."""
    try:
        repository = Repository(source.tree)
    except RefusedError:
        return FoundCases(reason=f"{absolute_path(source.tree)} is not a git tree ({_TREE})")
    with closing(repository):
        tree = GitTree(repository, repository.resolve_tree(repository.resolve_commit("HEAD")))
        files = tree.find(source.on)
        if not files:
            return FoundCases(reason=f"no file of the tree matches `--on` ({_ON})")
        slicer = Slicer(repository, needs, slices=True)
        finder = CaseFinder(program.patch, spatch, source.timeout_s, slicer.may_match)
        search = _CaseSearch(slicer, finder, spatch, program, source.timeout_s)
        is_complete = search.run(_find_candidates(repository, tree, files, needs))
    if finder.cases:
        return FoundCases(finder.cases)
    return FoundCases(reason=f"{_explain(search.tried, is_complete)} ({_ON})")


def _find_candidates(
    repository: Repository, tree: GitTree, files: Sequence[TreeFile], needs: Needs
) -> Iterator[TreeFile]:
    suffixes = tuple({file.path.suffix for file in files})
    is_searched = len(files) > _FEW_FILES and not repository.is_partial
    search = plan_search(repository, tree.oid, (), suffixes) if is_searched else None
    entries = {str(file.path): (file.mode, file.oid) for file in files}
    return find_candidates(repository, search, entries, needs)


def _explain(tried: int, is_complete: bool) -> str:
    if tried == 0:
        return "no file that matches `--on` has the words that it needs"
    end = "" if is_complete else f" in the {_SEARCH_S} seconds of the search"
    files = f"{count(tried, 'file')} with the words that it needs"
    return f"spatch ran on {files}{end}, and changed none"


@dataclass(slots=True)
class _CaseSearch:
    """A search for cases, until the time `end`. `tried` is the number of files spatch ran on."""

    slicer: Slicer
    finder: CaseFinder
    spatch: Spatch
    program: RunnableSmpl
    timeout_s: int
    tried: int = 0
    end: float = 0.0
    files: dict[PurePosixPath, TreeFile] = field(default_factory=dict)

    def run(self, candidates: Iterator[TreeFile]) -> bool:
        """Run spatch over the candidates; return False if the time was up before the end."""
        cores = os.cpu_count() or 1
        self.end = time.monotonic() + _SEARCH_S
        batches = make_batches(self._read(candidates), cores=cores)
        while self.finder.missing and (group := list(islice(batches, cores))):
            # In the order of the batches, so that the same tree gives the same cases.
            for batch, results in zip(
                group, iterate_parallel(self._run_batch, group, workers=cores), strict=True
            ):
                self.tried += len(batch.sources)
                self._add(results)
            if self._seconds_left() <= 0:
                return next(batches, None) is None
        return True

    def _seconds_left(self) -> float:
        return self.end - time.monotonic()

    def _read(
        self, candidates: Iterator[TreeFile]
    ) -> Iterator[tuple[Source, Mapping[PurePosixPath, bytes]]]:
        for file, text in self.slicer.read(candidates):
            if len(text) <= MAX_FILE_BYTES and (source := self.slicer.cut(file, text)) is not None:
                self.slicer.take_parts(file.path)
                self.files[file.path] = file
                yield source, {}

    def _run_batch(self, batch: Batch) -> list[FileResult]:
        seconds = max(1, min(self.timeout_s, int(self._seconds_left())))
        try:
            return run_files(
                self.spatch,
                self.program,
                batch.sources,
                timeout_s=seconds,
                is_ended=lambda: self._seconds_left() <= 0,
            )
        except PatchgenError:
            # Without a case there is a warning, and `run` explains an error of spatch.
            return []

    def _add(self, results: Sequence[FileResult]) -> None:
        """Add the cases of the changed files, the shortest first."""
        changed = [
            (self.files[result.path], {rule.rule for rule in result.rules if rule.hits})
            for result in results
            if result.after is not None
        ]
        texts = read_contents(self.slicer.repository, [file for file, _ in changed])
        for content, file, matched in sorted(
            ((text, file, matched) for text, (file, matched) in zip(texts, changed, strict=True)),
            key=lambda each: len(each[0]),
        ):
            if self.finder.missing and self.finder.is_wanted(matched):
                self.finder.add_from(file.path, content)
