# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the rules matched as their author declared; if not, explain why in one message."""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.coccinelle import read_rules
from patchgen.errors import PatchgenError, RefusedError, ToolError
from patchgen.model.base import compile_glob
from patchgen.model.finding import list_first
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
    missing = _list_missing(run)
    message = (
        f"patch {planned.name}: the rule {name} matched {_format_count(hits)}"
        f"{_describe_files(results, name)}, but must match {expected}{missing}"
    )
    rule = next(rule for rule in read_rules(run.patch.text) if rule.name == name)
    unparsed = [function for result in results for function in result.unparsed]
    targets = [function for function in unparsed if function.name in rule.words]
    if hits > expected.count:
        hint = "make the rule stricter, name fewer files in `on`, or correct `must_fire`"
    elif targets:
        message += ": its target is code that spatch cannot parse: " + ", ".join(map(str, targets))
        hint = "define the macros that confuse spatch in the variant's `macros` file"
    elif missing:
        hint = "correct `on` for this base, use another base, or correct `must_fire`"
    else:
        hint = (
            "the code of the base has another form: use another base, extend the rule, or correct "
            "`must_fire`"
        )
        named = [function for function in unparsed if function.name]
        hint += f". spatch could not parse {', '.join(map(str, named))}" if named else ""
    place = run.patch.place(rule.start)
    return RefusedError(message, code="rule-did-not-match", place=place, hint=hint)


def _describe_files(results: Sequence[FileResult], name: str) -> str:
    """Return where a rule matched, and which of the searched files it did not match."""
    places: list[str] = []
    others: list[str] = []
    for result in results:
        rule = sum_hits([result]).get(name)
        if rule is None or not rule.hits:
            others.append(str(result.path))
        elif len(rule.sites) == rule.hits:
            places += dict.fromkeys(map(str, rule.sites))
        else:
            places.append(str(result.path) + (f" ({rule.hits} times)" if rule.hits > 1 else ""))
    matched = f" in {list_first(places)}" if places else ""
    separator = " and not" if places and others else ""
    return f"{matched}{separator}" + (f" in {list_first(others)}" if others else "")


def _list_missing(run: RunRules) -> str:
    """Return the paths and globs of `on` for which no file was searched, as an addition."""
    paths = [str(file.path) for file in run.files]
    missing = [each for each in run.on if not any(map(compile_glob(each).fullmatch, paths))]
    tokens = f" with {' or '.join(run.containing)}" if run.containing else ""
    return f"; the base has no {' or '.join(missing)}{tokens}" if missing else ""


def _format_count(hits: int) -> str:
    return {0: "nothing", 1: "once"}.get(hits, f"{hits} times")
