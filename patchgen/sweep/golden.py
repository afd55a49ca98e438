# SPDX-License-Identifier: GPL-2.0-or-later
"""Golden cases: C files next to a semantic patch, and the results that it must have on them.

In the folder of a .cocci, `NAME.c` (or .h) is a file before the run, and `NAME.res` the same file
after it; in a mode that only reports, `NAME.res` has the reports. Files in `ok/` must stay as they
are. If a folder has several .cocci, the name of a case begins with that of its .cocci: `put.cocci`
has `put.c`, `put-loop.c` and `ok/put-other.c`. Headers that are not cases are there for the
#include lines of the cases. The cases of a variant's template `put.cocci.j2` have the same names.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import Source, find_spatch, read_reports, read_rules
from patchgen.errors import SpecError
from patchgen.model.outcome import FileResult, UnparsedFunction, sum_hits
from patchgen.model.smpl import Mode
from patchgen.sweep.batches import make_batches
from patchgen.sweep.executor import run_locally
from patchgen.sweep.includes import Includes
from patchgen.sweep.request import SweepRequest

OK, RESULT, COCCI, TEMPLATE = "ok", ".res", ".cocci", ".cocci.j2"
_SUFFIXES = (".c", ".h")
# The largest number of semantic patches to name in a hint.
_MAX_NAMES = 3


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A case: its file, and that of its result; None if the rules must not change it.

    `name` is its path in the folder of the semantic patch.
    """

    name: PurePosixPath
    file: Path
    result: Path | None


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """The result of a semantic patch for a case.

    `expected` is None if the result's file does not exist yet. `actual` is the file after the run,
    or the reports. `did_nothing` is set if spatch neither changed nor reported anything. `failure`
    is why spatch did not finish.
    """

    case: GoldenCase
    expected: bytes | None
    actual: bytes
    unparsed: tuple[UnparsedFunction, ...] = ()
    did_nothing: bool = False
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether the result is the expected one."""
        return not self.failure and self.actual == self.expected


@dataclass(frozen=True, slots=True)
class GoldenRun:
    """The outcomes of all cases of a semantic patch, and the rules that matched in none of them."""

    outcomes: tuple[CaseOutcome, ...]
    never_fired: tuple[str, ...]
    seconds: float

    def is_result(self, outcome: CaseOutcome) -> bool:
        """Return whether the output for a case may be the result that the author wants.

        It is not if the run failed, nor if nothing happened while a rule matched in no case or
        spatch could not parse code of the case: then the rule, or the case, is probably wrong.
        """
        is_suspect = outcome.did_nothing and (self.never_fired or outcome.unparsed)
        return not (outcome.failure or is_suspect)


def find_cases(cocci: Path, suffixes: tuple[str, ...]) -> tuple[GoldenCase, ...]:
    """Return the cases of a semantic patch that runs on files with these suffixes, by name.

    Raises SpecError if it has none, and for a result without its case.
    """
    cases = _list_cases(cocci, suffixes)
    if not cases:
        stem = find_stem(cocci)
        raise SpecError(
            f"{cocci} has no golden cases",
            code="case-missing",
            hint=f"add {stem}.c next to it; `patchgen test` can write {stem}{RESULT}",
            parameters=("update",),
        )
    return cases


def has_cases(cocci: Path) -> bool:
    """Return whether a semantic patch has golden cases, or files that should be cases."""
    try:
        return bool(_list_cases(cocci, _SUFFIXES))
    except SpecError:
        return True


def _list_cases(cocci: Path, suffixes: tuple[str, ...]) -> tuple[GoldenCase, ...]:
    folder = cocci.parent
    patches = list(dict.fromkeys([*list_semantic_patches(folder), cocci]))
    _refuse_unowned(folder, patches, suffixes)

    def list_own(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
        files = (path for path in folder.glob("*.*") if path.suffix in suffixes)
        return sorted(path for path in files if _find_owner(path, patches) == cocci)

    cases: dict[Path, GoldenCase] = {}
    for file in list_own(folder, suffixes):
        result = file.with_suffix(RESULT)
        # A header without a result is there for the cases; NAME.c comes before NAME.h.
        if (file.suffix == ".c" or result.is_file()) and result not in cases:
            cases[result] = GoldenCase(PurePosixPath(file.name), file, result)
    lonely = [result for result in list_own(folder, (RESULT,)) if result not in cases]
    if lonely:
        faults = (f"{result} has no {result.stem}.c" for result in lonely)
        raise SpecError("\n".join(faults), code="case-missing")
    unchanged = [
        GoldenCase(PurePosixPath(OK, file.name), file, None)
        for file in list_own(folder / OK, suffixes)
    ]
    return (*cases.values(), *unchanged)


def find_unused_cases(folder: Path) -> list[Path]:
    """Return the results, and the files of `ok`, of folders without a semantic patch, sorted."""
    candidates = [*folder.rglob(f"*{RESULT}"), *folder.rglob(f"{OK}/*.c")]
    return sorted(path for path in candidates if not list_semantic_patches(_folder_of(path)))


def list_semantic_patches(folder: Path) -> list[Path]:
    """Return the semantic patches of a folder, sorted: each .cocci, then each template of one."""
    return [
        path
        for suffix in (COCCI, TEMPLATE)
        for path in sorted(folder.glob(f"*{suffix}"))
        if path.is_file()
    ]


def is_template(path: Path) -> bool:
    """Return whether a semantic patch is a template with variables of its variant."""
    return path.name.endswith(TEMPLATE)


def _folder_of(case: Path) -> Path:
    return case.parent.parent if case.parent.name == OK else case.parent


def find_stem(cocci: Path) -> str:
    """Return the name of a semantic patch without its suffixes, with which its cases begin."""
    return Path(cocci.name.removesuffix(".j2")).stem


def _find_owner(path: Path, patches: Sequence[Path]) -> Path | None:
    """Return the semantic patch that a case or a result belongs to, None without one."""
    owners = [
        patch
        for patch in patches
        if path.stem == find_stem(patch) or path.stem.startswith(f"{find_stem(patch)}-")
    ]
    # Files of other names belong to the only semantic patch, or to the only one without variables.
    plain = [patch for patch in patches if patch.suffix == COCCI]
    single = patches if len(patches) == 1 else plain if len(plain) == 1 else []
    return max(owners or single, key=lambda patch: len(find_stem(patch)), default=None)


def _refuse_unowned(folder: Path, patches: Sequence[Path], suffixes: tuple[str, ...]) -> None:
    """Raise SpecError for results and files in `ok` that several semantic patches could have."""
    unchanged = (path for path in (folder / OK).glob("*.*") if path.suffix in suffixes)
    files = sorted([*folder.glob(f"*{RESULT}"), *unchanged])
    unowned = [path for path in files if _find_owner(path, patches) is None]
    if not unowned:
        return
    names = [f"{find_stem(patch)}-{unowned[0].name}" for patch in patches[:_MAX_NAMES]]
    new_names = " or ".join(names if len(patches) <= _MAX_NAMES else [*names, "..."])
    raise SpecError(
        "\n".join(f"cannot tell which {COCCI} {path} belongs to" for path in unowned),
        code="case-missing",
        hint=f"begin the name of a case with that of its {COCCI}, as in {new_names}",
    )


def run_cases(request: SweepRequest, cases: tuple[GoldenCase, ...], folder: Path) -> GoldenRun:
    """Run a semantic patch over its cases, which are in this folder.

    Raises SpecError if spatch refuses the semantic patch, ToolError if spatch fails.
    """
    began = time.monotonic()
    texts = {case.name: case.file.read_bytes() for case in cases}
    headers = _read_headers(folder) if request.includes is not Includes.NONE else {}
    for name in texts:
        headers.pop(name, None)
    sources = ((Source(name, text), headers) for name, text in texts.items())
    batches = make_batches(sources, grouping=request.grouping)
    found: list[FileResult] = []
    for _, results in run_locally(request, find_spatch(), batches):
        found += results
    by_name = {result.path: result for result in found}
    return GoldenRun(
        tuple(_judge(request, case, texts[case.name], by_name.get(case.name)) for case in cases),
        tuple(_find_never_fired(request, found)),
        time.monotonic() - began,
    )


def _read_headers(folder: Path) -> dict[PurePosixPath, bytes]:
    """Return the headers next to the cases; those in `ok` see the same ones."""
    headers: dict[PurePosixPath, bytes] = {}
    for path in (*folder.glob("*.h"), *(folder / OK).glob("*.h")):
        headers[PurePosixPath(OK, path.name)] = path.read_bytes()
        if path.parent == folder:
            headers[PurePosixPath(path.name)] = path.read_bytes()
    return headers


def _judge(
    request: SweepRequest, case: GoldenCase, before: bytes, result: FileResult | None
) -> CaseOutcome:
    changes = request.mode is Mode.PATCH
    expected: bytes | None = before if changes else b""
    if case.result is not None:
        expected = case.result.read_bytes() if case.result.is_file() else None
    if result is None or result.failure is not None:
        reason = result.failure.text if result and result.failure else "spatch gave no result"
        return CaseOutcome(case, expected, b"", failure=reason)
    actual = (before if result.after is None else result.after) if changes else _report(result)
    did_nothing = actual == (before if changes else b"")
    return CaseOutcome(case, expected, actual, result.unparsed, did_nothing)


def _report(result: FileResult) -> bytes:
    """Return the reports and other output of a mode that does not change files."""
    printed = read_reports(result.printed)
    lines = "".join(f"{report}\n" for report in (*result.marks, *printed.reports))
    return (lines + printed.other_text).encode("utf-8", "surrogateescape")


def _find_never_fired(request: SweepRequest, results: list[FileResult]) -> Iterator[str]:
    """Yield the rules that matched in no case, without those that cannot apply in this run."""
    program = request.program
    if program.runs("ocaml"):
        # Hits are not counted then.
        return
    dead = {entry.rule.label for entry in program.dead_rules}
    hits = sum_hits(results)
    for rule in read_rules(program.patch.text):
        label = rule.label
        if not rule.is_script and label not in dead and not (label in hits and hits[label].hits):
            yield label
