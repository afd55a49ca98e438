# SPDX-License-Identifier: GPL-2.0-or-later
"""Load the semantic patches that `run` is given, and determine how each is run."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.coccinelle import (
    Header,
    RiskyLine,
    Rule,
    RunnableSmpl,
    decode_cocci,
    decode_rules,
    find_code,
    find_references,
    may_iterate,
    read_header,
    read_rules,
)
from patchgen.errors import SpecError, UsageError
from patchgen.model.base import Base
from patchgen.model.smpl import Mode, SemanticPatch
from patchgen.sweep.grouping import Grouping, choose_grouping
from patchgen.sweep.idle_rules import check_rules, without_idle_scripts
from patchgen.sweep.includes import Includes
from patchgen.sweep.option_files import (
    ISOMORPHISMS,
    NAME,
    NO_FILES,
    OptionFiles,
    missing_file,
    read_option_files,
    without_files,
)
from patchgen.sweep.request import WHOLE_FILES, RunRequest, SweepRequest
from patchgen.sweep.untrusted import advise_trust, refuse_untrusted

# A script with one of these words may read files itself, so it must see them as a whole.
_READS_FILES = re.compile(
    r"\b(open|fileinput|linecache|subprocess|popen|system|Iteration|pathlib|Path|read_text|read_bytes"
    r"|stat|mmap|getline|in_channel)\b"
)
# Options for the choice of files and for spatch's output; patchgen sets these itself.
_SET_BY_PATCHGEN = frozenset(
    {
        "--include-headers",
        "--include-headers-for-types",
        "--very-quiet",
        "--quiet",
        "--debug",
    }
)


@dataclass(frozen=True, slots=True)
class CocciFile:
    """A semantic patch that `run` is given.

    `companions` are the files that it reads, by their names. `files` are those that its options and
    the command line name. `sources` are the texts of all files that it and its options name, by
    these names. `code` are the lines that run code. With `is_recorded`, the text is that of the
    record of a series, and the name may not be a path.
    """

    name: str
    text: str
    header: Header
    companions: Mapping[str, str] = field(default_factory=dict)
    files: OptionFiles = field(default_factory=OptionFiles)
    sources: Mapping[str, str] = field(default_factory=dict)
    is_trusted: bool = False
    code: tuple[RiskyLine, ...] = ()
    is_recorded: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that spatch reads: the semantic patch, and the files that it names."""
        return (self.text, *self.companions.values())


Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Lookup:
    """How the files of a semantic patch are found, and the folders that its options name.

    `read` returns a file on disk or else of the tree, `read_tree` one of the tree; None if it does
    not exist. `is_folder` returns whether the tree has a folder.
    """

    read: Read
    read_tree: Read
    is_folder: Callable[[str], bool]
    is_recorded: bool = False


# Decides whether a semantic patch that runs code is trusted.
IsTrusted = Callable[[CocciFile], bool]


def load_cocci(
    name: str,
    lookup: Lookup,
    is_trusted: IsTrusted,
    given: OptionFiles = NO_FILES,
    request: RunRequest | None = None,
) -> CocciFile:
    """Load a semantic patch by its name, with the files that it and its options name.

    These are next to it, or else at their path of the tree. `given` are the files of the command
    line. `is_trusted` is called if it runs code in this `request`, or in any if that is None.
    Raises UsageError if the file does not exist, SpecError if it or a file that it names cannot be
    read, or if it runs code and is not trusted.
    """
    cocci = _read_cocci(name, lookup, given)
    given_code = find_code(given.isomorphisms)
    if not cocci.code and not given_code:
        return cocci
    if request is not None and not given_code:
        program = _make_program(
            cocci,
            _choose_mode(cocci, request),
            _check_definitions(cocci, request.definitions),
            Includes.NONE,
        )
        harmless = without_idle_scripts(cocci, program)
        if not find_code(harmless, cocci.companions.get):
            return replace(cocci, text=harmless, code=())
    judged = cocci
    if given_code:
        judged = replace(cocci, companions={**cocci.companions, ISOMORPHISMS: given.isomorphisms})
    if not is_trusted(judged):
        raise _not_trusted(cocci, given_code, request)
    return replace(cocci, is_trusted=True)


