# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan the patches of a variant for a base, with their semantic patches rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from patchgen.controls import has_controls
from patchgen.ctokens import find_sequence, tokenize
from patchgen.errors import ErrorPlace, RefusedError, SpecError
from patchgen.model.base import Base, Oid, TreeFile, TreeReader
from patchgen.model.outcome import Site
from patchgen.model.plan import (
    Edit,
    EmptyVariable,
    HitCount,
    InsertLines,
    LeftOut,
    NewFile,
    PlannedPatch,
    RunRules,
)
from patchgen.model.smpl import SemanticPatch
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.backends import choose_units, find_left_out, select_units
from patchgen.spec.files import find_file, read_macros, read_origin
from patchgen.spec.manifest import (
    FILE_NAME,
    LinesEntry,
    NewFileEntry,
    PatchEntry,
    SemanticPatchEntry,
)
from patchgen.spec.probe import fill_in, find_fact, find_facts, find_unmet_needs, holds
from patchgen.spec.variables import list_empty_variables
from patchgen.spec.variant import ManifestFile, Variant, describe_variables, list_recipients
from patchgen.templating import render_smpl, render_text

_LONGEST_DEFINITION = 100_000


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """A variant planned for a base: the patches in order, and the context of their templates.

    `tree` is the base's. Templates are looked up in `folders`; `inputs` are digests of these. `cc`
    are people that the variant names; they get all mails. `empty_variables` are the variables that
    the user has to give.
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
        """Whether at least one patch is to be made that is not optional."""
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
) -> SeriesPlan:
    """Return the plan: which patches the base has already, and rendered rules for the others.

    Without named backends, the plan has the backends of `earlier_backends` (the version that a
    reroll regenerates), or else all that fit the base. It lists what was left out. Raises
    RefusedError if the base lacks something, SpecError if the variant is wrong.
    """
    units = select_units(variant, backends)
    facts = find_facts(units, tree)
    shared = SourceFolder(shared_templates)
    macros = variant.manifest.variant.macros
    planner = _PatchPlanner(
        variant=variant,
        macros=read_macros(units[0], macros, (variant.source, shared)) if macros else "",
        tree=tree,
        facts=facts,
        context={
            **context,
            "has": {name: site is not None for name, site in facts.items()},
            "found_at": {name: str(site) for name, site in facts.items() if site is not None},
        },
        shared=shared,
    )
    cover = variant.manifest.variant.cover
    folders = (variant.source, shared)
    find_file(units[0], cover, "variant.cover", folders, "variant", "cover")
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


def find_present_patches(
    variant: Variant, backends: Sequence[str], tree: TreeReader, values: Mapping[str, Any]
) -> dict[str, Site]:
    """Return the names of the patches that a base already has, and where; nothing is rendered.

    Raises SpecError if the variant is wrong, UsageError if it has no such backend.
    """
    units = select_units(variant, backends)
    facts = find_facts(units, tree)
    planner = _PatchPlanner(variant, "", tree, facts, values, variant.source)
    sites = {patch.name: planner.find_all(patch) for _, patch in planner.select_patches(units)}
    return {name: site for name, site in sites.items() if site is not None}


@dataclass(frozen=True, slots=True)
class _AddedFile:
    """A file that a patch of the plan adds."""

    file: TreeFile
    patch: str


@dataclass(frozen=True, slots=True)
class _PatchPlanner:
    variant: Variant
    macros: str
    tree: TreeReader
    facts: Mapping[str, Site | None]
    context: Mapping[str, Any]
    shared: SourceFolder
    added: dict[str, _AddedFile] = field(default_factory=dict)

    def select_patches(
        self, units: Sequence[ManifestFile]
    ) -> list[tuple[ManifestFile, PatchEntry]]:
        """Return the patches whose conditions hold, each with its manifest."""
        return [
            (unit, patch)
            for unit in units
            for patch in unit.manifest.patch
            if self._holds(unit, patch, patch.when, *_where(unit, patch), "when")
        ]

    def has_all(self, unit: ManifestFile) -> bool:
        """Return whether the base already has all patches of a unit that are not optional."""
        required = [patch for _, patch in self.select_patches([unit]) if not patch.optional]
        return bool(required) and all(self.find_all(patch) for patch in required)

    def find_unmet_needs(self, unit: ManifestFile) -> tuple[str, ...]:
        """Return which needs of a unit the base lacks; none if the base has all its patches."""
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
        where = (*_where(unit, patch), "message")
        field = f"patch {patch.name}: message"
        find_file(unit, patch.message, field, self._folders(unit), *where)
        return PlannedPatch(
            name=patch.name,
            backend=unit.backend,
            message=patch.message,
            folders=self._folders(unit),
            present_at=self.find_all(patch),
            optional=patch.optional,
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
                    place=unit.place(
                        *_where(unit, patch),
                        "trailers",
                        key,
                        field=f"patch {patch.name}: trailers.{key}",
                    ),
                )
            if value:
                yield key, value

    def add_edits(
        self, unit: ManifestFile, patch: PatchEntry, planned: PlannedPatch
    ) -> PlannedPatch:
        """Return the patch with its edits and rendered semantic patches, unless the base has it."""
        if planned.present_at is not None:
            return planned
        edits: list[Edit] = []
        for rules in patch.rules:
            if self._holds(unit, patch, rules.when, *_where(unit, patch, "rules", rules), "when"):
                edits.append(self._rules(unit, patch, rules))
        for new_file in patch.new_files:
            if self._holds(
                unit, patch, new_file.when, *_where(unit, patch, "new_files", new_file), "when"
            ):
                edits.append(self._new_file(unit, patch, new_file))
        for lines in patch.lines:
            if self._holds(unit, patch, lines.when, *_where(unit, patch, "lines", lines), "when"):
                edits.append(self._lines(unit, patch, lines))
        return replace(planned, edits=tuple(edits))

    def find_all(self, patch: PatchEntry) -> Site | None:
        """Return the site of the first probe if all probes of a patch match, else None."""
        sites = [find_fact(probe, self.tree, self.context) for probe in patch.probe]
        return sites[0] if all(sites) else None

    def _holds(
        self, unit: ManifestFile, patch: PatchEntry, when: Sequence[str], *where: str | int
    ) -> bool:
        return holds(when, self.facts, unit, f"patch {patch.name}: when", *where)

    def _rules(self, unit: ManifestFile, patch: PatchEntry, rules: SemanticPatchEntry) -> RunRules:
        where = _where(unit, patch, "rules", rules)
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
        where = (*_where(unit, patch, "lines", lines), "template")
        return InsertLines(
            file=file,
            lines=self._text(unit, lines.template, f"patch {patch.name}: lines", *where).encode(),
            anchors=lines.before or lines.after or (),
            before=lines.before is not None,
        )

    def _new_file(self, unit: ManifestFile, patch: PatchEntry, new_file: NewFileEntry) -> NewFile:
        where = _where(unit, patch, "new_files", new_file)
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
            if self.tree.find([_escape_glob(name)]):
                return f"the base already has {kind}"
        for name, added in self.added.items():
            if name.startswith(f"{path}/"):
                return f"the patch {added.patch} adds {name}, so it is a folder"
        inside = self.tree.find([f"{_escape_glob(path)}/**"])
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


def _where(
    unit: ManifestFile, patch: PatchEntry, kind: str = "", entry: object = None
) -> list[str | int]:
    """Return the keys of a patch, or of one of its entries, in its manifest."""
    where: list[str | int] = ["patch", unit.manifest.patch.index(patch)]
    return [*where, kind, getattr(patch, kind).index(entry)] if kind else where


def _escape_glob(path: str) -> str:
    """Return a glob that matches this path only."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _hit_count(declared: int | str) -> HitCount:
    if isinstance(declared, int):
        return HitCount(declared)
    return HitCount(int(declared.removeprefix(">=")), at_least=True)
