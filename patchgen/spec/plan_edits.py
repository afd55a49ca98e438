# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan the edits of a variant's patch: rendered semantic patches, new files, lines and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.ctokens import find_sequence, tokenize
from patchgen.errors import ErrorPlace, RefusedError, SpecError
from patchgen.model.base import Oid, TreeFile, TreeReader, escape_glob
from patchgen.model.outcome import Site
from patchgen.model.plan import (
    Edit,
    HitCount,
    InsertLines,
    NewFile,
    PlannedPatch,
    ReplaceText,
    RunRules,
)
from patchgen.spec.manifest import (
    FILE_NAME,
    LinesEntry,
    NewFileEntry,
    PatchEntry,
    ReplaceEntry,
    SemanticPatchEntry,
)
from patchgen.spec.patch_renderer import PatchRenderer, where_in_manifest
from patchgen.spec.probe import holds
from patchgen.spec.variant import ManifestFile


@dataclass(frozen=True, slots=True)
class _AddedFile:
    """A file that a patch of the plan adds."""

    file: TreeFile
    patch: str


@dataclass(frozen=True, slots=True)
class EditPlanner(PatchRenderer):
    """Renders the templates of patches for a base. `added` are the new files of earlier patches."""

    tree: TreeReader
    facts: Mapping[str, Site | None]
    added: dict[str, _AddedFile] = field(default_factory=dict)

    def add_edits(
        self, unit: ManifestFile, patch: PatchEntry, planned: PlannedPatch
    ) -> PlannedPatch:
        """Return the patch, with its edits and rendered semantic patches if the base lacks it."""
        if planned.present_at is not None:
            return planned

        def is_due(kind: str, entry: object, when: Sequence[str]) -> bool:
            where = where_in_manifest(unit, patch, kind, entry)
            return self._holds(unit, patch, when, *where, "when")

        edits: list[Edit] = []
        for rules in patch.rules:
            if is_due("rules", rules, rules.when):
                edits.append(self._rules(unit, patch, rules))
        for new_file in patch.new_files:
            if is_due("new_files", new_file, new_file.when):
                edits.append(self._new_file(unit, patch, new_file))
        for lines in patch.lines:
            if is_due("lines", lines, lines.when):
                edits.append(self._lines(unit, patch, lines))
        for text in patch.replace:
            if is_due("replace", text, text.when):
                edits.append(self._replace(unit, patch, text))
        return replace(planned, edits=tuple(edits))

    def _holds(
        self, unit: ManifestFile, patch: PatchEntry, when: Sequence[str], *where: str | int
    ) -> bool:
        return holds(when, self.facts, unit, f"patch {patch.name}: when", *where)

    def _rules(self, unit: ManifestFile, patch: PatchEntry, rules: SemanticPatchEntry) -> RunRules:
        return RunRules(
            patch=self.render_rules(unit, patch, rules),
            files=tuple(self._files(unit, patch, rules.on, rules.containing)),
            must_fire={name: _hit_count(count) for name, count in rules.must_fire.items()},
        )

    def _lines(self, unit: ManifestFile, patch: PatchEntry, lines: LinesEntry) -> InsertLines:
        [file] = self._files(unit, patch, (lines.file,))[:1]
        where = (*where_in_manifest(unit, patch, "lines", lines), "template")
        return InsertLines(
            file=file,
            lines=self.text(unit, lines.template, f"patch {patch.name}: lines", *where).encode(),
            anchors=lines.before or lines.after or (),
            before=lines.before is not None,
        )

    def _replace(self, unit: ManifestFile, patch: PatchEntry, entry: ReplaceEntry) -> ReplaceText:
        [file] = self._files(unit, patch, (entry.file,))[:1]
        where = where_in_manifest(unit, patch, "replace", entry)
        old, new = (
            self.text(unit, template, f"patch {patch.name}: replace.{key}", *where, key).encode()
            for key, template in (("old", entry.old), ("new", entry.new))
        )
        if not old:
            raise SpecError(
                "is empty: it must be the lines to replace",
                code="toml-invalid",
                place=unit.place(*where, "old", field=f"patch {patch.name}: replace.old"),
            )
        return ReplaceText(file, old, new)

    def _new_file(self, unit: ManifestFile, patch: PatchEntry, new_file: NewFileEntry) -> NewFile:
        where = where_in_manifest(unit, patch, "new_files", new_file)
        field = f"patch {patch.name}: new_files"
        if (reason := self._find_clash(new_file.path)) is not None:
            raise RefusedError(
                f"cannot add {new_file.path}: {reason}",
                code="path-added-twice",
                place=unit.place(*where, "path", field=f"{field}.path"),
            )
        file = TreeFile(PurePosixPath(new_file.path), "100644", Oid(""))
        self.added[new_file.path] = _AddedFile(file, patch.name)
        text = self.text(unit, new_file.template, f"{field}.template", *where, "template")
        return NewFile(file.path, text.encode())

    def _find_clash(self, path: str) -> str | None:
        """Return why a new file cannot be added at a path, or None."""
        parents = [str(parent) for parent in PurePosixPath(path).parents][:-1]
        for name in (path, *parents):
            kind = "it" if name == path else f"{name}, a file"
            if name in self.added:
                return f"the patch {self.added[name].patch} already adds {kind}"
            if self.tree.find([escape_glob(name)]):
                return f"the base already has {kind}"
        for name, added in self.added.items():
            if name.startswith(f"{path}/"):
                return f"the patch {added.patch} adds {name}, so it is a folder"
        inside = self.tree.find([f"{escape_glob(path)}/**"])
        return f"it is a folder of the base, which has {inside[0].path}" if inside else None

    def _files(
        self,
        unit: ManifestFile,
        patch: PatchEntry,
        patterns: Sequence[str],
        containing: Sequence[str] = (),
    ) -> list[TreeFile]:
        files = self.tree.find(patterns)
        if containing:
            files = [file for file in files if self._has_any(file, containing)]
        # A patch may change a file that an earlier patch added; globs match files of the base only.
        files += [self.added[pattern].file for pattern in patterns if pattern in self.added]
        if not files:
            raise RefusedError(
                f"patch {patch.name}: the base has no {' or '.join(patterns)}"
                + (f" with {' or '.join(containing)}" if containing else ""),
                code="base-lacks-needs",
                place=ErrorPlace(str(unit.folder / FILE_NAME)),
                hint="check that the base is a kernel tree that the variant supports",
            )
        return files

    def _has_any(self, file: TreeFile, texts: Sequence[str]) -> bool:
        content = self.tree.read(file)
        sequences = [[token.text for token in tokenize(text.encode())] for text in texts]
        return any(find_sequence(content, tokens) is not None for tokens in sequences)


def _hit_count(declared: int | str) -> HitCount:
    if isinstance(declared, int):
        return HitCount(declared)
    return HitCount(int(declared.removeprefix(">=")), at_least=True)
