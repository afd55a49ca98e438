"""manifest.toml: what a variant consists of, read into frozen types and checked.

A variant is a folder with a manifest.toml; each backend is a folder `backends/NAME` below it with
a manifest.toml of its own. Paths in a manifest are relative to its folder. The order of the
patches is the order in the file, the variant's before its backends'. README.md describes each key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from patchgen.errors import Place, SpecError

FILE_NAME = "manifest.toml"


class _Table(BaseModel):
    """A TOML table: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, (str, dict)) else value


def _check_tree_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\n" in value:
        raise ValueError("has to be a path inside the tree, relative to its top")
    return value


_NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
Name = Annotated[str, Field(pattern=_NAME)]
TreePath = Annotated[str, AfterValidator(_check_tree_path)]
TreePaths = Annotated[tuple[TreePath, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Anchors = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Conditions = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Variable(_Table):
    """A value that the user may set with --define."""

    type: Literal["identifier", "string", "text", "integer", "boolean", "choice"]
    default: str | int | bool
    help: str
    choices: tuple[str, ...] = ()


class Fact(_Table):
    """A property of the base: whether a sequence of C tokens occurs in any of the files."""

    file: TreePaths
    tokens: str = Field(min_length=1)
    help: str = ""

    @model_validator(mode="before")
    @classmethod
    def _files_is_file(cls, data: Any) -> Any:
        if isinstance(data, dict) and "files" in data and "file" not in data:
            data = {("file" if key == "files" else key): value for key, value in data.items()}
        return data


class Need(Fact):
    """A property that the base must have, or must not have (`absent`); `reason` says why."""

    reason: str
    absent: bool = False
    when: Conditions = ()


class Rules(_Table):
    """A semantic patch and the files that it runs over, each on its own.

    Of the files in `on` only those count that have any of the tokens in `containing`.
    """

    file: str
    on: TreePaths
    containing: Anchors = ()
    must_fire: dict[str, int | Annotated[str, Field(pattern=r"^>=\s*\d+$")]] = {}
    text: dict[str, str] = {}
    define: dict[str, str] = {}
    when: Conditions = ()


class NewFileEntry(_Table):
    """A file to add."""

    path: TreePath
    template: str
    when: Conditions = ()


class Lines(_Table):
    """Lines for a file that is no C: put before or after one whole line of it.

    Of several lines to put them at, the first counts that occurs exactly once.
    """

    file: TreePath
    template: str
    before: Anchors | None = None
    after: Anchors | None = None
    when: Conditions = ()

    @model_validator(mode="after")
    def _one_anchor(self) -> Lines:
        if (self.before is None) == (self.after is None):
            raise ValueError("needs exactly one of `before` and `after`")
        return self


class Patch(_Table):
    """One commit. `probe` finds it in a base that has it already.

    An optional one is made only where its rules find something to change.
    """

    name: Name
    message: str
    probe: Annotated[tuple[Fact, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
    when: Conditions = ()
    optional: bool = False
    rules: tuple[Rules, ...] = ()
    new_files: tuple[NewFileEntry, ...] = ()
    lines: tuple[Lines, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> Patch:
        if not (self.rules or self.new_files or self.lines):
            raise ValueError("changes nothing: it has neither rules, new_files nor lines")
        return self


class CiteReason(_Table):
    """Why a cited call is as it is: said where the caller was assigned to a member named `served`,
    and the call's arguments have the tokens `argument`. Without either it always fits.
    """

    say: str
    served: str | None = None
    argument: str = ""


class Cite(_Table):
    """Calls to point at in what was made: those of `calls`, if it leads to `reaches`, or without
    `calls`, of all that leads there.

    Only calls count whose arguments have the tokens `argument`. With a `title` they are printed.
    """

    name: Annotated[str, Field(pattern=_VARIABLE)]
    file: TreePaths
    calls: str | None = None
    reaches: str | None = None
    argument: str = ""
    title: str = ""
    reasons: tuple[CiteReason, ...] = ()
    when: Conditions = ()

    @model_validator(mode="after")
    def _has_callee(self) -> Cite:
        if self.calls is None and self.reaches is None:
            raise ValueError("needs `calls` or `reaches`")
        return self


class VariantHead(_Table):
    """What a variant is called, and what belongs to all of it."""

    name: Name
    title: str
    help: str = ""
    cover: str
    macros: str | None = None
    backends: tuple[Name, ...] = ()


class BackendHead(_Table):
    """What a backend is called."""

    name: Name
    title: str
    help: str = ""


class _Body(_Table):
    """The tables that variants and backends share. `patch` is [[patch]] in the file."""

    schema_version: Literal[1] = Field(alias="schema")
    variables: dict[Annotated[str, Field(pattern=_VARIABLE)], Variable] = {}
    facts: dict[Annotated[str, Field(pattern=_VARIABLE)], Fact] = {}
    needs: tuple[Need, ...] = ()
    cites: tuple[Cite, ...] = ()
    patch: tuple[Patch, ...] = ()


class VariantManifest(_Body):
    """A variant's manifest.toml."""

    variant: VariantHead


class BackendManifest(_Body):
    """A backend's manifest.toml."""

    backend: BackendHead


class Unit(BaseModel):
    """A manifest and the folder it came from: the variant itself (`backend` is None), or one."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    backend: str | None
    manifest: VariantManifest | BackendManifest


class Variant(BaseModel):
    """A variant with all its backends, as loaded."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    manifest: VariantManifest
    units: tuple[Unit, ...]

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.manifest.variant.name


def load_variant(folder: Path) -> Variant:
    """Load a variant's manifest and those of its backends.

    Raises SpecError that names file, line, key and, for an unknown key, the nearest known one.
    """
    manifest = _load(folder / FILE_NAME, VariantManifest)
    units = [Unit(folder=folder, backend=None, manifest=manifest)]
    for name in manifest.variant.backends:
        path = folder / "backends" / name / FILE_NAME
        backend = _load(path, BackendManifest)
        if backend.backend.name != name:
            raise SpecError(
                f'is "{backend.backend.name}", but the folder is backends/{name}',
                place=Place(str(path), field="backend.name"),
            )
        units.append(Unit(folder=path.parent, backend=name, manifest=backend))
    return Variant(folder=folder, manifest=manifest, units=tuple(units))


_Manifest = TypeVar("_Manifest", VariantManifest, BackendManifest)


def _load(path: Path, kind: type[_Manifest]) -> _Manifest:
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as err:
        raise SpecError(
            f"cannot be read: {err.strerror}",
            place=Place(str(path)),
            hint="a variant is a folder with a manifest.toml",
        ) from None
    except UnicodeDecodeError:
        raise SpecError("is not UTF-8", place=Place(str(path))) from None
    except tomllib.TOMLDecodeError as err:
        _refuse_toml(path, text, str(err))
    try:
        return kind.model_validate(data)
    except ValidationError as err:
        _refuse(path, text, kind, err)


def _refuse_toml(path: Path, text: str, message: str) -> NoReturn:
    match = re.search(r" \(at line (\d+), column (\d+)\)", message)
    if match is None:
        raise SpecError(message, place=Place(str(path)))
    line, column = int(match[1]), int(match[2])
    excerpt = (text.splitlines() or [""])[min(line, len(text.splitlines())) - 1]
    raise SpecError(
        message.replace(match[0], ""), place=Place(str(path), line, column, excerpt=excerpt)
    )


def _refuse(path: Path, text: str, kind: type[BaseModel], err: ValidationError) -> NoReturn:
    # An unknown key is most often the cause of a missing one: tell of it first.
    errors = sorted(err.errors(), key=lambda error: error["type"] != "extra_forbidden")
    error = errors[0]
    where = [part for part in error["loc"] if not _is_validator(part)]
    field = _field(where)
    hint = None
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = _known_keys(kind, where[:-1])
        message = f"unknown key {where[-1]!r}"
        near = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    elif error["type"] == "missing":
        message = "is missing"
    line = _line_of(text, str(where[-1])) if where else None
    excerpt = text.splitlines()[line - 1] if line else None
    raise SpecError(message, place=Place(str(path), line, field=field, excerpt=excerpt), hint=hint)


def _is_validator(part: int | str) -> bool:
    return isinstance(part, str) and ("[" in part or part in {"int", "str", "bool"})


def _field(where: Sequence[int | str]) -> str:
    field = ""
    for part in where:
        field += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if field else part
    return field


def _known_keys(kind: type[BaseModel], where: Sequence[int | str]) -> list[str]:
    """Return the keys of the table at `where`, found by walking down the models' fields."""
    table: type[BaseModel] | None = kind
    for part in where:
        if table is None or not isinstance(part, str):
            continue
        field = next((f for n, f in table.model_fields.items() if part in (n, f.alias)), None)
        table = _table_in(field.annotation) if field else table
    if table is None:
        return []
    return sorted(field.alias or name for name, field in table.model_fields.items())


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _table_in(inner)) is not None:
            return found
    return None


def _line_of(text: str, key: str) -> int | None:
    """Return the line of a key that occurs just once in a file."""
    pattern = re.compile(rf'(^|[\s{{,.\[])"?{re.escape(key)}"?\s*[=\].]')
    lines = [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return lines[0] if len(lines) == 1 else None


def describe_variables(variant: Variant) -> Mapping[str, Variable]:
    """Return all variables of a variant and its backends; they share one name space.

    Raises SpecError where two manifests declare the same one differently.
    """
    found: dict[str, Variable] = {}
    for unit in variant.units:
        for name, variable in unit.manifest.variables.items():
            if found.setdefault(name, variable) != variable:
                raise SpecError(
                    "is declared twice, differently",
                    place=Place(str(unit.folder / FILE_NAME), field=f"variables.{name}"),
                )
    return found