def _read_text(name: str, lookup: Lookup) -> str:
    """Return the text of a semantic patch. Raises as `load_cocci`."""
    content = lookup.read(name)
    if content is None:
        raise UsageError(
            f"{name} does not exist",
            code="semantic-patch-unknown",
            hint="name a .cocci, a folder, or a variant",
        )
    return decode_rules(content, name)


def _read_cocci(name: str, lookup: Lookup, given: OptionFiles) -> CocciFile:
    """Read a semantic patch with the files that it and its options name. Raises as `load_cocci`."""
    text = _read_text(name, lookup)
    companions: dict[str, str] = {}
    sources: dict[str, str] = {}
    # A file of the current folder may have the same path as one of the tree.
    read_near = lookup.read if os.path.lexists(name) else lookup.read_tree

    def read_other(other: str) -> bytes | None:
        found = read_near(posixpath.join(posixpath.dirname(name), other))
        if found is None and (found := lookup.read_tree(other)) is None:
            return None
        sources[other] = decode_cocci(found, other)
        return found

    def read_companion(other: str) -> str | None:
        if posixpath.isabs(other) or ".." in other.split("/"):
            return None
        if read_other(other) is None:
            return None
        companions[other] = sources[other]
        return sources[other]

    code = find_code(text, read_companion)
    for reference in find_references(text):
        if reference.is_shipped or reference.name in companions:
            continue
        if read_companion(reference.name) is None and NAME.fullmatch(reference.name):
            raise missing_file(
                name, text, text.count("\n", 0, reference.offset) + 1, reference.name
            )
    files = read_option_files(name, text, read_other, lookup.is_folder)
    companions.update(files.companions)
    header, files = read_header(text), files.join(given)
    recorded = lookup.is_recorded
    return CocciFile(
        name, text, header, companions, files, sources, code=code, is_recorded=recorded
    )


def _not_trusted(
    cocci: CocciFile, given_code: Sequence[RiskyLine], request: RunRequest | None
) -> SpecError:
    """Return the error for code in a semantic patch, or in isomorphisms of the command line."""
    if not cocci.code:
        hint = "read it, and trust it for this run"
        return refuse_untrusted(ISOMORPHISMS, given_code[0], hint)
    advice = advise_trust(cocci.name, request, cocci.text if cocci.is_recorded else None)
    return refuse_untrusted(cocci.name, cocci.code[0], f"read it; then {advice}")


def resolve(
    cocci: CocciFile,
    request: RunRequest,
    base: Base,
    only_paths: Collection[PurePosixPath] | None = None,
) -> SweepRequest:
    """Return how to run a semantic patch; `only_paths` restricts the files to these paths.

    Raises UsageError for a mode that the semantic patch does not have, for a definition that it
    does not use, and if no rule can apply without one that is missing.
    """
    mode = _choose_mode(cocci, request)
    values = _check_definitions(cocci, request.definitions)
    options = (*cocci.header.options, *cocci.header.own_options)
    includes = _choose_includes(cocci, options)
    program = _make_program(cocci, mode, values, includes)
    with_headers = request.with_headers and mode is Mode.PATCH
    grouping, why_grouped = _choose_grouping(cocci, program.scripts)
    why_whole = _explain_whole_files(program.scripts, grouping)
    may_slice = not (grouping is Grouping.TOGETHER or why_whole or cocci.companions or cocci.files)
    return SweepRequest(
        request,
        base,
        replace(program, restyles=request.style and mode is Mode.PATCH),
        only_paths,
        cocci.header,
        mode,
        suffixes=(".c", ".h") if with_headers or "--include-headers" in options else (".c",),
        includes=includes,
        changes_headers=with_headers
        and includes is not Includes.NONE
        and "--include-headers-for-types" not in options
        # One run over all files drops a header that two of them change in different ways.
        and grouping is not Grouping.TOGETHER,
        folders=(*includes.folders, *cocci.files.folders),
        sources=cocci.sources,
        slices=request.slices and may_slice,
        grouping=grouping,
        notes=tuple(_list_notes(cocci, program, why_grouped, why_whole)),
    )


