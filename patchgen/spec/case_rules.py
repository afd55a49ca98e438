# SPDX-License-Identifier: GPL-2.0-or-later
"""Render a semantic patch of a variant for its golden cases, which have no base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import SemanticPatch
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.files import read_macros
from patchgen.spec.manifest import FILE_NAME, PatchEntry, SemanticPatchEntry
from patchgen.spec.patch_renderer import SERIES_NAMES, PatchRenderer
from patchgen.spec.probe import assume_facts
from patchgen.spec.variables import bind_variables
from patchgen.spec.variant import ManifestFile, load_variant
from patchgen.spec.variant_folders import find_variant_above
from patchgen.templating import check_template

# A golden case has values for the facts that its entry assumes, but not for these names.
_WITHOUT_VALUE = SERIES_NAMES - {"has"}


def render_case_rules(path: Path, shared: Path, definitions: Sequence[str]) -> SemanticPatch:
    """Return a semantic patch of a variant, rendered with its variables.

    `shared` is the folder of the templates that variants share, `definitions` are "NAME=VALUE" for
    the variables. Raises SpecError if the file is not in a variant, if no manifest names it as a
    semantic patch, and if its text depends on the base; UsageError as bind_variables() does.
    """
    folder = find_variant_above(path)
    if folder is None:
        raise SpecError(
            f"{path} is a template, and no folder above it has a {FILE_NAME}",
            code="template-failed",
            hint=f"the {FILE_NAME} of a variant declares the variables of its templates",
        )
    variant = load_variant(folder)
    source = SourceFolder(shared)
    renderer = PatchRenderer(
        variant=variant,
        macros=read_macros(variant, source),
        context=bind_variables(variant, definitions),
        shared=source,
    )
    return _find_entry(renderer, path).render()


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry `[[patch.rules]]`; `path` is its file."""

    renderer: PatchRenderer
    path: Path
    unit: ManifestFile
    patch: PatchEntry
    rules: SemanticPatchEntry

    def render(self) -> SemanticPatch:
        """Return the semantic patch. Raises SpecError if its text depends on the base."""
        needs, _ = check_template(self.rules.file, self.renderer.folders(self.unit))
        for name in sorted(needs.keys() & _WITHOUT_VALUE):
            raise SpecError(
                f"golden cases have no base, and only a base has a value for `{name}`",
                code="template-failed",
                place=ErrorPlace(str(self.path), needs[name]),
            )
        with suppress(SpecError):
            # This fails for a template that uses facts, and for a wrong one, whose error the
            # renderings below raise.
            return self._render({})
        assumed = assume_facts((*self.patch.when, *self.rules.when))
        names = [name for unit in self.renderer.variant.units for name in unit.manifest.facts]
        bases = [dict.fromkeys(names, holds) | assumed for holds in (False, True)]
        patches = [self._render({"has": facts}) for facts in bases]
        for name in dict.fromkeys(name for name in names if name not in assumed):
            flipped = [self._render({"has": facts | {name: not facts[name]}}) for facts in bases]
            if flipped != patches:
                raise SpecError(
                    f"golden cases have no base, and the semantic patch depends on the fact {name}",
                    code="template-failed",
                    place=ErrorPlace(str(self.path)),
                    hint="give each value of the fact a semantic patch of its own, with `when`",
                )
        return patches[0]

    def _render(self, facts: Mapping[str, Any]) -> SemanticPatch:
        renderer = replace(self.renderer, context={**self.renderer.context, **facts})
        patch = renderer.render_rules(self.unit, self.patch, self.rules)
        return replace(patch, name=str(self.path))


def _find_entry(renderer: PatchRenderer, path: Path) -> _Entry:
    """Return the first entry that names a file. Raises SpecError if no entry names it."""
    for unit in renderer.variant.units:
        for patch in unit.manifest.patch:
            for rules in patch.rules:
                folders = renderer.folders(unit)
                found = next((each for each in folders if each.read(rules.file) is not None), None)
                if found is not None and path.samefile(found.path / rules.file):
                    return _Entry(renderer, path, unit, patch, rules)
    raise SpecError(
        f"no [[patch.rules]] of {renderer.variant.folder / FILE_NAME} names {path}",
        code="case-missing",
        hint="name it as the `file` of an entry",
    )
