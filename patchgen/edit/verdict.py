# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that the rules matched as their author declared; if not, explain why in one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from patchgen.coccinelle import Rule, find_removed_words, find_words_left, read_rules
from patchgen.counting import count
from patchgen.errors import PatchgenError, RefusedError, ToolError
from patchgen.model.base import compile_glob
from patchgen.model.finding import list_first
from patchgen.model.leftover import Leftovers, WordCount
from patchgen.model.outcome import FileResult, UnparsedFunction, sum_hits
from patchgen.model.plan import HitCount, PlannedPatch, RunRules

# More files than this are counted, and only the first are named.
_MAX_FILES = 5
_MAX_EXAMPLES = 3

# Returns the content of a file before a semantic patch.
ReadBefore = Callable[[PurePosixPath], bytes]


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


def check_hits(
    planned: PlannedPatch, run: RunRules, results: Sequence[FileResult], read: ReadBefore
) -> None:
    """Raise the error for the first rule that did not match as declared, if any."""
    totals = sum_hits(results)
    for name, expected in run.must_fire.items():
        hits = totals[name].hits if name in totals else 0
        if not expected.accepts(hits):
            raise _explain_hits(planned, run, results, name, hits, expected, read)


def explain_empty(
    planned: PlannedPatch,
    runs: Sequence[tuple[RunRules, Sequence[FileResult]]],
    read: ReadBefore,
) -> PatchgenError:
    """Return the error for a patch without a change, with where the words of its rules are."""
    left = [
        _describe_left(_find_left(run, rule, results, read), 0)
        for run, results in runs
        for rule in read_rules(run.patch.text)
        if rule.modifies
    ]
    return RefusedError(
        f"patch {planned.name} changes nothing in this base{''.join(dict.fromkeys(left))}",
        code="patch-empty",
        hint="check its rules, or, if the base already has the change, its `probe`",
    )


def _explain_hits(
    planned: PlannedPatch,
    run: RunRules,
    results: Sequence[FileResult],
    name: str,
    hits: int,
    expected: HitCount,
    read: ReadBefore,
) -> PatchgenError:
    missing = _list_missing(run)
    rule = next(rule for rule in read_rules(run.patch.text) if rule.name == name)
    with_others = hits <= expected.count
    left = _find_left(run, rule, results, read) if with_others else Leftovers()
    where, is_complete = _describe_files(results, name, left, with_others=with_others)
    message = (
        f"patch {planned.name}: the rule {name} matched {_format_count(hits)}{where}, "
        f"but must match {expected}{missing}{_describe_left(left, hits)}"
    )
    unparsed = [function for result in results for function in result.unparsed]
    targets = [function for function in unparsed if function.name in rule.words]
    if hits > expected.count:
        hint = "make the rule stricter, name fewer files in `on`, or correct `must_fire`"
    elif targets:
        message += f": its target is code that spatch cannot parse: {_list_functions(targets)}"
        hint = "define the macros that confuse spatch in the variant's `macros` file"
    else:
        hint = _advise(left, missing, unparsed)
    if not is_complete:
        hint += ". `patchgen run VARIANT` prints all places that the rules match"
        if left.places:
            hint += "; with --leftovers, also those that have these words"
    place = run.patch.place(rule.start)
    return RefusedError(message, code="rule-did-not-match", place=place, hint=hint)


def _advise(left: Leftovers, missing: str, unparsed: Sequence[UnparsedFunction]) -> str:
    """Return what to do about a rule that matched less often than declared."""
    if left.places and not left.in_code:
        return (
            "no code of these files has a word that the rule removes: name other files in `on`, "
            "use another base, or correct `must_fire`"
        )
    if missing:
        return "correct `on` for this base, use another base, or correct `must_fire`"
    hint = (
        "the code of the base has another form: use another base, extend the rule, or correct "
        "`must_fire`"
    )
    named = [function for function in unparsed if function.name]
    return hint + (f". spatch could not parse {_list_functions(named)}" if named else "")


def _find_left(
    run: RunRules, rule: Rule, results: Sequence[FileResult], read: ReadBefore
) -> Leftovers:
    """Return the places of the words that a rule removes, in the files that it did not match."""
    rules = read_rules(run.patch.text)
    others = frozenset(other.traced_name for other in rules) - {rule.traced_name}
    words = find_removed_words([run.patch.text], others, run.patch.definitions)
    places = [
        place
        for result in results
        if not _count_hits(result, rule.label)
        for place in find_words_left(result.path, read(result.path), words, result.unparsed)
    ]
    counts = Counter(place.word for place in places)
    return Leftovers(tuple(WordCount(word, counts[word], 0) for word in words), tuple(places))


def _describe_left(left: Leftovers, hits: int) -> str:
    """Return where the words are, and why the rule did not match there, as an addition."""
    absent = f"; no searched file has {' or '.join(left.absent)}"
    if hits or not left.absent:
        absent = ""
    if not left.places:
        return absent
    words = ", ".join(each.word for each in left.words if each.before)
    reasons = "; ".join(
        f"{reason}: "
        + list_first([f"{each.path}:{each.line}" for each in left.places if each.reason is reason])
        for reason in left.by_reason
    )
    files = "the other files" if hits else "the searched files"
    places = f"{count(len(left.places), 'place')} of {files}"
    return f"{absent}; {words} in {places}, {left.in_code} in code; {reasons}"


def _count_hits(result: FileResult, name: str) -> int:
    rule = sum_hits([result]).get(name)
    return rule.hits if rule else 0


def _describe_files(
    results: Sequence[FileResult], name: str, left: Leftovers, *, with_others: bool
) -> tuple[str, bool]:
    """Return where a rule matched and, `with_others`, which of the searched files it did not match.

    Files that have `left` words come first. The second value is whether this names all of them.
    """
    having = {place.path for place in left.places}
    places: list[str] = []
    others: list[str] = []
    for result in sorted(results, key=lambda each: each.path not in having):
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
