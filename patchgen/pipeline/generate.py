# SPDX-License-Identifier: GPL-2.0-or-later
"""Generate a variant's patches on a base in memory: plan them, then run their semantic patches.

`apply`, `reroll` and `compare` begin with this. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from patchgen.coccinelle import DEFAULT_TIMEOUT_S, find_spatch
from patchgen.edit import OnProgress, PatchedTree, make_patches
from patchgen.kernel import read_version
from patchgen.model.base import Base, Oid, TreeReader
from patchgen.model.finding import list_first
from patchgen.model.outcome import CitedCalls, Site
from patchgen.model.plan import LeftOut
from patchgen.model.series import MadePatch, SeriesOptions, Signatures
from patchgen.odb import GitTree, Repository, git_version
from patchgen.pipeline.unparsed_code import warn_unparsed
from patchgen.resources import shipped_folder
from patchgen.series import (
    HandWork,
    Record,
    SeriesDraft,
    draft_series,
    record_options,
    render_subject,
)
from patchgen.spec import (
    SeriesPlan,
    Variant,
    bind_variables,
    build_plan,
    find_cited_calls,
    find_present_patches,
    find_variant,
    list_sources,
    select_units,
)
from patchgen.version import find_version

# Files of the base that every variant reads: for the kernel version and for the recipients.
_ALWAYS_READ = ("Makefile", "MAINTAINERS", "MAINTAINERS/**", ".get_maintainer.ignore", ".mailmap")


@dataclass(frozen=True, slots=True)
class VariantRequest(SeriesOptions):
    """Which variant to make on which base, and how.

    `backends` are those that the user named, `earlier_backends` those of the version that a reroll
    regenerates. `applied` are the names of patches that the base has according to its history.
    """

    variant: str
    base: str = "HEAD"
    backends: tuple[str, ...] = ()
    earlier_backends: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    timeout_s: int = DEFAULT_TIMEOUT_S

    @staticmethod
    def from_record(record: Record, variant: str) -> VariantRequest:
        """Return the request that makes the series of a record again, on the same base.

        `variant` is its name, or the folder of a variant that is not shipped.
        """
        return VariantRequest(
            variant=variant,
            base=record.base,
            backends=record.backends,
            earlier_backends=record.made_backends,
            applied=record.applied,
            definitions=record.definitions,
            **asdict(record.options),
        )


@dataclass(frozen=True, slots=True)
class GeneratedSeries:
    """The result of a plan.

    `patches` and `subjects` have one entry for each patch of the plan. `cites` have the line
    numbers of the tree with all patches, as they were generated until `cite_from` names another.
    """

    request: VariantRequest
    plan: SeriesPlan
    patches: tuple[MadePatch, ...]
    subjects: tuple[str, ...]
    cites: tuple[CitedCalls, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def base(self) -> Base:
        """The commit that the patches are based on."""
        return self.plan.base

    @property
    def tree(self) -> TreeReader:
        """The tree of the base."""
        return self.plan.tree

    @property
    def title(self) -> str:
        """The name of the variant."""
        return self.plan.variant.name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches."""
        return tuple(patch.name for patch in self.patches)

    @property
    def present(self) -> frozenset[str]:
        """The names of the patches that the base already has."""
        return frozenset(patch.name for patch in self.patches if patch.present_at)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The backends and patches that the variant does not make on the base."""
        return self.plan.left_out

    @property
    def is_empty(self) -> bool:
        """Whether the base has each patch that finds something to change."""
        return all(patch.present_at for patch in self.patches)

    @property
    def why_empty(self) -> str:
        """Why `is_empty`, as a clause."""
        base = self.base.describe
        if not self.patches:
            return f"no patch of {self.title} finds anything to change in {base}"
        return f"{base} has {list_first(self.names)}, and {self.title} makes no other patch there"

    def with_summary(self, text: str) -> GeneratedSeries:
        """Return the same with a text as `audit_summary` for the cover letter's template."""
        return replace(
            self, plan=replace(self.plan, context={**self.plan.context, "audit_summary": text})
        )

    def cite_from(self, tree: TreeReader) -> GeneratedSeries:
        """Return the same with the cited calls of another tree: that of the series with hand work.

        A person may have dropped or edited patches, so that some calls are elsewhere or are gone.
        """
        cites = find_cited_calls(self.plan.variant, self.plan.backends, tree, self.plan.context)
        return replace(self, plan=_with_cites(self.plan, cites), cites=cites)

    def draft(self, signatures: Signatures, hand_work: HandWork | None = None) -> SeriesDraft:
        """Return the messages, the cover letter and the record of the series.

        `hand_work` are the hand edits in the branch, None for none.
        """
        plan, request = self.plan, self.request
        record = Record(
            variant=plan.variant.name,
            revision=plan.context["revision"],
            backends=request.backends,
            made_backends=plan.backends,
            applied=request.applied,
            definitions=request.definitions,
            variables=plan.values,
            variant_cc=plan.cc,
            asked=plan.empty_variables,
            tools=plan.context["tools"],
            inputs=plan.inputs,
            **record_options(plan.base, request),
        )
        signer = signatures.committer if request.sign_off else None
        return draft_series(plan, self.patches, signer, record, hand_work or HandWork())


