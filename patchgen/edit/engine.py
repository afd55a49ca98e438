# SPDX-License-Identifier: GPL-2.0-or-later
"""Carry out a plan in memory: run every semantic patch over its files, in parallel if possible.

A patch depends on the results of earlier patches for its files, and on no other file. So the edits
of one file form a chain, and the chains of different files run in parallel. Files are not written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import assert_never

from patchgen.coccinelle import Spatch, apply_to_file, refuse_code
from patchgen.edit.lines import insert_lines, replace_text, with_line_ends_of
from patchgen.edit.origins import LineOrigin, count_lines, follow_lines, start_origins
from patchgen.edit.verdict import check_finished, check_hits, explain_empty
from patchgen.errors import MissingObjectsError, PatchgenError, RefusedError
from patchgen.model.base import Oid, TreeFile, TreeReader, compile_glob
from patchgen.model.outcome import FileResult, sum_hits
from patchgen.model.plan import Edit, InsertLines, NewFile, PlannedPatch, ReplaceText, RunRules
from patchgen.model.series import FileEdit, MadePatch
from patchgen.process import map_parallel

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One edit of one file; `patch_index` and `edit_index` are its indices in the plan."""

    patch_index: int
    edit_index: int
    edit: Edit


@dataclass(slots=True)
class _Chain:
    """The edits of one file in order. One thread fills it; it is read after all are done."""

    path: PurePosixPath
    mode: str = "100644"
    source: TreeFile | None = None
    steps: list[_Step] = field(default_factory=list)
    content: bytes | None = None
    results: dict[tuple[int, int], FileResult] = field(default_factory=dict)
    before: dict[int, bytes | None] = field(default_factory=dict)
    after: dict[int, bytes] = field(default_factory=dict)
    origins: dict[int, list[LineOrigin]] = field(default_factory=dict)
    errors: dict[tuple[int, int], PatchgenError] = field(default_factory=dict)


def make_patches(
    patches: Sequence[PlannedPatch],
    tree: TreeReader,
    spatch: Spatch,
    *,
    timeout_s: int,
    on_progress: OnProgress = lambda done, total: None,
) -> tuple[MadePatch, ...]:
    """Return the result of each planned patch.

    `on_progress` is called from any thread with the number of finished edits and of all edits.
    Raises the first error in the order of the patches, whichever thread raised it.
    """
    for planned in patches:
        for edit in planned.edits:
            if isinstance(edit, RunRules):
                refuse_code(edit.patch)
    chains = _build_chains(patches)
    for chain in chains.values():
        chain.content = tree.read(chain.source) if chain.source else None
    total = sum(len(chain.steps) for chain in chains.values())
    done = 0

    def report_step() -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    # Threads are enough, since spatch is a separate process; the longest chains start first.
    longest_first = sorted(chains.values(), key=lambda chain: -len(chain.steps))
    map_parallel(
        lambda chain: _run_chain(chain, spatch, timeout_s, report_step),
        longest_first,
        workers=os.cpu_count() or 1,
    )
    return tuple(
        _collect(index, planned, list(chains.values())) for index, planned in enumerate(patches)
    )


def _build_chains(patches: Sequence[PlannedPatch]) -> Mapping[PurePosixPath, _Chain]:
    chains: dict[PurePosixPath, _Chain] = {}
    for patch_index, planned in enumerate(patches):
        for edit_index, edit in enumerate(planned.edits):
            step = _Step(patch_index, edit_index, edit)
            match edit:
                case RunRules(files=files):
                    for file in files:
                        _chain_of(chains, file).steps.append(step)
                case InsertLines(file=file) | ReplaceText(file=file):
                    _chain_of(chains, file).steps.append(step)
                case NewFile(path=path):
                    chains.setdefault(path, _Chain(path)).steps.append(step)
                case _:
                    assert_never(edit)
    return chains


def _chain_of(chains: dict[PurePosixPath, _Chain], file: TreeFile) -> _Chain:
    return chains.setdefault(file.path, _Chain(file.path, file.mode, file))


def _run_chain(
    chain: _Chain, spatch: Spatch, timeout_s: int, report_step: Callable[[], None]
) -> None:
    """Run the edits of one file in order; stop at the first error."""
    for step in chain.steps:
        before = chain.content
        try:
            after = with_line_ends_of(before, _run_step(chain, step, spatch, timeout_s))
        except MissingObjectsError:
            raise
        except PatchgenError as err:
            chain.errors[step.patch_index, step.edit_index] = err
            return
        if after != before:
            chain.before.setdefault(step.patch_index, before)
            origins = chain.origins.setdefault(step.patch_index, start_origins(before))
            result = chain.results.get((step.patch_index, step.edit_index))
            chain.origins[step.patch_index] = follow_lines(
                before, after, origins, step.edit, result
            )
            chain.after[step.patch_index] = after
        chain.content = after
        report_step()


