# SPDX-License-Identifier: GPL-2.0-or-later
"""Find and load a variant: its manifest, those of its backends, and their folders."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from patchgen.errors import ErrorPlace, SpecError, UsageError, find_similar, suggest_name
from patchgen.sourcefolder import SourceFolder, decode_text
from patchgen.spec.manifest import FILE_NAME, BackendManifest, VariableEntry, VariantManifest
from patchgen.spec.manifest_errors import refuse_backend, refuse_second
from patchgen.spec.recipes import list_recipes
from patchgen.spec.toml import locate, name_value, parse_toml
from patchgen.spec.variant_folders import find_variant_above, list_named, list_names

_HINT = "a variant is a folder with a manifest.toml"

_Manifest = TypeVar("_Manifest", VariantManifest, BackendManifest)


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """The manifest and the folder of a variant (`backend` is None) or of one of its backends."""

    source: SourceFolder
    backend: str | None
    manifest: VariantManifest | BackendManifest

    @property
    def folder(self) -> Path:
        """Where it is, for messages."""
        return self.source.path

    def place(self, *where: str | int) -> ErrorPlace:
        """Return the place of a value in its manifest; `where` are keys, and indices from 0."""
        content = self.source.read(FILE_NAME) or b""
        line = locate(content.decode("utf-8", "replace"), where)
        return ErrorPlace(str(self.folder / FILE_NAME), line, field=name_value(where))


@dataclass(frozen=True, slots=True)
class Variant:
    """A loaded variant with all its backends.

    `shadowed` are the folders of variants with the same name that were not used.
    """

    source: SourceFolder
    manifest: VariantManifest
    units: tuple[ManifestFile, ...]
    shadowed: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it is, for messages."""
        return self.source.path

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.manifest.variant.name


def load_variant(path: Path) -> Variant:
    """Load a variant's manifest and those of its backends.

    Raises SpecError that names file, line, key and, for an unknown key, the nearest known one.
    """
    source = SourceFolder(path)
    manifest = _load(source, VariantManifest)
    units = [ManifestFile(source=source, backend=None, manifest=manifest)]
    for name in manifest.variant.backends:
        folder = source.folder(f"backends/{name}")
        backend = _load(folder, BackendManifest)
        unit = ManifestFile(source=folder, backend=name, manifest=backend)
        if backend.backend.name != name:
            raise refuse_backend(unit, backend.backend.name, name)
        units.append(unit)
    return Variant(source=source, manifest=manifest, units=tuple(units))


def _load(folder: SourceFolder, kind: type[_Manifest]) -> _Manifest:
    path = folder.path / FILE_NAME
    content = folder.read(FILE_NAME)
    if content is None:
        raise SpecError(
            "the file does not exist", code="file-missing", place=ErrorPlace(str(path)), hint=_HINT
        )
    return parse_toml(path, decode_text(content, ErrorPlace(str(path))), kind)


def describe_variables(variant: Variant) -> Mapping[str, VariableEntry]:
    """Return all variables of a variant and its backends; they share one namespace.

    Raises SpecError if two manifests declare the same variable differently.
    """
    variables: dict[str, VariableEntry] = {}
    for unit in variant.units:
        for name, variable in unit.manifest.variables.items():
            if variables.setdefault(name, variable) != variable:
                raise refuse_second(unit, "variables", name)
    return variables


def list_recipients(units: Sequence[ManifestFile]) -> tuple[str, ...]:
    """Return the people whom manifests name as recipients of all mails, each once."""
    people = (person for unit in units for person in unit.manifest.recipients.cc)
    return tuple(dict.fromkeys(people))


def list_sources(units: Sequence[ManifestFile]) -> list[str]:
    """Return the paths and globs that manifests name, each once.

    The list may contain files that a plan does not read, but misses none.
    """
    return list(dict.fromkeys(path for unit in units for path in _sources_of(unit)))


