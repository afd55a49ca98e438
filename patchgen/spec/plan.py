# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan the patches of a variant for a base, with their semantic patches rendered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from patchgen.controls import has_controls
from patchgen.errors import SpecError
from patchgen.model.base import Base, TreeReader, escape_glob
from patchgen.model.outcome import Site
from patchgen.model.plan import EmptyVariable, LeftOut, PlannedPatch
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.backends import choose_units, find_left_out, select_units
from patchgen.spec.files import find_file, read_macros
from patchgen.spec.manifest import PatchEntry
from patchgen.spec.patch_renderer import where_in_manifest
from patchgen.spec.plan_edits import EditPlanner
from patchgen.spec.probe import fill_in, find_fact, find_facts, find_unmet_needs, holds
from patchgen.spec.variables import list_empty_variables
from patchgen.spec.variant import ManifestFile, Variant, describe_variables, list_recipients


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """A variant planned for a base: the patches in order, and the context of their templates.

    `tree` is the base's. Templates are looked up in `folders`; `inputs` are digests of these. `cc`
    are people that the variant names; they get all mails. `empty_variables` are the variables whose
    values the user has to give.
    """

    variant: Variant
    base: Base
    tree: TreeReader
    backends: tuple[str, ...]
    folders: tuple[SourceFolder, ...]
    patches: tuple[PlannedPatch, ...]
    left_out: tuple[LeftOut, ...]
    cc: tuple[str, ...]
    empty_variables: tuple[EmptyVariable, ...]
    inputs: Mapping[str, str]
    context: Mapping[str, Any]

    @property
    def has_required_patch(self) -> bool:
        """Whether the base lacks at least one patch that is not optional."""
        return any(not patch.present_at and not patch.optional for patch in self.patches)

    @property
    def values(self) -> dict[str, str | int | bool]:
        """The values of the variant's variables."""
        return {name: self.context[name] for name in describe_variables(self.variant)}


def build_plan(
    variant: Variant,
    backends: Sequence[str],
    base: Base,
    tree: TreeReader,
    context: Mapping[str, Any],
    shared_templates: Path,
    earlier_backends: Sequence[str] = (),
    applied: Collection[str] = (),
) -> SeriesPlan:
    """Return the plan: which patches the base already has, and rendered rules for the others.

    Without named backends, the plan has the backends of `earlier_backends` (the version that a
    reroll regenerates), or else all that fit the base. `applied` are patches that the base has
    according to its history. The plan lists the backends and patches that are left out. Raises
    RefusedError if the base does not meet a need, SpecError if the variant is wrong.
    """
    units = select_units(variant, backends)
    shared = SourceFolder(shared_templates)
    planner = replace(_make_planner(variant, units, tree, context, shared), applied=applied)
    cover = variant.manifest.variant.cover
    folders = (variant.source, shared)
    find_file(units[0], cover, folders, "variant", "cover")
    units, left_out = choose_units(
        planner, units, base, named_backends=backends, earlier_backends=earlier_backends
    )
    backend_names = tuple(unit.backend for unit in units if unit.backend is not None)
    planner = replace(planner, context={**planner.context, "backends": list(backend_names)})
    patches, left_out_patches = planner.plan_patches(units)
    sources = {variant.name: variant.source, "templates": shared}
    return SeriesPlan(
        variant=variant,
        base=base,
        tree=tree,
        backends=backend_names,
        folders=folders,
        patches=patches,
        left_out=(*left_out, *left_out_patches),
        cc=list_recipients(units),
        empty_variables=list_empty_variables(variant, context),
        inputs={name: folder.digest() for name, folder in sources.items()},
        context=planner.context,
    )


def _make_planner(
    variant: Variant,
    units: Sequence[ManifestFile],
    tree: TreeReader,
    context: Mapping[str, Any],
    shared: SourceFolder,
) -> _PatchPlanner:
    """Return a planner whose templates also get the facts of the base."""
    facts = find_facts(units, tree)
    found_at = {name: str(site) for name, site in facts.items() if site is not None}
    return _PatchPlanner(
        variant=variant,
        macros=read_macros(variant, shared),
        tree=tree,
        facts=facts,
        context={
            **context,
            "has": {name: name in found_at for name in facts},
            "found_at": found_at,
        },
        shared=shared,
    )


