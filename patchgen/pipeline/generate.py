# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a variant on a base in memory: plan it, run its semantic patches, and draft a series.

`apply` and `reroll` share this module. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen import __version__
from patchgen.coccinelle import DEFAULT_TIMEOUT_S, Spatch, find_spatch
from patchgen.edit import OnProgress, PatchedTree, make_patches
from patchgen.kernel import read_version
from patchgen.model.base import Base, TreeReader
from patchgen.model.outcome import CitedCalls
from patchgen.model.plan import SeriesPlan
from patchgen.model.series import MadePatch, Signatures
from patchgen.odb import GitTree, Repository, git_version
from patchgen.resources import shipped_folder
from patchgen.series import HandWork, Record, SeriesDraft, draft_series, render_subject
from patchgen.spec import (
    Variant,
    bind_variables,
    build_plan,
    find_cited_calls,
    find_variant,
    list_sources,
    select_units,
)

# Files of the base that every variant reads: for the kernel version and for the recipients.
_ALWAYS_READ = ("Makefile", "MAINTAINERS", "MAINTAINERS/**", ".get_maintainer.ignore", ".mailmap")


@dataclass(frozen=True, slots=True)
class MakeRequest:
    """Which variant to make, as which version, on which base, and how.

    `backends` are those that the user named, `made_before` those of the version that a reroll
    regenerates. `to`, `cc` and `cover_cc` are people that the user named; they are only recorded.
    """

    variant: str
    base: str
    revision: int
    backends: tuple[str, ...] = ()
    made_before: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    sign_off: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cover_cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundVariant:
    """A variant planned for a base; spatch has not run yet."""

    request: MakeRequest
    variant: Variant
    spatch: Spatch
    values: Mapping[str, str | int | bool]
    tools: Mapping[str, str]
    tree: TreeReader
    plan: SeriesPlan

    @property
    def is_sure(self) -> bool:
        """Whether at least one patch is to be made that is not optional."""
        return any(not patch.present_at and not patch.optional for patch in self.plan.patches)

    def as_recorded(self, record: Record) -> BoundVariant:
        """Return the plan with the tools and the base's name of a record.

        So its templates have the same result as when the record was made.
        """
        called = {**self.plan.context["base"], "describe": record.describe}
        context = {**self.plan.context, "tools": dict(record.tools), "base": called}
        plan = replace(
            self.plan, base=replace(self.plan.base, describe=record.describe), context=context
        )
        return replace(self, tools=record.tools, plan=plan)


@dataclass(frozen=True, slots=True)
class GeneratedSeries:
    """The result of a plan.

    `made` and `subjects` have one entry for each patch of the plan. `cites` have the line numbers
    of the tree with all patches.
    """

    request: MakeRequest
    plan: SeriesPlan
    values: Mapping[str, str | int | bool]
    tools: Mapping[str, str]
    tree: TreeReader
    made: tuple[MadePatch, ...]
    subjects: tuple[str, ...]
    cites: tuple[CitedCalls, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether the base already has all patches."""
        return all(patch.present_at for patch in self.made)

    def with_summary(self, text: str) -> GeneratedSeries:
        """Return the same with a text as `audit_summary` for the cover letter's template."""
        return replace(
            self, plan=replace(self.plan, context={**self.plan.context, "audit_summary": text})
        )

    def draft(self, signatures: Signatures, hand: HandWork | None = None) -> SeriesDraft:
        """Return the messages, the cover letter and the record of the series.

        `hand` are the hand edits in the branch, None for none.
        """
        record = Record(
            variant=self.plan.variant,
            revision=self.request.revision,
            base=self.plan.base.oid,
            describe=self.plan.base.describe,
            backends=self.request.backends,
            made_backends=self.plan.backends,
            definitions=self.request.definitions,
            variables=dict(self.values),
            signed_off=self.request.sign_off,
            to=self.request.to,
            cc=self.request.cc,
            cover_cc=self.request.cover_cc,
            variant_cc=self.plan.cc,
            asked=self.plan.asked,
            tools=dict(self.tools),
            inputs=dict(self.plan.inputs),
        )
        return draft_series(
            self.plan,
            self.made,
            signatures,
            record,
            sign_off=self.request.sign_off,
            hand=hand or HandWork(),
        )


def plan_variant(repository: Repository, request: MakeRequest) -> BoundVariant:
    """Plan a variant for a base.

    Raises UsageError, SpecError or RefusedError if the variant cannot be made on it, ToolError
    without spatch.
    """
    spatch = find_spatch()
    variant = find_variant(request.variant)
    values = bind_variables(variant, request.definitions)
    tools = {"patchgen": __version__, "spatch": spatch.version, "git": git_version()}
    sources = list_sources(select_units(variant, request.backends))
    base, tree = _read_base(repository, request.base, sources)
    context = {
        **values,
        "revision": request.revision,
        "base": {"oid": base.oid, "describe": base.describe, "version": base.version},
        "tools": tools,
        "audit_summary": "",
    }
    shared = shipped_folder("templates")
    plan = build_plan(
        variant, request.backends, base, tree, context, shared, made_before=request.made_before
    )
    return BoundVariant(request, variant, spatch, values, tools, tree, plan)


def run_plan(
    planned: BoundVariant, on_progress: OnProgress = lambda done, total: None
) -> GeneratedSeries:
    """Run the semantic patches. Raises a PatchgenError if a rule does not match as declared."""
    request = planned.request
    tried = make_patches(
        planned.plan,
        planned.tree,
        planned.spatch,
        timeout_s=request.timeout_s,
        on_progress=on_progress,
    )
    plan, made = _drop_needless(planned.plan, tried)
    tree = PatchedTree(planned.tree, made)
    cites = find_cited_calls(planned.variant, plan.backends, tree, plan.context)
    cited = {"cites": {cite.name: cite.calls for cite in cites}}
    plan = replace(plan, context={**plan.context, **cited})
    return GeneratedSeries(
        request=request,
        plan=plan,
        values=planned.values,
        tools=planned.tools,
        tree=planned.tree,
        made=made,
        subjects=tuple(render_subject(plan, patch) for patch in plan.patches),
        cites=cites,
        warnings=_warn_unparsed(tried),
    )


def _read_base(
    repository: Repository, revision: str, sources: Sequence[str]
) -> tuple[Base, TreeReader]:
    """Return the base and its tree. In a partial clone, check that no object to read is missing."""
    oid = repository.resolve_commit(revision)
    tree_oid = repository.resolve_tree(oid)
    tree = GitTree(repository, tree_oid)
    if repository.is_partial:
        tree.require([*_ALWAYS_READ, *sources])
    version = read_version(tree)
    return Base(oid, tree_oid, repository.describe(oid), version), tree


def _drop_needless(
    plan: SeriesPlan, tried: Sequence[MadePatch]
) -> tuple[SeriesPlan, tuple[MadePatch, ...]]:
    """Return plan and patches without the optional ones whose rules found nothing to change.

    What only those need is not asked for either.
    """
    kept = [
        (planned, made)
        for planned, made in zip(plan.patches, tried, strict=True)
        if not made.is_needless
    ]
    patches = tuple(planned for planned, _ in kept)
    new = [patch.name for patch in patches if patch.present_at is None]
    asked = tuple(each for each in plan.asked if each.is_needed_for(new))
    return replace(plan, patches=patches, asked=asked), tuple(made for _, made in kept)


def _warn_unparsed(made: Sequence[MadePatch]) -> tuple[str, ...]:
    functions = dict.fromkeys(str(function) for patch in made for function in patch.unparsed)
    return tuple(f"spatch could not parse {each}; rules do not match there" for each in functions)
