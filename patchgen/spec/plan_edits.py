# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan the edits of a variant's patch: rendered semantic patches, new files, lines and texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.coccinelle import read_rules, refuse_without_change
from patchgen.ctokens import find_sequence, tokenize
from patchgen.errors import RefusedError, SpecError
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
    LinesEntry,
    NewFileEntry,
    PatchEntry,
    ReplaceEntry,
    SemanticPatchEntry,
)
from patchgen.spec.manifest_errors import refuse_rule
from patchgen.spec.near_path import suggest_path
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
    """Renders the templates of patches for a base. `added` are the new files of earlier patches.

    `applied` are the names of patches that the base has according to its history. Such a patch is
    made only for places that its rules still find.
    """

    tree: TreeReader
    facts: Mapping[str, Site | None]
    applied: Collection[str] = ()
    added: dict[str, _AddedFile] = field(default_factory=dict)

    def add_edits(
        self, unit: ManifestFile, patch: PatchEntry, planned: PlannedPatch
    ) -> PlannedPatch:
        """Return the patch, with its edits and rendered semantic patches if the base lacks it."""
        has_other_edits = bool(patch.new_files or patch.lines or patch.replace)
        if planned.present_at is not None or (has_other_edits and patch.name in self.applied):
            return planned

        def is_due(kind: str, entry: object, when: Sequence[str]) -> bool:
            where = where_in_manifest(unit, patch, kind, entry)
            return holds(when, self.facts, unit, *where, "when")

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

    def _rules(self, unit: ManifestFile, patch: PatchEntry, rules: SemanticPatchEntry) -> RunRules:
        rendered = self.render_rules(unit, patch, rules)
        refuse_without_change(rendered)
        names = {rule.name for rule in read_rules(rendered.text) if rule.name}
        where = where_in_manifest(unit, patch, "rules", rules)
        for name in rules.must_fire:
            if name not in names:
                raise refuse_rule(unit, rules.file, name, names, *where)
        return RunRules(
            patch=rendered,
            files=tuple(self._files_of_rules(unit, patch, rules)),
            must_fire={name: _hit_count(count) for name, count in rules.must_fire.items()},
            on=rules.on,
            containing=rules.containing,
        )

    def _lines(self, unit: ManifestFile, patch: PatchEntry, lines: LinesEntry) -> InsertLines:
        where = where_in_manifest(unit, patch, "lines", lines)
        [file] = self._files(unit, (lines.file,), *where, "file")[:1]
        return InsertLines(
            file=file,
            lines=self.text(unit, lines.template, *where, "template").encode(),
            anchors=lines.before or lines.after or (),
            before=lines.before is not None,
        )

    def _replace(self, unit: ManifestFile, patch: PatchEntry, entry: ReplaceEntry) -> ReplaceText:
        where = where_in_manifest(unit, patch, "replace", entry)
        [file] = self._files(unit, (entry.file,), *where, "file")[:1]
        old, new = (
            self.text(unit, template, *where, key).encode()
            for key, template in (("old", entry.old), ("new", entry.new))
        )
        if not old:
            raise SpecError(
                "is empty: it must be the lines to replace",
                code="toml-invalid",
                place=unit.place(*where, "old"),
            )
        return ReplaceText(file, old, new)

    def _new_file(self, unit: ManifestFile, patch: PatchEntry, new_file: NewFileEntry) -> NewFile:
        where = where_in_manifest(unit, patch, "new_files", new_file)
        if (reason := self._find_clash(new_file.path)) is not None:
            raise RefusedError(
                f"cannot add {new_file.path}: {reason}",
                code="path-added-twice",
                place=unit.place(*where, "path"),
            )
        file = TreeFile(PurePosixPath(new_file.path), "100644", Oid(""))
        self.added[new_file.path] = _AddedFile(file, patch.name)
        text = self.text(unit, new_file.template, *where, "template")
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

    def _files_of_rules(
        self, unit: ManifestFile, patch: PatchEntry, rules: SemanticPatchEntry
    ) -> list[TreeFile]:
        """Return the files on which a semantic patch runs.

        Raises RefusedError without any, unless that means that the base does not need the patch.
        """
        where = (*where_in_manifest(unit, patch, "rules", rules), "on")
        found = self._find(rules.on)
        containing = rules.containing
        files = [
            file
            for file in found
            if not containing or str(file.path) in self.added or self._has_any(file, containing)
        ]
        if files or patch.name in self.applied:
            return files
        if not found and (not patch.optional or not any(map(_is_glob, rules.on))):
            raise self._refuse_missing(unit, rules.on, *where)
        if not patch.optional:
            raise RefusedError(
                f"the base has no {' or '.join(rules.on)} with {' or '.join(containing)}",
                code="base-lacks-needs",
                place=unit.place(*where),
                hint="`optional = true` leaves the patch out on such a base; if the base has the "
                "patch already, a `probe` recognises it",
            )
        return files

    def _files(
        self, unit: ManifestFile, patterns: Sequence[str], *where: str | int
    ) -> list[TreeFile]:
        """Return the files that a manifest names at `where`. Raises RefusedError without any."""
        files = self._find(patterns)
        if not files:
            raise self._refuse_missing(unit, patterns, *where, takes_globs=False)
        return files

    def _find(self, patterns: Sequence[str]) -> list[TreeFile]:
        # A patch may change a file that an earlier patch added; globs match files of the base only.
        added = [self.added[pattern].file for pattern in patterns if pattern in self.added]
        return [*self.tree.find(patterns), *added]

    def _refuse_missing(
        self,
        unit: ManifestFile,
        patterns: Sequence[str],
        *where: str | int,
        takes_globs: bool = True,
    ) -> RefusedError:
        return RefusedError(
            f"the base has no {' or '.join(patterns)}",
            code="base-lacks-needs",
            place=unit.place(*where),
            hint=suggest_path(self.tree, patterns, takes_globs=takes_globs)
            or "check that the base is a kernel tree that the variant supports",
        )

    def _has_any(self, file: TreeFile, texts: Sequence[str]) -> bool:
        content = self.tree.read(file)
        sequences = [[token.text for token in tokenize(text.encode())] for text in texts]
        return any(find_sequence(content, tokens) is not None for tokens in sequences)


def _is_glob(pattern: str) -> bool:
    return escape_glob(pattern) != pattern


def _hit_count(declared: int | str) -> HitCount:
    if isinstance(declared, int):
        return HitCount(declared)
    return HitCount(int(declared.removeprefix(">=")), at_least=True)
