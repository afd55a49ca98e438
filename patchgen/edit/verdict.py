# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the rules matched as their author declared; if not, explain why in one message."""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.coccinelle import read_rules
from patchgen.counting import count
from patchgen.errors import PatchgenError, RefusedError, ToolError
from patchgen.model.base import compile_glob
from patchgen.model.finding import list_first
from patchgen.model.outcome import FileResult, UnparsedFunction, sum_hits
from patchgen.model.plan import HitCount, PlannedPatch, RunRules

# More files than this are counted, and only the first are named.
_MAX_FILES = 5
_MAX_EXAMPLES = 3


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
    where, is_complete = _describe_files(results, name, with_others=hits <= expected.count)
    message = (
        f"patch {planned.name}: the rule {name} matched {_format_count(hits)}{where}, "
        f"but must match {expected}{missing}"
    )
    rule = next(rule for rule in read_rules(run.patch.text) if rule.name == name)
    unparsed = [function for result in results for function in result.unparsed]
    targets = [function for function in unparsed if function.name in rule.words]
    if hits > expected.count:
        hint = "make the rule stricter, name fewer files in `on`, or correct `must_fire`"
    elif targets:
        message += f": its target is code that spatch cannot parse: {_list_functions(targets)}"
        hint = "define the macros that confuse spatch in the variant's `macros` file"
    elif missing:
        hint = "correct `on` for this base, use another base, or correct `must_fire`"
    else:
        hint = (
            "the code of the base has another form: use another base, extend the rule, or correct "
            "`must_fire`"
        )
        named = [function for function in unparsed if function.name]
        hint += f". spatch could not parse {_list_functions(named)}" if named else ""
    if not is_complete:
        hint += ". `patchgen run VARIANT` prints all places that the rules match"
    place = run.patch.place(rule.start)
    return RefusedError(message, code="rule-did-not-match", place=place, hint=hint)


def _describe_files(
    results: Sequence[FileResult], name: str, *, with_others: bool
) -> tuple[str, bool]:
    """Return where a rule matched and, `with_others`, which of the searched files it did not match.

    The second value is whether this names all of them.
    """
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
    missed = f"{separator} in {_list_files(others)}" if others and with_others else ""
    return f"{matched}{missed}", max(len(places), len(others) if with_others else 0) <= _MAX_FILES


def _list_files(paths: Sequence[str]) -> str:
    """Return a few paths or, of many, their number and the first ones."""
    if len(paths) <= _MAX_FILES:
        return ", ".join(paths)
    return f"{count(len(paths), 'file')}, such as {', '.join(paths[:_MAX_EXAMPLES])}"


def _list_functions(functions: Sequence[UnparsedFunction]) -> str:
    return list_first(list(map(str, functions)))


def _list_missing(run: RunRules) -> str:
    """Return the paths and globs of `on` for which no file was searched, as an addition."""
    paths = [str(file.path) for file in run.files]
    missing = [each for each in run.on if not any(map(compile_glob(each).fullmatch, paths))]
    tokens = f" with {' or '.join(run.containing)}" if run.containing else ""
    more = len(missing) - _MAX_FILES
    if more > 1:
        missing = [*missing[:_MAX_FILES], f"{more} more of `on`"]
    return f"; the base has no {' or '.join(missing)}{tokens}" if missing else ""


def _format_count(hits: int) -> str:
    return {0: "nothing", 1: "once"}.get(hits, f"{hits} times")
