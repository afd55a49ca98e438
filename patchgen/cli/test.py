# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen test`: run semantic patches over their golden cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import click

from patchgen.cli.options import (
    define_option,
    json_option,
    mode_option,
    quiet_option,
    timeout_option,
    trust_option,
)
from patchgen.cli.printer import Printer, count
from patchgen.commands.test import CheckedPatch, GoldenRequest, check_patches, update_results
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.sweep import DEFAULT_TIMEOUT_S, CaseOutcome, format_diff


@click.command("test")
@click.argument("target", required=False, metavar="[RECIPE|DIR|FILE.cocci]")
@click.option("--update", is_flag=True, help="Write the .res files that are missing or differ.")
@mode_option
@define_option
@trust_option
@timeout_option(DEFAULT_TIMEOUT_S)
@json_option
@quiet_option("Print failures, warnings and errors only.")
def command(mode: str | None, update: bool, as_json: bool, quiet: bool, **options: Any) -> int:
    """Run semantic patches over their golden cases, which are next to them.

    NAME.c is a case, NAME.res the expected result, and files in ok/ must stay as they are. Each
    rule must match in some case. The default is the current folder if it has a .cocci, else all
    recipes that come with patchgen.
    """
    printer = Printer(quiet=quiet, as_json=as_json)
    request = GoldenRequest(mode=Mode(mode) if mode else None, **options)
    documents = []
    passed = True
    for checked in check_patches(request):
        written = (
            [str(path) for path in update_results(checked.run)] if update and checked.run else []
        )
        _print(printer, checked, written)
        documents.append(_describe(checked, written))
        passed &= not list(_failures(checked, written))
    if as_json:
        printer.document({"passed": passed, "results": documents})
    return 0 if passed else 1


def _failures(checked: CheckedPatch, written: list[str]) -> Iterator[str]:
    """Yield why a semantic patch fails, case by case; what was written no longer fails."""
    if checked.error is not None:
        yield str(checked.error)
    if checked.run is None:
        return
    for outcome in checked.run.outcomes:
        if str(outcome.case.result) not in written and (why := _explain(outcome)):
            yield f"{outcome.case.name}: {why}"
    for rule in checked.run.never_fired:
        yield f"the rule {rule} matches in no case"


def _explain(outcome: CaseOutcome) -> str:
    if outcome.failure:
        return f"spatch did not finish: {outcome.failure}"
    if outcome.passed:
        return ""
    if outcome.case.result is None:
        return "it must stay as it is, but changes"
    if outcome.expected is None:
        return f"{outcome.case.result.name} does not exist; --update writes it"
    return f"the result differs from {outcome.case.result.name}"


def _print(printer: Printer, checked: CheckedPatch, written: list[str]) -> None:
    failures = list(_failures(checked, written))
    for line in failures:
        printer.warning(f"{checked.name}: {line}")
    if checked.run is None:
        return
    for outcome in checked.run.outcomes:
        case = outcome.case
        if str(case.result) not in written and not outcome.passed and outcome.expected is not None:
            name = PurePosixPath(case.name if case.result is None else case.result.name)
            edit = FileEdit(name, "100644", outcome.expected, outcome.actual)
            printer.diff("" if outcome.failure else format_diff(edit))
        for place in outcome.unparsed:
            printer.warning(f"{checked.name}: {place} cannot be parsed, so no rule matches there")
    for path in written:
        printer.line(f"written: {path}")
    state = f"{count(len(failures), 'failure')}" if failures else "passed"
    cases = count(len(checked.run.outcomes), "case")
    printer.line(f"{checked.name}: {cases}, {state} ({checked.run.seconds:.1f} s)")


def _describe(checked: CheckedPatch, written: list[str]) -> dict[str, Any]:
    run = checked.run
    outcomes = run.outcomes if run else ()
    return {
        "semantic_patch": checked.name,
        "passed": not list(_failures(checked, written)),
        "error": checked.error.message if checked.error else None,
        "cases": [
            {
                "case": str(outcome.case.name),
                "failure": None
                if str(outcome.case.result) in written
                else _explain(outcome) or None,
                "unparsed": list(map(str, outcome.unparsed)),
            }
            for outcome in outcomes
        ],
        "never_fired": list(run.never_fired) if run else [],
        "written": written,
    }
