# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan the edits of a variant's patch: rendered semantic patches, new files, lines and texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

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
from patchgen.model.smpl import SemanticPatch
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.files import find_file, read_origin
from patchgen.spec.manifest import (
    FILE_NAME,
    LinesEntry,
    NewFileEntry,
    PatchEntry,
    ReplaceEntry,
    SemanticPatchEntry,
)
from patchgen.spec.probe import holds
from patchgen.spec.variant import ManifestFile, Variant
from patchgen.templating import render_smpl, render_text

_LONGEST_DEFINITION = 100_000


@dataclass(frozen=True, slots=True)
class _AddedFile:
    """A file that a patch of the plan adds."""

    file: TreeFile
    patch: str


@dataclass(frozen=True, slots=True)
class EditPlanner:
    """Renders the templates of patches for a base. `added` are the new files of the plan so far."""

    variant: Variant
    macros: str
    tree: TreeReader
    facts: Mapping[str, Site | None]
    context: Mapping[str, Any]
    shared: SourceFolder
    added: dict[str, _AddedFile] = field(default_factory=dict)

    def add_edits(
        self, unit: ManifestFile, patch: PatchEntry, planned: PlannedPatch
    ) -> PlannedPatch:
        """Return the patch with its edits and rendered semantic patches, unless the base has it."""
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
        where = where_in_manifest(unit, patch, "rules", rules)
        field = f"patch {patch.name}: rules"
        path, _ = find_file(unit, rules.file, field, self._folders(unit), *where, "file")
        text, places = render_smpl(rules.file, self._folders(unit), self.context)

        def text_of(kind: str, name: str, file: str) -> str:
            return self._text(unit, file, f"{field}.{kind}.{name}", *where, kind, name)

        definitions = {
            name: text_of("define", name, file).rstrip("\n") for name, file in rules.define.items()
        }
        for name, definition in definitions.items():
            # The name and the text are one argument of spatch: MAX_ARG_STRLEN in linux/binfmts.h.
            if len(definition.encode()) > _LONGEST_DEFINITION or "\0" in definition:
                raise SpecError(
                    f"is longer than {_LONGEST_DEFINITION} bytes, or has a NUL character",
                    code="file-too-large",
                    place=unit.place(*where, "define", name, field=f"{field}.define.{name}"),
                    hint="use `text`, which spatch never sees",
                )
        semantic_patch = SemanticPatch(
            name=re.sub(r"\.j2$", "", str(self._public_name(path))),
            text=text,
            origin=read_origin(places, self._folders(unit)),
            definitions=definitions,
            texts={name: text_of("text", name, file) for name, file in rules.text.items()},
            macros=self.macros,
        )
        return RunRules(
            patch=semantic_patch,
            files=tuple(self._files(unit, patch, rules.on, rules.containing)),
            must_fire={name: _hit_count(count) for name, count in rules.must_fire.items()},
        )

    def _lines(self, unit: ManifestFile, patch: PatchEntry, lines: LinesEntry) -> InsertLines:
        [file] = self._files(unit, patch, (lines.file,))[:1]
        where = (*where_in_manifest(unit, patch, "lines", lines), "template")
        return InsertLines(
            file=file,
            lines=self._text(unit, lines.template, f"patch {patch.name}: lines", *where).encode(),
            anchors=lines.before or lines.after or (),
            before=lines.before is not None,
        )

    def _replace(self, unit: ManifestFile, patch: PatchEntry, entry: ReplaceEntry) -> ReplaceText:
        [file] = self._files(unit, patch, (entry.file,))[:1]
        where = where_in_manifest(unit, patch, "replace", entry)
        old, new = (
            self._text(unit, template, f"patch {patch.name}: replace.{key}", *where, key).encode()
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
        text = self._text(unit, new_file.template, f"{field}.template", *where, "template")
        return NewFile(file.path, text.encode())

    def _find_clash(self, path: str) -> str | None:
        """Return why a new file clashes: its path exists, or a parent folder of it is a file."""
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

    def _text(self, unit: ManifestFile, template: str, field: str, *where: str | int) -> str:
        find_file(unit, template, field, self._folders(unit), *where)
        return render_text(template, self._folders(unit), self.context)

    def _public_name(self, path: Path) -> Path:
        """Return the name of a semantic patch: its path, beginning with the variant's folder or
        `templates`.
        """
        shared = path.is_relative_to(self.shared.path)
        top = self.shared.path if shared else self.variant.folder
        return path.relative_to(top.parent)

    def _folders(self, unit: ManifestFile) -> tuple[SourceFolder, ...]:
        """Return the folders to search for templates: the unit, its variant, the shared ones."""
        return tuple(dict.fromkeys((unit.source, self.variant.source, self.shared)))


def where_in_manifest(
    unit: ManifestFile, patch: PatchEntry, kind: str = "", entry: object = None
) -> list[str | int]:
    """Return the keys of a patch, or of one of its entries, in its manifest."""
    where: list[str | int] = ["patch", unit.manifest.patch.index(patch)]
    return [*where, kind, getattr(patch, kind).index(entry)] if kind else where


def _hit_count(declared: int | str) -> HitCount:
    if isinstance(declared, int):
        return HitCount(declared)
    return HitCount(int(declared.removeprefix(">=")), at_least=True)
