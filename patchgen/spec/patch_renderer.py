# SPDX-License-Identifier: GPL-2.0-or-later
"""Render the templates of a variant's patches: semantic patches and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.files import find_file, read_origin
from patchgen.spec.manifest import PatchEntry, SemanticPatchEntry
from patchgen.spec.variant import ManifestFile, Variant
from patchgen.templating import render_smpl, render_text

# What templates get in addition to the variables (pipeline/generate.py, series/messages.py).
SERIES_NAMES = frozenset(
    {"has", "found_at", "base", "tools", "revision", "backends", "audit_summary", "cites"}
)
_LONGEST_DEFINITION = 100_000


@dataclass(frozen=True, slots=True)
class PatchRenderer:
    """Renders with the values of `context`. `macros` is the text of the variant's macro file."""

    variant: Variant
    macros: str
    context: Mapping[str, Any]
    shared: SourceFolder

    def render_rules(
        self, unit: ManifestFile, patch: PatchEntry, rules: SemanticPatchEntry
    ) -> SemanticPatch:
        """Return a semantic patch with its texts and the values of its virtual identifiers."""
        where = where_in_manifest(unit, patch, "rules", rules)
        path, _ = find_file(unit, rules.file, self.folders(unit), *where, "file")
        text, places = render_smpl(rules.file, self.folders(unit), self.context)

        def text_of(kind: str, name: str, file: str) -> str:
            return self.text(unit, file, *where, kind, name)

        definitions = {
            name: text_of("define", name, file).rstrip("\n") for name, file in rules.define.items()
        }
        for name, definition in definitions.items():
            # The name and the text are one argument of spatch: MAX_ARG_STRLEN in linux/binfmts.h.
            if len(definition.encode()) > _LONGEST_DEFINITION or "\0" in definition:
                raise SpecError(
                    f"is longer than {_LONGEST_DEFINITION} bytes, or has a NUL character",
                    code="file-too-large",
                    place=unit.place(*where, "define", name),
                    hint="use `text`, which spatch never sees",
                )
        return SemanticPatch(
            name=re.sub(r"\.j2$", "", str(self._public_name(path))),
            text=text,
            origin=read_origin(places, self.folders(unit)),
            definitions=definitions,
            texts={name: text_of("text", name, file) for name, file in rules.text.items()},
            macros=self.macros,
        )

    def text(self, unit: ManifestFile, template: str, *where: str | int) -> str:
        """Return a rendered text, whose template a manifest names at the keys `where`."""
        find_file(unit, template, self.folders(unit), *where)
        return render_text(template, self.folders(unit), self.context)

    def _public_name(self, path: Path) -> Path:
        """Return the name of a semantic patch: its path, beginning with the variant's folder or
        `templates`.
        """
        shared = path.is_relative_to(self.shared.path)
        top = self.shared.path if shared else self.variant.folder
        return path.relative_to(top.parent)

    def folders(self, unit: ManifestFile) -> tuple[SourceFolder, ...]:
        """Return the folders to search for templates: the unit, its variant, the shared ones."""
        return tuple(dict.fromkeys((unit.source, self.variant.source, self.shared)))


def where_in_manifest(
    unit: ManifestFile, patch: PatchEntry, kind: str = "", entry: object = None
) -> list[str | int]:
    """Return the keys of a patch, or of one of its entries, in its manifest."""
    where: list[str | int] = ["patch", unit.manifest.patch.index(patch)]
    return [*where, kind, getattr(patch, kind).index(entry)] if kind else where
