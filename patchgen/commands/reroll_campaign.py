# SPDX-License-Identifier: GPL-2.0-or-later
"""Generate a campaign again: run its recorded semantic patch, and divide the change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from patchgen.campaign import (
    SplitChange,
    divide_change,
    look_up_recorded,
    read_recorded_notes,
    restore_campaign,
    restore_run,
)
from patchgen.commands.run import make_lookup, plan_run, require_campaign, run_sweeps
from patchgen.edit import OnProgress
from patchgen.errors import RefusedError, UsageError
from patchgen.model.base import Oid
from patchgen.model.sweep import Sweep
from patchgen.odb import GitTree, Repository, resolve_paths
from patchgen.paths import name_recorded
from patchgen.reroll.history import SeriesHistory
from patchgen.reroll.request import RerollRequest
from patchgen.reroll.source import OnStage
from patchgen.sweep import RunRequest, SweepRequest


class CampaignSource:
    """The semantic patch of a campaign, for its next version and for the version before."""

    def __init__(self, repository: Repository, request: RerollRequest, history: SeriesHistory):
        name = history.series.name
        if request.variant_options:
            raise UsageError(
                f"{name} is a campaign, not the series of a variant",
                code="series-kind",
                hint="omit what only a variant takes",
                parameters=request.variant_options,
            )
        if history.record.run is None:
            record = history.record
            semantic_patch = name_recorded(record.variant)
            raise RefusedError(
                f"{name} is a campaign of {record.variant}, and its record does not contain the "
                "options of the run, so it cannot be rerolled",
                code="record-missing",
                hint=f"`patchgen run {semantic_patch} --base REV --split {record.split} "
                f"-v {history.revision} --force` runs it again, without tags and hand edits",
            )
        self._repository = repository
        self._request = request
        self._history = history
        self._record, self._run = history.record, history.record.run
        self._change: SplitChange | None = None

    @property
    def old_notes(self) -> str:
        """The text below the cut, from the recorded semantic patch or the user's file."""
        return read_recorded_notes(self._record, self._run)

    def plan(self, on_stage: OnStage) -> dict[str, bool]:
        """Run the semantic patch on the new base, as only its result determines the patches."""
        request = self._request
        if self._run.only_built and request.only_built is None:
            raise RefusedError(
                f"{self._history.series.name} was made from the files that a .config builds, and "
                "its record does not contain the .config",
                code="record-missing",
                hint="name the .config again",
                parameters=("only_built",),
            )
        run = self._restore(request.base or self._history.series.base, request.definitions)
        run, warnings = self._drop_missing_paths(replace(run, only_built=request.only_built))
        change = self._divide(run, request.semantic_patch, self._history.revision, on_stage)
        self._change = replace(change, warnings=(*warnings, *change.warnings))
        return dict.fromkeys(self._change.names, True)

    def generate(self, on_stage: OnStage) -> SplitChange:
        """Return the result of `plan`."""
        assert self._change is not None
        return self._change

    def regenerate(self, on_stage: OnStage) -> SplitChange | None:
        """Run the semantic patch on the old base; None if that needs a .config."""
        if self._run.only_built:
            return None
        record = self._record
        change = self._divide(self._restore(record.base), None, record.revision, on_stage)
        # With the recorded names and versions, the texts are the same.
        base = replace(change.base, describe=record.describe)
        return replace(change, sweep=replace(change.sweep, base=base), tools=record.tools)

    def record_place(self) -> None:
        """Store nothing: the record of a campaign contains its semantic patch."""

    def _restore(self, base: str, definitions: tuple[str, ...] = ()) -> RunRequest:
        return restore_run(
            self._record,
            self._run,
            self._request.tree,
            base,
            definitions=definitions,
            trusted=self._request.trusted,
        )

    def _divide(
        self,
        run: RunRequest,
        semantic_patch: str | None,
        revision: int,
        on_stage: OnStage,
    ) -> SplitChange:
        """Run the recorded semantic patch, or another one, and divide the change."""
        again = " again" if revision == self._record.revision else ""
        request, sweep = self._sweep(run, semantic_patch, on_stage(f"making v{revision}{again}"))
        on_stage(f"dividing v{revision}{again}")
        change = divide_change(
            self._repository,
            restore_campaign(self._record, self._run),
            request,
            sweep,
            revision,
            earlier=self._record.patches,
        )
        unfinished = [f"{path}: not finished: {why.text}" for path, why in sweep.unfinished.items()]
        return replace(change, warnings=(*sweep.warnings, *unfinished, *change.warnings))

    def _sweep(
        self, run: RunRequest, semantic_patch: str | None, on_progress: OnProgress
    ) -> tuple[SweepRequest, Sweep]:
        if semantic_patch is None:
            tree = GitTree(self._repository, self._find_tree(run.base))
            lookup = look_up_recorded(self._record, self._run, make_lookup(tree))
            plan = plan_run(self._repository, run, lookup)
        else:
            plan = plan_run(self._repository, replace(run, target=semantic_patch))
        require_campaign(plan)

        def report(name: str, done: int, total: int | None) -> None:
            if total is not None:
                on_progress(done, total)

        [(request, sweep)] = run_sweeps(self._repository, plan, on_progress=report)
        # A single semantic patch is not skipped: its error is raised.
        assert isinstance(sweep, Sweep)
        return request, sweep

    def _drop_missing_paths(self, run: RunRequest) -> tuple[RunRequest, list[str]]:
        """Return the request without the paths that are missing from the base, and warnings.

        Raises RefusedError if all are missing.
        """
        tree = self._find_tree(run.base)
        present = tuple(path for path in run.paths if self._exists(tree, path))
        missing = [f"{path} is missing from the base" for path in run.paths if path not in present]
        if missing and not present:
            raise RefusedError(
                "; ".join(missing),
                code="path-unknown",
                hint="name another base",
                parameters=("base",),
            )
        return replace(run, paths=present), missing

    def _exists(self, tree: Oid, path: PurePosixPath) -> bool:
        try:
            return bool(resolve_paths(self._repository, tree, [path]))
        except RefusedError:
            return False

    def _find_tree(self, revision: str) -> Oid:
        return self._repository.resolve_tree(self._repository.resolve_commit(revision))