def _run_step(chain: _Chain, step: _Step, spatch: Spatch, timeout_s: int) -> bytes:
    match step.edit:
        case RunRules(patch=patch):
            content = chain.content or b""
            result = apply_to_file(spatch, patch, chain.path, content, timeout_s=timeout_s)
            chain.results[step.patch_index, step.edit_index] = result
            return content if result.after is None else result.after
        case InsertLines():
            return insert_lines(chain.content or b"", step.edit)
        case ReplaceText():
            return replace_text(chain.content or b"", step.edit)
        case NewFile(content=content):
            if chain.content is not None:
                raise RefusedError(f"{chain.path} is added twice", code="path-added-twice")
            return content
        case _:
            assert_never(step.edit)


def _collect(index: int, planned: PlannedPatch, chains: Sequence[_Chain]) -> MadePatch:
    """Collect the edits of one patch from the chains, and check them against its declarations."""
    if planned.present_at is not None:
        return MadePatch(planned.name, present_at=planned.present_at)
    runs = _collect_runs(index, planned, chains)
    changed = [
        chain
        for chain in sorted(chains, key=lambda chain: chain.path)
        if index in chain.after and chain.before[index] != chain.after[index]
    ]
    edits = tuple(
        FileEdit(chain.path, chain.mode, chain.before[index], chain.after[index])
        for chain in changed
    )
    by_path = {chain.path: chain for chain in chains}
    read = partial(_read_before, index, by_path)
    if edits or not planned.optional:
        for run, results in runs:
            check_hits(planned, run, results, read)
    if not edits and not planned.optional:
        raise explain_empty(planned, runs, read)
    all_results = [result for _, results in runs for result in results]
    return MadePatch(
        name=planned.name,
        edits=edits,
        lines={
            chain.path: count_lines(chain.before[index], chain.origins[index]) for chain in changed
        },
        rules=tuple(sum_hits(all_results).values()),
        changed=tuple(
            tuple(sorted(result.path for result in results if result.after is not None))
            for _, results in runs
        ),
        unparsed=tuple(place for result in all_results for place in result.unparsed),
        seconds=sum(result.seconds for result in all_results),
    )


def _read_before(index: int, chains: Mapping[PurePosixPath, _Chain], path: PurePosixPath) -> bytes:
    """Return the content of a file before a patch."""
    chain = chains[path]
    later = [number for number in chain.before if number >= index]
    return (chain.before[min(later)] if later else chain.content) or b""


def _collect_runs(
    index: int, planned: PlannedPatch, chains: Sequence[_Chain]
) -> list[tuple[RunRules, list[FileResult]]]:
    """Return the results of a patch's semantic patches. Raises the first error of an edit."""
    runs = []
    for edit_index, edit in enumerate(planned.edits):
        key = index, edit_index
        for chain in chains:
            if key in chain.errors:
                raise chain.errors[key]
        if isinstance(edit, RunRules):
            results = [chain.results[key] for chain in chains if key in chain.results]
            check_finished(planned, edit, results)
            runs.append((edit, results))
    return runs


class PatchedTree:
    """A TreeReader for the files of a tree with the edits of some patches, the last one on top."""

    def __init__(self, tree: TreeReader, made: Sequence[MadePatch]):
        self._tree = tree
        self._edits = {edit.path: edit for patch in made for edit in patch.edits}
        self._added = [
            TreeFile(edit.path, edit.mode, Oid(""))
            for edit in self._edits.values()
            if not tree.find([str(edit.path)])
        ]

    def find(self, patterns: Sequence[str]) -> list[TreeFile]:
        """Return the regular files that match any of the paths or globs, sorted by path."""
        added = [file for file in self._added if _matches(str(file.path), patterns)]
        return sorted([*self._tree.find(patterns), *added], key=lambda file: file.path)

    def read(self, file: TreeFile) -> bytes:
        """Return the content of a file after all patches."""
        return self.read_all([file])[0]

    def read_all(self, files: Sequence[TreeFile]) -> list[bytes]:
        """Return the contents of files after all patches."""
        unedited = [file for file in files if file.path not in self._edits]
        contents = iter(self._tree.read_all(unedited))
        edits = [self._edits.get(file.path) for file in files]
        return [edit.after if edit else next(contents) for edit in edits]


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(compile_glob(pattern).fullmatch(path) for pattern in patterns)
