# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen test`: run semantic patches over their golden cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shlex import join
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.next_steps import print_steps, sign_off_option
from patchgen.cli.options import (
    define_option,
    json_option,
    mode_option,
    quiet_option,
    timeout_option,
    trust_option,
)
from patchgen.cli.printer import Printer
from patchgen.commands.case_faults import find_case_faults, find_rule_faults
from patchgen.commands.test import (
    CheckedPatch,
    GoldenRequest,
    check_patches,
    find_tested_variant,
    update_results,
)
from patchgen.counting import count
from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.paths import absolute_path
from patchgen.sweep import DEFAULT_TIMEOUT_S, format_diff


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
        result = _judge(checked, written, _format_test(checked.name, request))
        _print(printer, result)
        documents.append(_describe(result))
        passed &= result.passed
    if as_json:
        printer.document({"passed": passed, "results": documents})
    if passed:
        _print_next(printer, request, len(documents))
    return 0 if passed else 1


def _print_next(printer: Printer, request: GoldenRequest, patches: int) -> None:
    """Print the command that runs the tested variant, or the only tested semantic patch."""
    target, definitions = request.target, _list_definitions(request)
    title, variant = "In a kernel's git tree, run it", find_tested_variant(target)
    if variant is not None:
        step = ["patchgen", "apply", variant, *definitions, *sign_off_option()]
        print_steps(printer, title, join(step))
    elif patches == 1 and target is not None:
        # The user will enter the kernel's tree, so the file needs an absolute path.
        path = Path(target)
        name = str(absolute_path(path)) if path.exists() else target
        print_steps(printer, title, join(["patchgen", "run", name, *_list_options(request)]))


def _list_definitions(request: GoldenRequest) -> list[str]:
    return [arg for text in request.definitions for arg in ("-D", text)]


def _list_options(request: GoldenRequest) -> list[str]:
    """Return the options that make another command use the semantic patch in the same way."""
    mode = ["--mode", request.mode] if request.mode else []
    return [*_list_definitions(request), *mode, *(["--trust"] if request.trusted else [])]


@dataclass(frozen=True, slots=True)
class _Result:
    """The run of a semantic patch, the results that were written, and why each case failed.

    `rules` are the errors of rules that match in no case.
    """

    checked: CheckedPatch
    written: Sequence[Path]
    failures: Mapping[PurePosixPath, SpecError]
    rules: Sequence[SpecError]

    @property
    def messages(self) -> list[str]:
        """Why the semantic patch failed, each with its name; empty if it passed.

        A hint that several have is only in the first.
        """
        name, error = self.checked.name, self.checked.error
        messages = []
        if error is not None:
            text = error.describe({})
            has_name = error.place is not None or text.startswith(f"{name} ")
            messages.append(text if has_name else f"{name}: {text}")
        seen: set[str | None] = set()
        placed = [(f"{name}: {case}", err) for case, err in self.failures.items()]
        for place, err in [*placed, *((name, rule) for rule in self.rules)]:
            hint = None if err.hint in seen else err.hint
            seen.add(err.hint)
            shown = SpecError(err.message, code=err.code, place=ErrorPlace(place), hint=hint)
            messages.append(shown.describe({}))
        return messages

    @property
    def passed(self) -> bool:
        return not self.messages

    @property
    def state(self) -> str:
        failed = f"{len(self.failures)} failed" if self.failures else ""
        rules = f"{count(len(self.rules), 'rule')} without a match" if self.rules else ""
        return ", ".join(filter(None, (failed, rules))) or "passed"


def _format_test(name: str, request: GoldenRequest) -> str:
    """Return the command that tests one of the semantic patches with the same options."""
    return join(["patchgen", "test", name, *_list_options(request)])


def _judge(checked: CheckedPatch, written: Sequence[Path], test: str) -> _Result:
    run = checked.run
    if run is None:
        return _Result(checked, written, {}, ())
    faults = find_case_faults(test, run, written, shows_diff=True)
    failures = {outcome.case.name: fault for outcome, fault in faults}
    return _Result(checked, written, failures, tuple(find_rule_faults(test, checked.path, run)))


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
    cases = count(len(run.outcomes), "case")
    printer.line(f"{name}: {cases}, {result.state} ({run.seconds:.1f} s)")


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
                "failure": fault.message if fault else None,
                "code": fault.code if fault else None,
                "unparsed": list(map(str, outcome.unparsed)),
            }
            for outcome in (checked.run.outcomes if checked.run else ())
            for fault in [result.failures.get(outcome.case.name)]
        ],
        "never_fired": list(checked.run.never_fired) if checked.run else [],
        "written": list(map(str, result.written)),
    }
