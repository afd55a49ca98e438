# SPDX-License-Identifier: GPL-2.0-or-later
"""Read and check manifest.toml, which lists the parts of a variant, into frozen types.

A variant is a folder with a manifest.toml. Each backend is a folder `backends/NAME` below it, with
its own manifest.toml. Paths in a manifest are relative to its folder. Patches are applied in the
order of the file, the variant's before those of its backends. docs/write-a-variant.md describes
each key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import core_schema

from patchgen.addresses import parse_person
from patchgen.model.base import compile_glob, glob_below, is_glob
from patchgen.model.treepath import refuse_new_path

FILE_NAME = "manifest.toml"


class _Table(BaseModel):
    """A TOML table. It is frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, (str, dict)) else value


class _OneOrMany:
    """Let a field accept a single value in place of a list."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _check_tree_path(value: str) -> str:
    if (why := refuse_new_path(value)) is not None:
        raise ValueError(f"must be a path inside the tree, relative to its top; it {why}")
    return value


def _check_pattern(value: str) -> str:
    folder = value.rstrip("/")
    if folder != value and refuse_new_path(folder) is None and not is_glob(folder):
        raise ValueError(f"is a folder; {glob_below(folder)!r} matches the C files below it")
    compile_glob(_check_tree_path(value))
    return value


NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Count = Annotated[int, Field(ge=0, lt=10**9)]
TreePath = Annotated[str, AfterValidator(_check_tree_path)]
TreePattern = Annotated[str, AfterValidator(_check_pattern)]
# Each path costs a request to git, and each pattern is compared with all files of the tree.
_MAX_PATHS = 1000
TreePaths = Annotated[
    tuple[TreePattern, ...], Field(min_length=1, max_length=_MAX_PATHS), _OneOrMany()
]
Anchors = Annotated[tuple[str, ...], Field(min_length=1, max_length=_MAX_PATHS), _OneOrMany()]
Conditions = Annotated[tuple[str, ...], _OneOrMany()]


def _explain_hits(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Check a number of hits, with one error: pydantic would report one for each possible type."""
    try:
        return check(value)
    except ValidationError:
        raise ValueError('expected a number, or ">=N" for at least N') from None


HitDeclaration = Annotated[
    Count | Annotated[str, Field(pattern=r"^>=\s*\d{1,9}$")], WrapValidator(_explain_hits)
]


def _refuse_statement(key: str) -> str:
    if key.lower() in STATEMENTS:
        raise ValueError("is a statement that only the person it names can make")
    return key


# Documentation/process/submitting-patches.rst: these need the consent of the person they name.
STATEMENTS = frozenset({"signed-off-by", "co-developed-by", "reviewed-by", "acked-by", "tested-by"})
TrailerKey = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$"), AfterValidator(_refuse_statement)
]


class VariableEntry(_Table):
    """A value that the user may set with --define.

    A `person` is "Name <address>", a `url` starts with http:// or https://; both may be empty.
    While the value is empty, commands report the sentence `ask`; with `ask_for`, only if the series
    has one of these patches.
    """

    type: Literal["identifier", "string", "text", "person", "url", "integer", "boolean", "choice"]
    default: str | int | bool
    help: str
    choices: tuple[str, ...] = ()
    ask: str = ""
    ask_for: tuple[Name, ...] = ()


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

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        table = handler.resolve_ref_schema(handler(schema))
        table["properties"]["files"] = table["properties"]["file"]
        table["required"].remove("file")
        table["oneOf"] = [{"required": ["file"]}, {"required": ["files"]}]
        return table


class Need(Fact):
    """A property that the base must have, or must not have (`absent`); `reason` says why."""

    reason: str
    absent: bool = Field(default=False, strict=True)
    when: Conditions = ()


class SemanticPatchEntry(_Table):
    """A semantic patch and the files that it runs on, one at a time.

    With `containing`, it runs only on files that have any of these token sequences.
    """

    file: str
    on: TreePaths
    containing: Anchors = ()
    must_fire: dict[str, HitDeclaration] = {}
    text: dict[Annotated[str, Field(pattern=_VARIABLE)], str] = {}
    define: dict[Annotated[str, Field(pattern=_VARIABLE)], str] = {}
    when: Conditions = ()


class NewFileEntry(_Table):
    """A file to add."""

    path: TreePath
    template: str
    when: Conditions = ()


class LinesEntry(_Table):
    """Lines to add to a file that is not C, before or after one of its lines (the anchor).

    Of several anchors, the first one that occurs exactly once is used.
    """

    file: TreePath
    template: str
    before: Anchors | None = None
    after: Anchors | None = None
    when: Conditions = ()

    @model_validator(mode="after")
    def _one_anchor(self) -> LinesEntry:
        if (self.before is None) == (self.after is None):
            raise ValueError("needs exactly one of `before` and `after`")
        return self


