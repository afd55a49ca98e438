# SPDX-License-Identifier: GPL-2.0-or-later
"""`check` from end to end: find all errors of a variant, and run its golden cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from patchgen.coccinelle import find_spatch
from patchgen.commands.test import GoldenRequest, check_patches
from patchgen.errors import ErrorPlace, PatchgenError, SpecError
from patchgen.resources import shipped_folder
from patchgen.spec import find_variant_errors, find_variant_folder


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
    return CheckResult(folder, (*errors, *_check_cases(folder)))


def _check_cases(folder: Path) -> Iterator[PatchgenError]:
    """Yield the failures of golden cases; semantic patches without cases have none."""
    for path in sorted(folder.rglob("*.cocci")):
        if not any(path.parent.glob("*.c")) and not any(path.parent.glob("*.res")):
            continue
        place = ErrorPlace(str(path))
        for checked in check_patches(GoldenRequest(str(path))):
            if checked.run is None:
                continue
            for rule in checked.run.never_fired:
                yield SpecError(
                    f"the rule {rule} matches in no golden case", code="case-failed", place=place
                )
            for outcome in checked.run.outcomes:
                if not outcome.passed:
                    yield SpecError(
                        outcome.failure or "the result of the golden case differs",
                        code="case-failed",
                        place=ErrorPlace(str(outcome.case.file)),
                        hint=f"`patchgen test {path}` shows the difference",
                    )
