# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the rules matched as their author declared; if not, explain why in one message."""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.coccinelle import read_rules
from patchgen.errors import PatchgenError, RefusedError, ToolError
from patchgen.model.outcome import FileResult, sum_hits
from patchgen.model.plan import HitCount, PlannedPatch, RunRules


def check_finished(planned: PlannedPatch, run: RunRules, results: Sequence[FileResult]) -> None:
    """Raise ToolError if spatch gave up on a file, because its result is unknown then."""
    for result in results:
        if result.failure is not None and result.failure.limit_s is not None:
            raise ToolError(
                f"patch {planned.name}: {run.patch.name}: spatch gave up on {result.path} after "
                f"{result.failure.limit_s:g} s",
                code="spatch-too-slow",
                hint="simplify the rule",
                alternatives={"timeout_s": "give more time"},
            )


def check_hits(planned: PlannedPatch, run: RunRules, results: Sequence[FileResult]) -> None:
    """Raise the error for the first rule that did not match as declared, if any."""
    totals = sum_hits(results)
    for name, expected in run.must_fire.items():
        hits = totals[name].hits if name in totals else 0
        if not expected.accepts(hits):
            raise _explain_hits(planned, run, results, name, hits, expected)


def _explain_hits(
    planned: PlannedPatch,
    run: RunRules,
    results: Sequence[FileResult],
    name: str,
    hits: int,
    expected: HitCount,
) -> PatchgenError:
    where = ", ".join(str(result.path) for result in results)
    observed = f"patch {planned.name}: the rule {name} matched {_format_count(hits)} in {where}"
    rule = next(rule for rule in read_rules(run.patch.text) if rule.name == name)
    place = run.patch.place(rule.start)
    if hits > expected.count:
        sites = next(t.sites for r, t in sum_hits(results).items() if r == name)
        at = f" (at {', '.join(map(str, sites))})" if sites else ""
        return RefusedError(
            f"{observed}{at}, but must match {expected}", code="rule-did-not-match", place=place
        )
    unparsed = [function for result in results for function in result.unparsed]
    unparsed_targets = [function for function in unparsed if function.name in rule.words]
    if unparsed_targets:
        return RefusedError(
            f"{observed}, but must match {expected}: its target is code that spatch cannot parse: "
            + ", ".join(map(str, unparsed_targets)),
            code="rule-did-not-match",
            place=place,
            hint="define the macros that confuse spatch in the variant's `macros` file",
        )
    named = [function for function in unparsed if function.name]
    return RefusedError(
        f"{observed}, but must match {expected}",
        code="rule-did-not-match",
        place=place,
        hint="the code of the base has another form: use another base, or extend the rule"
        + (f". spatch could not parse {', '.join(map(str, named))}" if named else ""),
    )


def _format_count(hits: int) -> str:
    return {0: "nothing", 1: "once"}.get(hits, f"{hits} times")