class ReplaceEntry(_Table):
    """Lines of a file to replace by others. `old` and `new` are templates.

    The file must have the old lines exactly once, next to each other.
    """

    file: TreePath
    old: str
    new: str
    when: Conditions = ()


class EvidenceEntry(_Table):
    """A fact that supports a reason: its name, or `!name`, and `say`, what it means."""

    fact: str
    say: str


class LeftOutEntry(_Table):
    """Why a patch or a backend is left out of a series on the bases that `when` selects.

    It is left out if any of the `evidence` holds in the base.
    """

    reason: str
    evidence: Annotated[tuple[EvidenceEntry, ...], Field(min_length=1), _OneOrMany()]
    when: Conditions = ()


class BackendLeftOut(LeftOutEntry):
    """Why a backend is left out. With `on_request`, it is made if the user names it."""

    on_request: bool = Field(default=False, strict=True)


class PatchEntry(_Table):
    """One commit. `probe` recognises a base that already has it.

    Without a probe, a base has the patch if it has all of its new files. An optional patch is made
    only if its rules find something to change. `trailers` are added to its message; `{name}` in a
    value is replaced by a variable, and a trailer with an empty value is left out.
    """

    name: Name
    message: str
    probe: Annotated[tuple[Fact, ...], _OneOrMany()] = ()
    when: Conditions = ()
    optional: bool = Field(default=False, strict=True)
    trailers: dict[TrailerKey, str] = {}
    rules: tuple[SemanticPatchEntry, ...] = ()
    new_files: tuple[NewFileEntry, ...] = ()
    lines: tuple[LinesEntry, ...] = ()
    replace: tuple[ReplaceEntry, ...] = ()
    left_out: tuple[LeftOutEntry, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> PatchEntry:
        if not (self.rules or self.new_files or self.lines or self.replace):
            raise ValueError("has no changes: it needs `rules`, `new_files`, `lines` or `replace`")
        return self

    @model_validator(mode="after")
    def _is_recognised(self) -> PatchEntry:
        if self.lines and not (self.probe or self.new_files):
            raise ValueError(
                "needs a `probe`, to recognise a base that already has its lines, such as "
                '`probe = { file = "Kconfig", tokens = "config NAME" }`'
            )
        return self


class CiteReason(_Table):
    """The reason for a cited call: `say`, if the caller is assigned to a member named `served` and
    the call's arguments contain the tokens `argument`. Each condition may be left out.
    """

    say: str
    served: str | None = None
    argument: str = ""


class CallQuery(_Table):
    """Calls to cite in the patched tree.

    They are the calls of the function `calls`, if it leads to `reaches`. Without `calls`, they are
    the calls of all functions that lead to `reaches`.

    With `argument`, only calls whose arguments contain these tokens are cited. With a `title`,
    `apply` prints them.
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
    def _has_callee(self) -> CallQuery:
        if self.calls is None and self.reaches is None:
            raise ValueError("needs `calls` or `reaches`")
        return self


class NamedRecipients(_Table):
    """People who get all mails of a series in Cc, such as the authors of its design."""

    cc: tuple[str, ...] = ()

    @field_validator("cc")
    @classmethod
    def _check(cls, people: tuple[str, ...]) -> tuple[str, ...]:
        # An AddressError is a ValueError. Aliases are refused: they are private to a user, but a
        # manifest is shared.
        return tuple(str(parse_person(person)) for person in people)


class VariantHead(_Table):
    """The name and the settings of a variant.

    `first_version` is the version of its first series: a variant may continue patches that were
    posted before it was written.
    """

    name: Name
    title: str
    help: str = ""
    cover: str
    first_version: int = Field(default=1, ge=1, strict=True)
    macros: str | None = None
    backends: tuple[Name, ...] = ()


class BackendHead(_Table):
    """The name and the title of a backend."""

    name: Name
    title: str
    help: str = ""


class _Body(_Table):
    """The tables that variants and backends share. `patch` has the [[patch]] entries."""

    schema_version: Literal[1] = Field(alias="schema")
    variables: dict[Annotated[str, Field(pattern=_VARIABLE)], VariableEntry] = {}
    facts: dict[Annotated[str, Field(pattern=_VARIABLE)], Fact] = {}
    needs: tuple[Need, ...] = ()
    recipients: NamedRecipients = Field(default_factory=NamedRecipients)
    cites: tuple[CallQuery, ...] = ()
    patch: tuple[PatchEntry, ...] = ()


class VariantManifest(_Body):
    """A variant's manifest.toml."""

    variant: VariantHead


class BackendManifest(_Body):
    """A backend's manifest.toml."""

    backend: BackendHead
    left_out: tuple[BackendLeftOut, ...] = ()
