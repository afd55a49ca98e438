# SPDX-License-Identifier: GPL-2.0-or-later
"""`check` from end to end: find all errors of a variant, and run its golden cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.coccinelle import find_spatch
from patchgen.commands.test import GoldenRequest, check_patches
from patchgen.errors import ErrorPlace, PatchgenError, SpecError
from patchgen.resources import shipped_folder
from patchgen.spec import find_variant_errors, find_variant_folder
from patchgen.sweep import GoldenRun, find_unused_cases, has_cases, is_template


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The folder of the variant, and its errors by file and line; golden cases come last."""

    folder: Path
    errors: tuple[PatchgenError, ...]


def check_variant(name: str) -> CheckResult:
    """Return all errors of a variant, which is named by its name or its folder.

    Raises UsageError if it does not exist, ToolError without spatch.
    """
    folder = find_variant_folder(name)
    errors = find_variant_errors(folder, shipped_folder("templates"), find_spatch())
    cases = [*_check_cases(folder, errors), *_check_unused(folder)]
    # A case that belongs to no semantic patch is reported once for each of its folder.
    return CheckResult(folder, (*errors, *{str(error): error for error in cases}.values()))


def _check_unused(folder: Path) -> Iterator[PatchgenError]:
    for path in find_unused_cases(folder):
        yield SpecError(
            "no semantic patch runs this golden case: its folder has none",
            code="case-missing",
            place=ErrorPlace(str(path)),
        )


def _check_cases(folder: Path, errors: Sequence[PatchgenError]) -> Iterator[PatchgenError]:
    """Yield an error for each golden case that fails.

    `errors` are those of the variant. A variant with errors cannot render its templates, so their
    cases are not run, nor are those of a semantic patch that has an error: it would appear twice.
    """
    wrong = {error.place.file for error in errors if error.place}
    paths = [*folder.rglob("*.cocci"), *folder.rglob("*.cocci.j2")]
    for path in sorted(paths):
        if not has_cases(path) or str(path) in wrong or (is_template(path) and errors):
            continue
        try:
            results = list(check_patches(GoldenRequest(str(path))))
        except SpecError as err:
            yield err
            continue
        for checked in results:
            if checked.run is not None:
                yield from _check_run(path, checked.run)


def _check_run(path: Path, run: GoldenRun) -> Iterator[PatchgenError]:
    for rule in run.never_fired:
        yield SpecError(
            f"the rule {rule} matches in no golden case",
            code="case-failed",
            place=ErrorPlace(str(path)),
        )
    for outcome in run.outcomes:
        if not outcome.passed:
            yield SpecError(
                outcome.failure or "the result of the golden case differs",
                code="case-failed",
                place=ErrorPlace(str(outcome.case.file)),
                hint=f"`patchgen test {path}` shows the difference",
            )
