# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose the backends of a series on a base, and give the reason for each one left out.

A backend is left out if the base lacks something that it needs, if its manifest leaves it out on
such a base (`[[left_out]]`), or if the version that a reroll regenerates does not have it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol

from patchgen.errors import RefusedError, UsageError
from patchgen.model.base import Base
from patchgen.model.outcome import Site
from patchgen.model.plan import Evidence, LeftOut
from patchgen.spec.manifest import BackendLeftOut, BackendManifest, LeftOutEntry, PatchEntry
from patchgen.spec.probe import holds, refuse_base
from patchgen.spec.variant import ManifestFile, Variant


class _BackendPlanner(Protocol):
    """A base: where the facts hold, and which parts of a unit it already has or lacks."""

    @property
    def facts(self) -> Mapping[str, Site | None]: ...

    def has_all(self, unit: ManifestFile) -> bool: ...

    def find_unmet_needs(self, unit: ManifestFile) -> tuple[str, ...]: ...


def select_units(variant: Variant, backends: Sequence[str]) -> list[ManifestFile]:
    """Return the variant's own manifest and those of the named backends, or of all backends."""
    valid_names = variant.manifest.variant.backends
    for name in backends:
        if name not in valid_names:
            raise UsageError(
                f"the variant {variant.name} has no backend {name!r}",
                code="name-unknown",
                hint=f"its backends: {', '.join(valid_names) or 'none'}",
            )
    return [
        unit
        for unit in variant.units
        if unit.backend is None or not backends or unit.backend in backends
    ]


def choose_units(
    planner: _BackendPlanner,
    units: Sequence[ManifestFile],
    base: Base,
    *,
    named_backends: Sequence[str],
    earlier_backends: Sequence[str],
) -> tuple[list[ManifestFile], tuple[LeftOut, ...]]:
    """Return the units of the series, and the backends that are left out.

    The needs and conditions of a unit are checked only if the base does not have all its patches.
    Raises RefusedError if the base lacks a need of the variant itself, if one of `named_backends`
    cannot be made, or if all backends are left out.
    """
    backends = [unit for unit in units if unit.backend is not None]
    # A reroll may change the variant; ignore backends that this one does not have.
    earlier = [unit.backend for unit in backends if unit.backend in earlier_backends]
    requested = named_backends or earlier
    unmet_needs = [
        line for unit in units if unit.backend is None for line in planner.find_unmet_needs(unit)
    ]
    left_out = []
    for unit in backends:
        if not named_backends and earlier and unit.backend not in earlier:
            reason = "the version that is rerolled does not have it"
            left_out.append(LeftOut(unit.backend, reason, on_request=True))
        elif (
            entry := _explain_omission(planner, unit, requested=unit.backend in requested)
        ) is not None:
            left_out.append(entry)
    if (
        unmet_needs
        or (left_out and named_backends)
        or (backends and len(left_out) == len(backends))
    ):
        _refuse(base, unmet_needs, left_out)
    omitted = [entry.backend for entry in left_out]
    return [unit for unit in units if unit.backend not in omitted], tuple(left_out)


def find_left_out(
    unit: ManifestFile, facts: Mapping[str, Site | None], patch: PatchEntry | None = None
) -> LeftOut | None:
    """Return why a manifest leaves out its backend, or one patch, on a base; None if it does not.

    Raises SpecError for a fact that no manifest declares.
    """
    if patch is not None:
        entries: Sequence[LeftOutEntry] = patch.left_out
        keys: tuple[str | int, ...] = ("patch", unit.manifest.patch.index(patch), "left_out")
    else:
        entries = unit.manifest.left_out if isinstance(unit.manifest, BackendManifest) else ()
        keys = ("left_out",)
    for number, entry in enumerate(entries):
        evidence = _find_evidence(unit, facts, entry, *keys, number)
        if evidence:
            return LeftOut(
                unit.backend,
                entry.reason,
                evidence,
                on_request=isinstance(entry, BackendLeftOut) and entry.on_request,
                patch=patch.name if patch is not None else None,
            )
    return None


def _find_evidence(
    unit: ManifestFile, facts: Mapping[str, Site | None], entry: LeftOutEntry, *keys: str | int
) -> tuple[Evidence, ...]:
    """Return the evidence of a base for the entry at `keys`; empty if its conditions fail."""
    if not holds(entry.when, facts, unit, *keys, "when"):
        return ()
    return tuple(
        Evidence(evidence.say, facts.get(evidence.fact))
        for number, evidence in enumerate(entry.evidence)
        if holds([evidence.fact], facts, unit, *keys, "evidence", number, "fact")
    )


def _explain_omission(
    planner: _BackendPlanner, unit: ManifestFile, *, requested: bool
) -> LeftOut | None:
    """Return why a backend is left out, None if it is made or the base has all its patches."""
    if unmet_needs := planner.find_unmet_needs(unit):
        return LeftOut(unit.backend, "this base lacks what it needs", unmet_needs=unmet_needs)
    entry = find_left_out(unit, planner.facts)
    if entry is None or planner.has_all(unit):
        return None
    return None if entry.on_request and requested else entry


def _refuse(base: Base, unmet_needs: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    """Raise the error for a base on which not all named backends can be made, or nothing at all."""
    needs = [*unmet_needs, *itertools.chain(*(entry.unmet_needs for entry in left_out))]
    reasons = [str(entry) for entry in left_out if not entry.unmet_needs]
    if needs:
        raise refuse_base(base, list(dict.fromkeys((*needs, *reasons))))
    raise RefusedError(
        f"nothing can be made on {base.describe}:\n"
        + "\n".join(f"  {reason}" for reason in reasons),
        code="nothing-applies",
        hint="name a backend that can be made on this base, or another base",
        parameters=("backends", "base"),
    )
