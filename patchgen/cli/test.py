# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen test`: run semantic patches over their golden cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.next_steps import print_steps
from patchgen.cli.options import (
    define_option,
    json_option,
    mode_option,
    quiet_option,
    timeout_option,
    trust_option,
)
from patchgen.cli.printer import Printer
from patchgen.commands.test import (
    CheckedPatch,
    GoldenRequest,
    check_patches,
    find_tested_variant,
    update_results,
)
from patchgen.counting import count
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.paths import absolute_path
from patchgen.sweep import DEFAULT_TIMEOUT_S, CaseOutcome, GoldenRun, format_diff


@click.command(
    "test",
    cls=ExplainedCommand,
    examples="""
    patchgen test strscpy
        Run the cases of a recipe that comes with patchgen.
    patchgen test dev_put.cocci --update
        Write the results of your semantic patch as its cases.
    """,
)
@click.argument("target", required=False, metavar="[RECIPE|VARIANT|DIR|FILE.cocci]")
@click.option("--update", is_flag=True, help="Write the .res files that are missing or differ.")
@mode_option
@define_option
@trust_option
@timeout_option(DEFAULT_TIMEOUT_S)
@json_option
@quiet_option("Print failures, warnings and errors only.")
def command(mode: str | None, update: bool, as_json: bool, quiet: bool, **options: Any) -> int:
    """Run semantic patches over their golden cases, which are next to them.

    NAME.c is a case, NAME.res the expected result, and files in ok/ must not change. Each
    rule must match in some case. The templates of a variant are rendered with the defaults of its
    variables, which -D replaces. The default is the current folder if it has a .cocci, golden cases
    or a manifest, else all recipes that come with patchgen.
    """
    printer = Printer(quiet=quiet, as_json=as_json)
    request = GoldenRequest(mode=Mode(mode) if mode else None, **options)
    documents = []
    passed = True
    for checked in check_patches(request):
        written = list(update_results(checked.run)) if update and checked.run else []
        result = _Result(checked, written, dict(_explain_failures(checked.run, written)))
        _print(printer, result)
        documents.append(_describe(result))
        passed &= result.passed
    if as_json:
        printer.document({"passed": passed, "results": documents})
    if passed:
        _print_next(printer, request.target, len(documents))
    return 0 if passed else 1


def _print_next(printer: Printer, target: str | None, patches: int) -> None:
    """Print the command that runs the tested variant, or the only tested semantic patch."""
    title, variant = "In a kernel's git tree, run it", find_tested_variant(target)
    if variant is not None:
        print_steps(printer, title, f"patchgen apply {quote(variant)}")
    elif patches == 1 and target is not None:
        # The user will enter the kernel's tree, so the file needs an absolute path.
        path = Path(target)
        name = str(absolute_path(path)) if path.exists() else target
        print_steps(printer, title, f"patchgen run {quote(name)}")


@dataclass(frozen=True, slots=True)
class _Result:
    """The run of a semantic patch, the results that were written, and why each case failed."""

    checked: CheckedPatch
    written: Sequence[Path]
    failures: Mapping[PurePosixPath, str]

    @property
    def messages(self) -> list[str]:
        """Why the semantic patch failed, each with its name; empty if it passed."""
        name, error = self.checked.name, self.checked.error
        never_fired = self.checked.run.never_fired if self.checked.run else ()
        messages = [
            *(f"{case}: {why}" for case, why in self.failures.items()),
            *(f"the rule {rule} matches in no case" for rule in never_fired),
        ]
        # The place of an error has the name.
        first = [error.describe({})] if error and error.place else []
        if error and not error.place:
            messages.insert(0, error.describe({}))
        return [*first, *(f"{name}: {message}" for message in messages)]

    @property
    def passed(self) -> bool:
        return not self.messages


def _explain_failures(
    run: GoldenRun | None, written: Sequence[Path]
) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the cases that failed and why; a case whose result was written did not."""
    for outcome in run.outcomes if run else ():
        if not outcome.passed and outcome.case.result not in written:
            yield outcome.case.name, _explain(outcome)


def _explain(outcome: CaseOutcome) -> str:
    if outcome.failure:
        return f"spatch did not finish: {outcome.failure}"
    if outcome.case.result is None:
        return "the semantic patch must not change it"
    if outcome.expected is None:
        return f"{outcome.case.result.name} does not exist; --update writes it"
    return f"the result differs from {outcome.case.result.name}"


def _print(printer: Printer, result: _Result) -> None:
    name, run = result.checked.name, result.checked.run
    for message in result.messages:
        printer.warning(message)
    if run is None:
        return
    for outcome in run.outcomes:
        case = outcome.case
        if case.name in result.failures and not outcome.failure and outcome.expected is not None:
            shown = PurePosixPath(case.name if case.result is None else case.result.name)
            printer.diff(format_diff(FileEdit(shown, "100644", outcome.expected, outcome.actual)))
        for place in outcome.unparsed:
            printer.warning(f"{name}: {place} cannot be parsed, so no rule matches there")
    for path in result.written:
        printer.line(f"written: {path}")
    state = "passed" if result.passed else count(len(result.messages), "failure")
    printer.line(f"{name}: {count(len(run.outcomes), 'case')}, {state} ({run.seconds:.1f} s)")


def _describe(result: _Result) -> dict[str, Any]:
    checked = result.checked
    return {
        "semantic_patch": checked.name,
        "passed": result.passed,
        "error": checked.error.message if checked.error else None,
        "code": checked.error.code if checked.error else None,
        "cases": [
            {
                "case": str(outcome.case.name),
                "failure": result.failures.get(outcome.case.name),
                "unparsed": list(map(str, outcome.unparsed)),
            }
            for outcome in (checked.run.outcomes if checked.run else ())
        ],
        "never_fired": list(checked.run.never_fired) if checked.run else [],
        "written": list(map(str, result.written)),
    }
