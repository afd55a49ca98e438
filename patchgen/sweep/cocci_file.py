# SPDX-License-Identifier: GPL-2.0-or-later
"""Load the semantic patches that `run` is given, and determine how each is run."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.coccinelle import (
    Header,
    RiskyLine,
    Rule,
    RunnableSmpl,
    decode_cocci,
    find_code,
    find_references,
    has_rules,
    read_header,
    read_rules,
)
from patchgen.errors import ErrorPlace, SpecError, UsageError
from patchgen.model.base import Base
from patchgen.model.smpl import Mode, SemanticPatch
from patchgen.sweep.grouping import Grouping, choose_grouping
from patchgen.sweep.includes import Includes
from patchgen.sweep.request import RunRequest, SweepRequest

# Scripts with one of these words may read files themselves, so these must be whole.
_READS_FILES = re.compile(
    r"\b(open|fileinput|linecache|subprocess|popen|system|Iteration|pathlib|Path|read_text|read_bytes"
    r"|stat|mmap|getline|in_channel)\b"
)
# Options for the choice of files and for spatch's output; patchgen sets these itself.
_SET_BY_PATCHGEN = frozenset({"--include-headers", "--very-quiet", "--quiet", "--debug"})


@dataclass(frozen=True, slots=True)
class CocciFile:
    """A semantic patch from outside. `companions` are the files that it reads, by their names.

    `code` are the lines that run code.
    """

    name: str
    text: str
    header: Header
    companions: Mapping[str, str] = field(default_factory=dict)
    is_trusted: bool = False
    code: tuple[RiskyLine, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that spatch reads: the semantic patch, and the files that it names."""
        return (self.text, *self.companions.values())


Read = Callable[[str], bytes | None]
# Decides whether a semantic patch that runs code is trusted.
IsTrusted = Callable[[CocciFile], bool]


def load_cocci(name: str, read: Read, is_trusted: IsTrusted) -> CocciFile:
    """Load a semantic patch by its name, with the files that it includes.

    `is_trusted` is called if it runs code. Raises UsageError if the file does not exist, SpecError
    if it cannot be read, or runs code and is not trusted.
    """
    content = read(name)
    if content is None:
        raise UsageError(f"{name} does not exist", hint="name a .cocci, a folder, or a variant")
    text = decode_cocci(content, name)
    if not has_rules(text):
        raise SpecError(f"{name} has no rule", hint="a rule begins with @@ or @NAME@")
    companions: dict[str, str] = {}

    def read_companion(other: str) -> str | None:
        companion = read(posixpath.join(posixpath.dirname(name), other))
        if companion is None or posixpath.isabs(other) or ".." in other.split("/"):
            return None
        companions[other] = decode_cocci(companion, other)
        return companions[other]

    code = find_code(text, read_companion)
    for reference in find_references(text):
        if not reference.is_shipped and reference.name not in companions:
            read_companion(reference.name)
    cocci = CocciFile(name, text, read_header(text), companions, code=code)
    if not code:
        return cocci
    if not is_trusted(cocci):
        raise SpecError(
            code[0].why,
            place=ErrorPlace(name, code[0].line, excerpt=code[0].text),
            hint=f"read it; then `patchgen trust {shlex.quote(name)}` trusts it as it is now",
            parameters=("trusted", "trusted_folders"),
        )
    return replace(cocci, is_trusted=True)


def resolve(
    cocci: CocciFile,
    request: RunRequest,
    base: Base,
    only_paths: Collection[PurePosixPath] | None = None,
) -> SweepRequest:
    """Return how to run a semantic patch; `only_paths` restricts the files to these paths.

    Raises UsageError for a mode that the semantic patch does not have, and for a definition that it
    does not use, or that is missing.
    """
    header = cocci.header
    mode = _choose_mode(cocci, request)
    values = _check_definitions(cocci, request.definitions)
    options = (*header.options, *header.own_options)
    includes = _choose_includes(cocci, options)
    program = _make_program(cocci, mode, values, includes)
    grouping, note = _choose_grouping(cocci, program.scripts)
    notes = [note] if note else []
    may_slice = grouping is not Grouping.TOGETHER
    if may_slice and any(_READS_FILES.search(script.script) for script in program.scripts):
        notes.append("files are not sliced: its scripts may read them")
        may_slice = False
    if program.runs("ocaml"):
        notes.append("hits are not counted: it has OCaml scripts")
    return SweepRequest(
        request,
        base,
        program,
        only_paths,
        header,
        mode,
        suffixes=(".c", ".h") if "--include-headers" in options else (".c",),
        includes=includes,
        slices=request.slices and may_slice and not cocci.companions,
        grouping=grouping,
        notes=tuple(notes),
    )