def find_present_patches(
    variant: Variant, backends: Sequence[str], tree: TreeReader, values: Mapping[str, Any]
) -> dict[str, Site]:
    """Return the names of the patches that a base already has, and where. No template is rendered.

    Raises SpecError if the variant is wrong, UsageError if it has no such backend.
    """
    units = select_units(variant, backends)
    facts = find_facts(units, tree)
    planner = _PatchPlanner(
        variant=variant, macros="", tree=tree, facts=facts, context=values, shared=variant.source
    )
    sites = {patch.name: planner.find_all(patch) for _, patch in planner.select_patches(units)}
    return {name: site for name, site in sites.items() if site is not None}


@dataclass(frozen=True, slots=True)
class _PatchPlanner(EditPlanner):
    """Selects the patches of a series, and plans them."""

    def select_patches(
        self, units: Sequence[ManifestFile]
    ) -> list[tuple[ManifestFile, PatchEntry]]:
        """Return the patches whose conditions hold, each with its manifest."""
        return [
            (unit, patch)
            for unit in units
            for patch in unit.manifest.patch
            if holds(patch.when, self.facts, unit, *where_in_manifest(unit, patch), "when")
        ]

    def has_all(self, unit: ManifestFile) -> bool:
        """Return whether the base already has all patches of a unit that are not optional."""
        required = [patch for _, patch in self.select_patches([unit]) if not patch.optional]
        return bool(required) and all(self.find_all(patch) for patch in required)

    def find_unmet_needs(self, unit: ManifestFile) -> tuple[str, ...]:
        """Return the needs of a unit that the base does not meet, unless it has all its patches."""
        is_made = any(not patch.optional for _, patch in self.select_patches([unit]))
        if not is_made or self.has_all(unit):
            return ()
        return find_unmet_needs(unit, self.facts, self.tree, self.context)

    def plan_patches(
        self, units: Sequence[ManifestFile]
    ) -> tuple[tuple[PlannedPatch, ...], tuple[LeftOut, ...]]:
        """Return the patches of the plan, and those that the manifests leave out on this base."""
        planned: list[PlannedPatch] = []
        left_out: list[LeftOut] = []
        for unit, patch in self.select_patches(units):
            planned_patch = self.plan_patch(unit, patch)
            omitted = None if planned_patch.present_at else find_left_out(unit, self.facts, patch)
            if omitted is None:
                planned.append(self.add_edits(unit, patch, planned_patch))
            else:
                left_out.append(omitted)
        return tuple(planned), tuple(left_out)

    def plan_patch(self, unit: ManifestFile, patch: PatchEntry) -> PlannedPatch:
        """Return the patch without edits; `present_at` is set if the base already has it."""
        where = (*where_in_manifest(unit, patch), "message")
        find_file(unit, patch.message, self.folders(unit), *where)
        return PlannedPatch(
            name=patch.name,
            backend=unit.backend,
            message=patch.message,
            folders=self.folders(unit),
            present_at=self.find_all(patch),
            optional=patch.optional or patch.name in self.applied,
            trailers=tuple(self._trailers(unit, patch)),
        )

    def _trailers(self, unit: ManifestFile, patch: PatchEntry) -> Iterator[tuple[str, str]]:
        """Yield the trailers of a patch that have a value."""
        for key, text in patch.trailers.items():
            value = fill_in(text, self.context).strip()
            if has_controls(value):
                raise SpecError(
                    f"the trailer {key} has several lines or control characters",
                    code="control-characters",
                    place=unit.place(*where_in_manifest(unit, patch), "trailers", key),
                )
            if value:
                yield key, value

    def find_all(self, patch: PatchEntry) -> Site | None:
        """Return where the base has a patch, None if it does not.

        It has the patch if all probes match. Without probes, it has the patch if it has all new
        files that the patch adds to each base; a patch without such files is always made.
        """
        if not patch.probe:
            paths = [new_file.path for new_file in patch.new_files if not new_file.when]
            has_all = bool(paths) and all(self.tree.find([escape_glob(path)]) for path in paths)
            return Site(PurePosixPath(paths[0]), 1) if has_all else None
        sites = [find_fact(probe, self.tree, self.context) for probe in patch.probe]
        return sites[0] if all(sites) else None