def plan_variant(repository: Repository, request: VariantRequest, revision: int) -> SeriesPlan:
    """Plan a variant for a base, as a version of its series.

    Raises UsageError, SpecError or RefusedError if the variant cannot be made on it, ToolError
    without spatch.
    """
    spatch = find_spatch()
    variant = find_variant(request.variant)
    values = bind_variables(variant, request.definitions)
    sources = list_sources(select_units(variant, request.backends))
    base, tree = _read_base(repository, request.base, sources)
    context = {
        **values,
        "revision": revision,
        "base": {"oid": base.oid, "describe": base.describe, "version": base.version},
        "tools": {"patchgen": find_version(), "spatch": spatch.version, "git": git_version()},
        "audit_summary": "",
    }
    shared = shipped_folder("templates")
    return build_plan(
        variant,
        request.backends,
        base,
        tree,
        context,
        shared,
        earlier_backends=request.earlier_backends,
        applied=request.applied,
    )


def run_plan(
    plan: SeriesPlan,
    request: VariantRequest,
    on_progress: OnProgress = lambda done, total: None,
) -> GeneratedSeries:
    """Run the semantic patches. Raises a PatchgenError if a rule does not match as declared."""
    spatch = find_spatch()
    results = make_patches(
        plan.patches,
        plan.tree,
        spatch,
        timeout_s=request.timeout_s,
        on_progress=on_progress,
    )
    unparsed = warn_unparsed(spatch, plan.patches, results)
    plan, patches = _drop_unneeded(plan, results)
    tree = PatchedTree(plan.tree, patches)
    cites = find_cited_calls(plan.variant, plan.backends, tree, plan.context)
    plan = _with_cites(plan, cites)
    subjects = tuple(render_subject(plan, patch) for patch in plan.patches)
    warnings = (*_warn_shadowed(plan.variant), *unparsed)
    return GeneratedSeries(request, plan, patches, subjects, cites, warnings)


def find_present(
    repository: Repository, record: Record, variant: str, tree: Oid
) -> dict[str, Site]:
    """Return the patches of a recorded series that a tree already has, and where.

    `variant` is its name, or the folder of a variant that is not shipped. Raises UsageError or
    SpecError if it cannot be read.
    """
    loaded = find_variant(variant)
    values = bind_variables(loaded, record.definitions)
    # The variant may have changed since; ignore backends that it no longer has.
    valid_names = loaded.manifest.variant.backends
    backends = [name for name in record.made_backends if name in valid_names]
    reader = GitTree(repository, tree)
    if repository.is_partial:
        reader.require(list_sources(select_units(loaded, backends)))
    return find_present_patches(loaded, backends, reader, values)


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


def _with_cites(plan: SeriesPlan, cites: Sequence[CitedCalls]) -> SeriesPlan:
    """Return the plan with the cited calls for its templates."""
    context = {**plan.context, "cites": {cite.name: cite.calls for cite in cites}}
    return replace(plan, context=context)


def _drop_unneeded(
    plan: SeriesPlan, results: Sequence[MadePatch]
) -> tuple[SeriesPlan, tuple[MadePatch, ...]]:
    """Return plan and patches without the optional ones whose rules found nothing to change.

    The plan also loses the empty variables that only these patches need.
    """
    needed = [
        (planned, made_patch)
        for planned, made_patch in zip(plan.patches, results, strict=True)
        if not made_patch.is_unneeded
    ]
    patches = tuple(planned for planned, _ in needed)
    new = [patch.name for patch in patches if patch.present_at is None]
    empty_variables = tuple(
        variable for variable in plan.empty_variables if variable.is_needed_for(new)
    )
    return replace(plan, patches=patches, empty_variables=empty_variables), tuple(
        made_patch for _, made_patch in needed
    )


def _warn_shadowed(variant: Variant) -> tuple[str, ...]:
    """Return a warning if other variants have the name: the tree in hand may contain this one."""
    others = ", ".join(map(str, variant.shadowed))
    if not others:
        return ()
    return (f"{variant.name} is the variant in {variant.folder}, which shadows {others}",)
