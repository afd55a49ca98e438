# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the paths and globs of a variant for which a tree has no file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from patchgen.errors import PatchgenError, RefusedError
from patchgen.model.base import TreeReader
from patchgen.model.outcome import Site
from patchgen.spec.backends import find_left_out, select_units
from patchgen.spec.manifest import PatchEntry
from patchgen.spec.near_path import suggest_path
from patchgen.spec.patch_renderer import where_in_manifest
from patchgen.spec.plan import find_present_patches
from patchgen.spec.probe import find_facts, find_unmet_needs, holds
from patchgen.spec.variant import ManifestFile, Variant


def find_missing_paths(
    variant: Variant, tree: TreeReader, values: Mapping[str, object]
) -> Iterator[MissingPath]:
    """Yield each path and glob of a manifest for which a tree has no file.

    Patches that the tree has, or that a manifest leaves out on it, are not checked. The values are
    those of the variables. Raises SpecError if the variant is wrong.
    """
    units = select_units(variant, ())
    present = find_present_patches(variant, (), tree, values)
    added = {new.path for unit in units for patch in unit.manifest.patch for new in patch.new_files}
    finder = _PathCheck(tree, find_facts(units, tree), added, present)
    for unit in units:
        yield from finder.check_needs(unit)
        unmet = find_unmet_needs(unit, finder.facts, tree, values)
        if unit.backend is None or not (unmet or find_left_out(unit, finder.facts)):
            for patch in unit.manifest.patch:
                yield from finder.check_patch(unit, patch)


@dataclass(frozen=True, slots=True)
class MissingPath:
    """A path for which a tree has no file; `is_fault` if no other base explains that.

    A manifest may have paths for several bases.
    """

    error: PatchgenError
    is_fault: bool = True


@dataclass(frozen=True, slots=True)
class _PathCheck:
    """`added` are the paths of new files, `present` the names of patches that the tree has."""

    tree: TreeReader
    facts: Mapping[str, Site | None]
    added: Collection[str]
    present: Collection[str]
    hints: dict[tuple[str, bool], str | None] = field(default_factory=dict)

    def check_needs(self, unit: ManifestFile) -> Iterator[MissingPath]:
        for number, need in enumerate(unit.manifest.needs):
            where = ("needs", number)
            is_due = not need.absent and holds(need.when, self.facts, unit, *where, "when")
            if is_due and not self.tree.find(need.file):
                similar = [path for path in need.file if self.suggest(path)]
                error = self.refuse(unit, (similar or need.file)[0], *where, "file")
                # A backend is left out on a base that lacks what it needs.
                yield MissingPath(error, bool(similar) or unit.backend is None)

    def check_patch(self, unit: ManifestFile, patch: PatchEntry) -> Iterator[MissingPath]:
        where = where_in_manifest(unit, patch)
        is_due = holds(patch.when, self.facts, unit, *where, "when")
        if not is_due or patch.name in self.present or find_left_out(unit, self.facts, patch):
            return
        for kind, entries in (("lines", patch.lines), ("replace", patch.replace)):
            for entry in entries:
                at = where_in_manifest(unit, patch, kind, entry)
                if holds(entry.when, self.facts, unit, *at, "when") and self.lacks(entry.file):
                    error = self.refuse(unit, entry.file, *at, "file", takes_globs=False)
                    yield MissingPath(error)
        for rules in patch.rules:
            at = where_in_manifest(unit, patch, "rules", rules)
            if not holds(rules.when, self.facts, unit, *at, "when"):
                continue
            missing = {number: path for number, path in enumerate(rules.on) if self.lacks(path)}
            is_needed = not patch.optional and len(missing) == len(rules.on)
            for number, path in missing.items():
                index = (number,) if len(rules.on) > 1 else ()
                error = self.refuse(unit, path, *at, "on", *index)
                yield MissingPath(error, is_needed or bool(self.suggest(path)))

    def lacks(self, path: str) -> bool:
        return path not in self.added and not self.tree.find([path])

    def suggest(self, path: str, *, takes_globs: bool = True) -> str | None:
        key = path, takes_globs
        if key not in self.hints:
            self.hints[key] = suggest_path(self.tree, [path], takes_globs=takes_globs)
        return self.hints[key]

    def refuse(
        self, unit: ManifestFile, path: str, *where: str | int, takes_globs: bool = True
    ) -> PatchgenError:
        hint = self.suggest(path, takes_globs=takes_globs)
        return RefusedError(
            f"the base has no {path}",
            code="base-lacks-needs",
            place=unit.place(*where),
            hint=hint or "correct the path, or check the variant on another base",
            parameters=() if hint else ("base",),
        )
