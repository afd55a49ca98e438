# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain which golden cases of a semantic patch fail, and what to do about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from patchgen.errors import ErrorPlace, SpecError
from patchgen.sweep import CaseOutcome, GoldenRun, find_stem


def find_case_faults(
    test: str, run: GoldenRun, written: Collection[Path] = (), *, shows_diff: bool = False
) -> Iterator[tuple[CaseOutcome, SpecError]]:
    """Yield the cases that failed, and why; a case whose result was `written` did not.

    `test` is the command that runs the cases; `shows_diff` is set if the caller shows how a result
    differs.
    """
    for outcome in run.outcomes:
        if not outcome.passed and outcome.case.result not in written:
            yield outcome, _explain(test, run, outcome, shows_diff)


def _explain(test: str, run: GoldenRun, outcome: CaseOutcome, shows_diff: bool) -> SpecError:
    case, code = outcome.case, "case-failed"
    hint = "" if shows_diff else f"`{test}` shows the difference"
    if outcome.failure:
        text, hint = f"spatch did not finish: {outcome.failure}", ""
    elif case.result is None:
        text = "the semantic patch changes it, though it is in ok/"
    elif not run.is_result(outcome):
        text = "the semantic patch neither changes it nor reports anything"
        if outcome.expected is not None:
            text += f", but {case.result.name} has a result"
        hint = "correct the rule or the case, or move the case to ok/ if it must not change"
    elif outcome.expected is None:
        code, text = "case-missing", f"{case.result.name} does not exist"
        hint = f"{_quote_update(test)} writes it"
    else:
        text = f"the result differs from {case.result.name}"
        update = _quote_update(test) if shows_diff else ", and `--update`"
        hint += f"{update} writes the new result"
    return SpecError(text, code=code, place=ErrorPlace(str(case.file)), hint=hint or None)


def find_rule_faults(test: str, cocci: Path, run: GoldenRun) -> Iterator[SpecError]:
    """Yield the rules that matched in no case of a semantic patch; `test` runs its cases."""
    for rule in run.never_fired:
        stem = f"{find_stem(cocci)}-{rule.replace(' ', '-')}"
        yield SpecError(
            f"the rule {rule} matches in no golden case",
            code="case-failed",
            place=ErrorPlace(str(cocci)),
            hint=f"add a case in which it matches, such as {stem}.c; {_quote_update(test)} writes "
            f"{stem}.res",
        )


def _quote_update(test: str) -> str:
    return f"`{test} --update`"
