# SPDX-License-Identifier: GPL-2.0-or-later
"""Generate the series of a variant again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from patchgen.errors import RefusedError, UsageError
from patchgen.odb import Repository
from patchgen.pipeline.generate import GeneratedSeries, VariantRequest, plan_variant, run_plan
from patchgen.pipeline.variant_places import (
    VariantPlace,
    find_recorded_variant,
    record_variant,
)
from patchgen.reroll.history import SeriesHistory
from patchgen.reroll.request import RerollRequest, build_variant_request
from patchgen.reroll.source import OnStage
from patchgen.series import Record
from patchgen.spec import SeriesPlan


class VariantSource:
    """A variant, for the next version of a series and for the version before."""

    def __init__(
        self,
        repository: Repository,
        request: RerollRequest,
        history: SeriesHistory,
        find_applied: Callable[[], Collection[str]],
    ):
        """`find_applied` returns the patches that the new base has according to its history."""
        if request.campaign_options:
            raise UsageError(
                f"{history.series.name} is the series of a variant, not a campaign",
                code="series-kind",
                hint="omit what only a campaign takes",
                parameters=request.campaign_options,
            )
        self._repository = repository
        self._record = history.record
        self._find_applied = find_applied
        self._change_id = history.tracking.change_id
        self._place = (
            VariantPlace(request.variant)
            if request.variant
            else find_recorded_variant(repository, self._change_id, history.record.variant)
        )
        self._request = build_variant_request(
            request, history.record, history.series.base, self._place.name
        )
        self._revision = history.revision
        self._plan: SeriesPlan | None = None

    @property
    def old_notes(self) -> None:
        """Always None: the record of a variant does not contain the templates of its messages."""

    def plan(self, on_stage: OnStage) -> dict[str, bool]:
        """Plan the variant on the new base, without running it."""
        on_stage(f"planning v{self._revision}")
        try:
            self._plan = plan_variant(self._repository, self._request, self._revision)
        except RefusedError:
            self._plan = self._plan_without_applied()
            if self._plan is None:
                raise
        return {
            patch.name: not patch.optional and patch.present_at is None
            for patch in self._plan.patches
        }

    def generate(self, on_stage: OnStage) -> GeneratedSeries:
        """Run the semantic patches on the new base."""
        assert self._plan is not None
        title = f"making v{self._revision}"
        try:
            generated = run_plan(self._plan, self._request, on_stage(title))
        except RefusedError:
            self._plan = self._plan_without_applied()
            if self._plan is None:
                raise
            generated = run_plan(self._plan, self._request, on_stage(title))
        return replace(generated, warnings=(*self._place.warnings, *generated.warnings))

    def _plan_without_applied(self) -> SeriesPlan | None:
        """Return a plan that needs no place for patches that the base has, None without such ones.

        Without a probe, a variant does not know them, and finds that its rules have no match. The
        search in the history takes long, so this is only done after an error.
        """
        known = self._request.applied
        found = [name for name in self._find_applied() if name not in known]
        if not found:
            return None
        self._request = replace(self._request, applied=(*known, *found))
        return plan_variant(self._repository, self._request, self._revision)

    def regenerate(self, on_stage: OnStage) -> GeneratedSeries | None:
        """Run the variant on the old base; return None if its files have changed since."""
        request = VariantRequest.from_record(self._record, self._place.name)
        plan = plan_variant(self._repository, request, self._record.revision)
        if dict(plan.inputs) != dict(self._record.inputs):
            return None
        on_progress = on_stage(f"making v{self._record.revision} again")
        return run_plan(_as_recorded(plan, self._record), request, on_progress)

    def record_place(self) -> None:
        """Store the variant's folder, unless its name leads there."""
        assert self._plan is not None
        record_variant(self._repository, self._change_id, self._plan.variant)


def _as_recorded(plan: SeriesPlan, record: Record) -> SeriesPlan:
    """Return the plan with the tools and the base's name of a record.

    With these, the templates have the same result as when the record was made.
    """
    base = {**plan.context["base"], "describe": record.describe}
    context = {**plan.context, "tools": dict(record.tools), "base": base}
    return replace(plan, base=replace(plan.base, describe=record.describe), context=context)