def _choose_mode(cocci: CocciFile, request: RunRequest) -> Mode:
    """Return the mode to run in: the requested one, else patch, else the first one declared.

    `-D report` requests a mode, too. Raises UsageError if several modes are requested, or one that
    the semantic patch does not have.
    """
    modes = cocci.header.modes
    requested = [Mode(name) for name in request.definitions if name in modes]
    requested = list(dict.fromkeys([*requested, *([request.mode] if request.mode else [])]))
    if len(requested) > 1:
        raise UsageError(
            f"{cocci.name} runs in one mode at a time, not in {' and '.join(requested)}",
            hint="run it once for each mode",
        )
    if not modes:
        if requested not in ([], [Mode.PATCH]):
            raise UsageError(
                f"{cocci.name} has no {requested[0]} mode",
                hint="it declares no virtual modes: do not name one",
                parameters=("mode",),
            )
        return Mode.PATCH if not _is_marking(cocci.text) else Mode.CONTEXT
    if not requested:
        return Mode.PATCH if Mode.PATCH in modes else modes[0]
    if requested[0] not in modes:
        raise UsageError(
            f"{cocci.name} has no {requested[0]} mode", hint=f"it has: {', '.join(modes)}"
        )
    return requested[0]


def _make_program(
    cocci: CocciFile, mode: Mode, values: Mapping[str, str | None], includes: Includes
) -> RunnableSmpl:
    options = [
        option
        for option in cocci.header.options
        if option not in _SET_BY_PATCHGEN and option not in [*Includes]
    ]
    if includes is not Includes.NONE:
        # A header that a .c file includes is a file of its own here, whether it is run or not.
        options.append("--include-headers-for-types")
    folders = [option for folder in includes.folders for option in ("-I", folder)]
    rules = [name for name, value in values.items() if value is None]
    definitions = {name: value for name, value in values.items() if value is not None}
    return RunnableSmpl(
        SemanticPatch(cocci.name, cocci.text, definitions=definitions),
        options=(includes, *folders, *options),
        modes=(*((mode,) if cocci.header.modes else ()), *rules),
        shows_marks=mode is Mode.CONTEXT,
        companions=cocci.companions,
        may_run_code=cocci.is_trusted,
    )


def _choose_grouping(cocci: CocciFile, scripts: Sequence[Rule]) -> tuple[Grouping, str]:
    """Return how files may be grouped, and why."""
    grouping = choose_grouping(scripts)
    if grouping is Grouping.TOGETHER:
        return grouping, "it has a finalize rule: one spatch sees all files, and nothing is cached"
    alone = "each file gets a spatch process of its own: "
    if grouping is Grouping.APART:
        return grouping, alone + "scripts may keep state between files"
    rules = (rule for text in cocci.texts for rule in read_rules(text))
    if any(declaration.is_numbered for rule in rules for declaration in rule.declarations):
        return Grouping.APART, alone + "fresh identifiers are numbered"
    return grouping, ""


def _check_definitions(cocci: CocciFile, definitions: Sequence[str]) -> dict[str, str | None]:
    """Return the value of each definition, None for a virtual rule; modes are left out."""
    values: dict[str, str | None] = {}
    for definition in definitions:
        if definition in cocci.header.modes:
            continue
        name, equals, value = definition.partition("=")
        if not name or (equals and not value):
            raise UsageError(
                f"the definition {definition!r} defines nothing",
                hint="expected NAME or NAME=VALUE",
                parameters=("definitions",),
            )
        declared = cocci.header.identifiers if equals else cocci.header.virtuals
        if name not in declared:
            kind = "virtual identifier" if equals else "virtual rule"
            raise UsageError(
                f"{cocci.name} has no {kind} {name}",
                hint=f"it has: {', '.join(declared)}" if declared else "it has none",
            )
        values[name] = value if equals else None
    missing = [name for name in cocci.header.identifiers if name not in values]
    if missing:
        raise UsageError(
            f"{cocci.name} needs a value for {', '.join(missing)}",
            hint="give " + " and ".join(f"{name}=VALUE" for name in missing),
            parameters=("definitions",),
        )
    return values


def _choose_includes(cocci: CocciFile, options: Sequence[str]) -> Includes:
    for option in options:
        if option in [*Includes]:
            return Includes(option)
    # With a typed metavariable, spatch reads local headers (cocci.ml).
    declarations = (
        declaration for rule in read_rules(cocci.text) for declaration in rule.declarations
    )
    return (
        Includes.LOCAL
        if any(declaration.is_typed for declaration in declarations)
        else Includes.NONE
    )


def _is_marking(text: str) -> bool:
    """Return whether a semantic patch only marks lines with `*`."""
    changing = (rule for rule in read_rules(text) if rule.modifies)
    return any(line.startswith("*") for rule in changing for line in rule.body_lines)
