# SPDX-License-Identifier: GPL-2.0-or-later
"""Find all errors of a variant, without a base: manifests, templates, semantic patches.

The checks read the TOML values of a manifest, since a manifest with an error does not become a
model. They parse the templates of messages, texts and new files. They render those of semantic
patches for two bases: one where all facts hold, and one where all facts are false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from patchgen.coccinelle import (
    Spatch,
    apply_to_file,
    find_marker_faults,
    mend_markers,
    read_rules,
    refuse_without_change,
)
from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import SemanticPatch
from patchgen.model.treepath import refuse_new_path
from patchgen.sourcefolder import SourceFolder, decode_text
from patchgen.spec.files import find_file, read_origin
from patchgen.spec.manifest import FILE_NAME, BackendManifest, VariableEntry, VariantManifest
from patchgen.spec.manifest_errors import refuse_backend, refuse_fact, refuse_rule, refuse_second
from patchgen.spec.patch_renderer import SERIES_NAMES
from patchgen.spec.probe import assume_facts
from patchgen.spec.raw_manifest import RawManifest, Where, list_conditions, make_context
from patchgen.spec.toml import find_toml_errors
from patchgen.spec.variables import check_value
from patchgen.templating import check_template, place_in_template, refuse_undefined, render_smpl

# What messages and the cover letter get in addition (series/messages.py).
_MESSAGE_NAMES = frozenset({"patch"})
_COVER_NAMES = frozenset({"patches", "by_hand", "lines", "semantic_patches", "without_rules"})
_TEXTS = {"new_files": ("template",), "lines": ("template",), "replace": ("old", "new")}


def find_variant_errors(path: Path, shared: Path, spatch: Spatch) -> list[SpecError]:
    """Return all errors of the variant in a folder, by file and line.

    `shared` is the folder of the templates that variants share. Raises ToolError if spatch fails.
    """
    checker = _Checker(SourceFolder(path), SourceFolder(shared), spatch)
    errors = {str(error): error for error in checker.find()}
    return sorted(errors.values(), key=_sort_key)


def _sort_key(error: SpecError) -> tuple[str, int, str]:
    place = error.place or ErrorPlace("")
    return place.file, place.line or 0, str(error)


@dataclass(slots=True)
class _Checker:
    source: SourceFolder
    shared: SourceFolder
    spatch: Spatch
    manifests: list[RawManifest] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def find(self) -> Iterator[SpecError]:
        yield from self._load(self.source, VariantManifest)
        for unit in self.manifests[:1]:
            head = unit.data.get("variant")
            names = head.get("backends", []) if isinstance(head, dict) else []
            for name in names if isinstance(names, list) else []:
                if isinstance(name, str) and refuse_new_path(name) is None:
                    yield from self._load_backend(name)
        for unit in self.manifests:
            yield from self._read_declarations(unit, "variables", self.variables)
            yield from self._read_declarations(unit, "facts", self.facts)
        for unit in self.manifests:
            yield from self._check_unit(unit)

    def _load(
        self, source: SourceFolder, kind: type[VariantManifest | BackendManifest]
    ) -> Iterator[SpecError]:
        place = ErrorPlace(str(source.path / FILE_NAME))
        try:
            content = source.read(FILE_NAME)
            if content is None:
                raise SpecError("the file does not exist", code="file-missing", place=place)
            text = decode_text(content, place)
        except SpecError as err:
            yield err
            return
        data, errors = find_toml_errors(source.path / FILE_NAME, text, kind)
        yield from errors
        if isinstance(data, dict):
            folders = tuple(dict.fromkeys((source, self.source, self.shared)))
            self.manifests.append(RawManifest(source, text, data, folders))

    def _load_backend(self, name: str) -> Iterator[SpecError]:
        count = len(self.manifests)
        yield from self._load(self.source.folder(f"backends/{name}"), BackendManifest)
        for unit in self.manifests[count:]:
            head = unit.data.get("backend")
            stated = head.get("name", name) if isinstance(head, dict) else name
            if isinstance(stated, str) and stated != name:
                yield refuse_backend(unit, stated, name)

    def _read_declarations(
        self, unit: RawManifest, kind: str, declared: dict[str, Any]
    ) -> Iterator[SpecError]:
        """Read variables or facts, of which all manifests share one namespace."""
        tables = unit.data.get(kind)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if declared.setdefault(name, table) != table:
                yield refuse_second(unit, kind, name)

    def _check_unit(self, unit: RawManifest) -> Iterator[SpecError]:
        yield from self._check_defaults(unit)
        head = unit.data.get("variant")
        if isinstance(head, dict):
            yield from self._check_text(unit, head, ("variant",), "cover", _COVER_NAMES)
            if "macros" in head:
                yield from self._check_text(unit, head, ("variant",), "macros", is_template=False)
        for kind in ("needs", "cites", "left_out"):
            for where, table in unit.list_tables(kind):
                yield from self._check_when(unit, table, where)
        for where, patch in unit.list_tables("patch"):
            yield from self._check_patch(unit, where, patch)

    def _check_defaults(self, unit: RawManifest) -> Iterator[SpecError]:
        tables = unit.data.get("variables")
        for name, table in tables.items() if isinstance(tables, dict) else ():
            try:
                check_value(VariableEntry.model_validate(table), table["default"])
            except ValueError as err:
                # A ValidationError is also a ValueError, and was reported with the manifest.
                if type(err) is ValueError:
                    where = ("variables", name, "default")
                    yield unit.error(
                        "variable-value", f"the default {table['default']!r} {err}", where
                    )

    def _check_patch(
        self, unit: RawManifest, where: Where, patch: Mapping[str, Any]
    ) -> Iterator[SpecError]:
        yield from self._check_when(unit, patch, where)
        yield from self._check_text(unit, patch, where, "message", _MESSAGE_NAMES)
        for kind, keys in _TEXTS.items():
            for at, table in unit.list_tables(*where, kind):
                yield from self._check_when(unit, table, at)
                for key in keys:
                    yield from self._check_text(unit, table, at, key)
        for at, rules in unit.list_tables(*where, "rules"):
            yield from self._check_when(unit, rules, at)
            conditions = [*list_conditions(patch), *list_conditions(rules)]
            yield from self._check_rules(unit, rules, at, conditions)
        for at, table in unit.list_tables(*where, "left_out"):
            yield from self._check_when(unit, table, at)

    def _check_when(
        self, unit: RawManifest, table: Mapping[str, Any], where: Where
    ) -> Iterator[SpecError]:
        """Check the names of facts."""
        conditions: list[tuple[Where, str]] = [(("when",), text) for text in list_conditions(table)]
        evidence = table.get("evidence", ())
        for index, entry in enumerate(evidence if isinstance(evidence, list) else [evidence]):
            if isinstance(entry, dict) and isinstance(entry.get("fact"), str):
                conditions.append((("evidence", index, "fact"), entry["fact"]))
        for keys, text in conditions:
            if text.removeprefix("!") not in self.facts:
                yield refuse_fact(unit, text, self.facts, *where, *keys)

    def _check_text(
        self,
        unit: RawManifest,
        table: Mapping[str, Any],
        where: Where,
        key: str,
        names: frozenset[str] = frozenset(),
        *,
        is_template: bool = True,
    ) -> Iterator[SpecError]:
        """Check a file that a manifest names, and the templates that it includes."""
        name = table.get(key)
        if not isinstance(name, str):
            return
        try:
            find_file(unit, name, unit.folders, *where, key)
        except SpecError as err:
            yield err
            return
        if is_template:
            yield from self._check_template(unit, name, names)

    def _check_template(
        self, unit: RawManifest, name: str, names: frozenset[str]
    ) -> Iterator[SpecError]:
        try:
            needs, includes = check_template(name, unit.folders)
        except SpecError as err:
            yield err
            return
        valid = SERIES_NAMES | names | self.variables.keys()
        for variable, line in needs.items():
            if variable not in valid:
                place = place_in_template(name, unit.folders, line)
                yield refuse_undefined(variable, valid, place)
        for include, line in includes.items():
            # The template that includes this one may set the variables that it needs.
            try:
                check_template(include, unit.folders)
            except SpecError as err:
                place = err.place or place_in_template(name, unit.folders, line)
                yield SpecError(err.message, code=err.code, place=place, hint=err.hint)

    def _check_rules(
        self, unit: RawManifest, rules: Mapping[str, Any], where: Where, conditions: Sequence[str]
    ) -> Iterator[SpecError]:
        missing = list(self._check_text(unit, rules, where, "file", is_template=False))
        yield from missing
        values: dict[str, dict[str, str]] = {"text": {}, "define": {}}
        for kind, texts in values.items():
            files = rules.get(kind)
            files = files if isinstance(files, dict) else {}
            for name in files:
                yield from self._check_text(unit, files, (*where, kind), name)
                texts[name] = "0"
        file = rules.get("file")
        if missing or not isinstance(file, str):
            return
        facts = [self._assume(conditions, default) for default in (True, False)]
        labels: set[str] = set()
        failed = False
        for found in self._try_rules(unit, file, values, facts):
            if isinstance(found, SpecError):
                failed = True
                at = (*where, "file")
                yield (
                    found if found.place else unit.error(found.code, found.message, at, found.hint)
                )
            else:
                labels |= {rule.name for rule in read_rules(found.text) if rule.name}
                yield from find_marker_faults(found)
        fired = rules.get("must_fire")
        for name in fired if isinstance(fired, dict) and not failed else ():
            if name not in labels:
                yield refuse_rule(unit, file, name, labels, *where)

    def _assume(self, conditions: Sequence[str], default: bool) -> dict[str, bool]:
        """Return the facts of a base where conditions hold; other facts have the default."""
        facts = dict.fromkeys(self.facts, default)
        return facts | assume_facts(conditions)

    def _try_rules(
        self,
        unit: RawManifest,
        file: str,
        values: Mapping[str, dict[str, str]],
        bases: Sequence[Mapping[str, bool]],
    ) -> Iterator[SemanticPatch | SpecError]:
        """Yield the semantic patch, and its first error, for each of the bases with these facts.

        A fault of its markers is not an error here, as another one would hide it.
        """
        rendered: set[str] = set()
        for facts in bases:
            try:
                patch = self._render(unit, file, values, facts)
                if patch.text not in rendered:
                    rendered.add(patch.text)
                    yield patch
                    refuse_without_change(patch)
                    # spatch reads it with an empty file.
                    mended = mend_markers(patch)
                    apply_to_file(self.spatch, mended, PurePosixPath("empty.c"), b"\n")
            except SpecError as err:
                yield err

    def _render(
        self,
        unit: RawManifest,
        file: str,
        values: Mapping[str, dict[str, str]],
        facts: Mapping[str, bool],
    ) -> SemanticPatch:
        context = make_context(self.variables, facts)
        text, places = render_smpl(file, unit.folders, context)
        return SemanticPatch(
            file,
            text,
            origin=read_origin(places, unit.folders),
            definitions=values["define"],
            texts=values["text"],
        )