def _list_notes(
    cocci: CocciFile, program: RunnableSmpl, why_grouped: str, why_whole: str
) -> Iterator[str]:
    """Yield the notes that are known before the run."""
    if why_grouped:
        yield why_grouped
    yield from check_rules(cocci, program)
    if why_whole:
        yield f"{WHOLE_FILES}: {why_whole}"
    if program.runs("ocaml"):
        yield "hits are not counted: it has OCaml scripts"


def _explain_whole_files(scripts: Sequence[Rule], grouping: Grouping) -> str:
    """Return why scripts must see whole files, "" if slices will do."""
    if any(map(may_iterate, scripts)):
        return "a script may ask for another pass"
    if grouping is not Grouping.TOGETHER and any(
        _READS_FILES.search(script.script) for script in scripts
    ):
        return "its scripts may read them"
    return ""


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
            code="mode-unknown",
            hint="run it once for each mode",
        )
    if not modes:
        if requested not in ([], [Mode.PATCH]):
            raise UsageError(
                f"{cocci.name} has no {requested[0]} mode",
                code="mode-unknown",
                hint="it declares no virtual modes: do not name one",
                parameters=("mode",),
            )
        return Mode.PATCH if not _is_marking(cocci.text) else Mode.CONTEXT
    if not requested:
        return Mode.PATCH if Mode.PATCH in modes else modes[0]
    if requested[0] not in modes:
        raise UsageError(
            f"{cocci.name} has no {requested[0]} mode",
            code="mode-unknown",
            hint=f"it has: {', '.join(modes)}",
        )
    return requested[0]


def _make_program(
    cocci: CocciFile, mode: Mode, values: Mapping[str, str | None], includes: Includes
) -> RunnableSmpl:
    options = [
        option
        for option in without_files(cocci.header.options)
        if option not in _SET_BY_PATCHGEN and option not in [*Includes]
    ]
    options += [arg for name in cocci.files.given for arg in ("--include", name)]
    folders = [
        option
        for folder in (*includes.folders, *cocci.files.given_folders)
        for option in ("-I", folder)
    ]
    rules = [name for name, value in values.items() if value is None]
    definitions = {name: value for name, value in values.items() if value is not None}
    return RunnableSmpl(
        SemanticPatch(cocci.name, cocci.text, definitions=definitions, macros=cocci.files.macros),
        options=(includes, *folders, *options),
        modes=(*((mode,) if cocci.header.modes else ()), *rules),
        shows_marks=mode is Mode.CONTEXT,
        companions=cocci.companions,
        isomorphisms=cocci.files.isomorphisms,
        headers=cocci.files.headers,
        may_run_code=cocci.is_trusted,
    )


def _choose_grouping(cocci: CocciFile, scripts: Sequence[Rule]) -> tuple[Grouping, str]:
    """Return how files may be grouped, and why."""
    grouping = choose_grouping(scripts)
    if grouping is Grouping.ANY and any(map(may_iterate, scripts)):
        return Grouping.APART, "each file gets a spatch process of its own: scripts add passes"
    if grouping is Grouping.TOGETHER:
        why = "it has a finalize rule: one spatch sees all files"
        return grouping, f"{why}, results are not cached, and the tree's macros are not used"
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
                f"invalid definition {definition!r}",
                code="definition-unknown",
                hint="expected NAME or NAME=VALUE",
                parameters=("definitions",),
            )
        declared = cocci.header.identifiers if equals else cocci.header.virtuals
        if name not in declared:
            kind = "virtual identifier" if equals else "virtual rule"
            raise UsageError(
                f"{cocci.name} has no {kind} {name}",
                code="definition-unknown",
                hint=f"it has: {', '.join(declared)}" if declared else "it has none",
            )
        values[name] = value if equals else None
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