def _sources_of(unit: ManifestFile) -> Iterator[str]:
    manifest = unit.manifest
    for fact in (*manifest.facts.values(), *manifest.needs):
        yield from fact.file
    for cite in manifest.cites:
        yield from cite.file
    for patch in manifest.patch:
        for probe in patch.probe:
            yield from probe.file
        for rules in patch.rules:
            yield from rules.on
        for lines in patch.lines:
            yield lines.file
        for text in patch.replace:
            yield text.file


def find_variant(name: str, *, suggests_recipes: bool = False) -> Variant:
    """Load a variant by its name, or by the path of its folder.

    With `suggests_recipes`, for a command that also takes recipes, the nearest name may be a
    recipe's. Raises UsageError with the nearest known name if no variant has that name, and if both
    a variant and a folder in the current one have it.
    """
    path, shadowed = _find_folder(name, suggests_recipes=suggests_recipes)
    return replace(load_variant(path), shadowed=shadowed)


def find_variant_folder(name: str, *, suggests_recipes: bool = False) -> Path:
    """Return the folder of a variant. Raises UsageError as find_variant() does."""
    return _find_folder(name, suggests_recipes=suggests_recipes)[0]


def _find_folder(name: str, *, suggests_recipes: bool = False) -> tuple[Path, tuple[Path, ...]]:
    """Return the folder of a variant, and those that it shadows."""
    path = Path(name)
    if "/" in name or name.startswith("."):
        if path.is_file():
            raise _refuse_file(path)
        return path, ()
    named = next((variant for variant in list_named() if variant.name == name), None)
    is_folder = (path / FILE_NAME).is_file()
    if named is not None and is_folder and not path.samefile(named.path):
        raise UsageError(
            f"{name} is both a variant ({named.origin}) and a folder here",
            code="variant-unknown",
            hint=f"name ./{name} or {named.path}",
        )
    if named is None and not is_folder:
        raise _refuse_unknown(name, suggests_recipes=suggests_recipes)
    return (path, ()) if named is None else (named.path, named.shadowed)


def _refuse_file(path: Path) -> UsageError:
    kind, hint = "file", _HINT
    if path.name.endswith((".cocci", ".cocci.j2")):
        kind = "semantic patch"
    if path.suffix == ".cocci":
        run, new = (
            shlex.join(["patchgen", *args])
            for args in (["run", str(path), "--split"], ["new", "NAME", "--from", str(path)])
        )
        hint = f"`{run}` makes a series with it, `{new}` a variant"
    elif (folder := find_variant_above(path)) is not None:
        hint = f"it belongs to the variant {folder}"
    return UsageError(f"{path} is a {kind}, not a variant", code="variant-unknown", hint=hint)


def _refuse_unknown(name: str, *, suggests_recipes: bool) -> UsageError:
    recipes = [recipe.name for recipe in list_recipes()]
    if name in recipes:
        return UsageError(
            f"{name} is a recipe, not a variant",
            code="variant-unknown",
            hint=f"`patchgen run {name}` runs it, and `patchgen show {name}` prints its rules",
        )
    if Path(name).is_file():
        return _refuse_file(Path(name))
    if Path(name).is_dir():
        return UsageError(
            f"the folder {name} is not a variant: it has no {FILE_NAME}",
            code="variant-unknown",
            hint=_HINT,
        )
    names, kind = list_names(), "variants"
    if suggests_recipes:
        names, kind = [*names, *recipes], "variants and recipes"
    # The user may have made the variant next to the tree, as the documentation does.
    sibling = Path("..", name)
    hint = suggest_name(name, names, kind)
    if (sibling / FILE_NAME).is_file():
        hint = f"did you mean {str(sibling)!r}?"
    elif find_similar(name, names) is None:
        hint += "; name a variant of your own by its path, as in ./mine"
    return UsageError(f"unknown variant {name!r}", code="variant-unknown", hint=hint)
