#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run recipes on an older kernel, and compare their changes with mainline's.

For each recipe, the table shows:

- `lines`: the lines that the recipe adds, or that it removes where it adds none, in files that the
  newer kernel still has;
- `same`: how many of the added lines the newer kernel has, and how many of the removed lines it
  does not have; `code` also counts the added lines whose code it has with other line breaks;
- `converted`: the lines of code with the old form that mainline converted, if the newer kernel
  still has the code next to them; and `found`: how many of these the recipe changes;
- the numbers of lines that differ, by reason. `--verbose` lists the lines.
"""

from __future__ import annotations

import argparse
import difflib
import re
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.conversions import CONVERSIONS, Conversion, to_python, to_words
from patchgen.commands.run import plan_run, run_sweeps
from patchgen.linediff import LineChange, find_line_changes
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Sweep
from patchgen.odb import Repository, read_contents, read_files
from patchgen.sweep import RunRequest
from tests.support.kernels import kernel_tree


@dataclass(frozen=True)
class ReplayedFile:
    """The lines of a file in both kernels, and what a recipe made of it, None if it is unchanged.

    `places` are the numbers of the lines with the old form, from 1.
    """

    path: str
    old: Sequence[str]
    new: Sequence[str]
    places: Sequence[int] = ()
    edit: FileEdit | None = None


@dataclass
class Outcome:
    """The numbers of one conversion, and the lines that differ, each with the reason."""

    lines: int = 0
    same: int = 0
    converted: int = 0
    found: int = 0
    seconds: float = 0.0
    differing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.same / self.lines if self.lines else 1.0

    @property
    def same_code(self) -> float:
        broken = sum(reason == BROKEN for reason, _ in self.differing)
        return (self.same + broken) / self.lines if self.lines else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.converted if self.converted else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="only these")
    parser.add_argument("--newest", type=Path, metavar="TREE", help="a git tree later than 6.12")
    parser.add_argument("-j", "--jobs", type=int, default=0, metavar="N")
    parser.add_argument("--cache", action="store_true", help="use cached results; times are lower")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="run on the files with the old form only, without the tree's macros; times are lower",
    )
    parser.add_argument("--verbose", action="store_true", help="list each line that differs")
    options = parser.parse_args()
    chosen = [item for item in CONVERSIONS if not options.recipes or item.recipe in options.recipes]
    console = Console(width=120)
    outcomes: dict[str, Outcome] = {}
    trees = [(kernel_tree("6.1"), kernel_tree("6.12"), False)]
    if options.newest:
        trees.append((kernel_tree("6.12"), options.newest, True))
    for before, after, later in trees:
        conversions = [conversion for conversion in chosen if conversion.later is later]
        if conversions:
            outcomes |= replay(before, after, conversions, options)
    console.print(show(outcomes))
    if options.verbose:
        for recipe, outcome in outcomes.items():
            for reason, where in outcome.differing:
                console.print(f"{recipe}: {reason}: {where}", markup=False, soft_wrap=True)


def show(outcomes: Mapping[str, Outcome]) -> Table:
    """Return the table, with the medians at its end."""
    columns = ("recipe", "lines", "same", "", "code", "converted", "found", "", "s", "what differs")
    table = Table(*columns, box=box.SIMPLE)
    for recipe, outcome in outcomes.items():
        reasons = Counter(reason for reason, _ in outcome.differing)
        table.add_row(
            recipe,
            *(str(outcome.lines), str(outcome.same)),
            *(f"{outcome.precision:.1%}", f"{outcome.same_code:.1%}"),
            *(str(outcome.converted), str(outcome.found), f"{outcome.recall:.1%}"),
            f"{outcome.seconds:.0f}",
            "; ".join(f"{count} {reason}" for reason, count in reasons.most_common()),
        )
    if outcomes:
        rates = [(item.precision, item.same_code, item.recall) for item in outcomes.values()]
        precision, code, recall = (
            f"{statistics.median(rate):.1%}" for rate in zip(*rates, strict=True)
        )
        table.add_row("median", "", "", precision, code, "", "", recall)
    return table


def replay(
    before: Path, after: Path, conversions: Iterable[Conversion], options: argparse.Namespace
) -> dict[str, Outcome]:
    """Run the recipes on one tree, and compare the results with another one."""
    outcomes = {}
    for conversion in conversions:
        outcome = Outcome()
        places = grep(before, conversion.old)
        sweep = run_recipe(before, conversion.recipe, places, options)
        outcome.seconds = sweep.seconds
        for file in read_both(before, after, places, sweep):
            if file.edit is not None:
                judge_precision(outcome, conversion, file)
            judge_recall(outcome, conversion, file, sweep)
        outcomes[conversion.recipe] = outcome
    return outcomes


def run_recipe(
    tree: Path, recipe: str, places: Iterable[str], options: argparse.Namespace
) -> Sweep:
    request = RunRequest(
        recipe,
        tree,
        jobs=options.jobs,
        cache=options.cache,
        paths=tuple(map(PurePosixPath, places)) if options.quick else (),
        macros="" if options.quick else None,
    )
    began = time.monotonic()
    with closing(Repository(tree)) as repository:
        [(_, sweep)] = run_sweeps(repository, plan_run(repository, request))
    assert isinstance(sweep, Sweep)
    return replace(sweep, seconds=time.monotonic() - began)


# --- the lines that the recipe changes ------------------------------------------------------


def judge_precision(outcome: Outcome, conversion: Conversion, file: ReplayedFile) -> None:
    """Compare the lines that a recipe adds to a file with those of the newer kernel."""
    assert file.edit is not None
    edited = split(file.edit.after)
    available, olds = Counter(file.new), Counter(file.old)
    text = "\n".join(file.new)
    for i, x, j, y in find_line_changes(file.old, edited):
        removed, added = file.old[i:x], edited[j:y]
        for line in filter(str.strip, removed if not added else ()):
            outcome.lines += 1
            if available[line] < olds[line]:
                outcome.same += 1
            else:
                outcome.differing.append((LEFT, f"{file.path}:{i + 1}: {line.strip()}"))
        for line in added:
            outcome.lines += 1
            if available[line]:
                available[line] -= 1
                outcome.same += 1
                continue
            reason = explain(file, LineChange(i, x, j, y), added, available)
            further = to_python(conversion.further)
            if reason in (REWRITTEN, CHANGED) and further and re.search(further, text):
                reason = f"the file has {to_words(conversion.further)} now"
            where = f"{file.path}:{i + 1}: {line.strip()}"
            if reason == CHANGED and (now := find_similar(conversion, line, file.new)):
                where += f" -- now: {now}"
            outcome.differing.append((reason, where))


LEFT = "not converted in the newer kernel"
BROKEN = "the same code with other line breaks"
REWRITTEN = "the code was rewritten or removed"
CHANGED = "the statement was changed as well"


def explain(
    file: ReplayedFile, change: LineChange, added: Sequence[str], available: Mapping[str, int]
) -> str:
    """Return why the newer kernel does not have an added line."""
    if squeeze(added) in squeeze(file.new):
        return BROKEN
    removed = file.old[change.old_start : change.old_end]
    if any(available.get(line) for line in removed if line.strip()):
        return LEFT
    if not has_neighbour(file.old, change.old_start, change.old_end, available):
        return REWRITTEN
    return CHANGED


def find_similar(conversion: Conversion, line: str, lines: Sequence[str]) -> str:
    """Return the most similar line with the new form, "" if there is none that is similar."""
    new = re.compile(to_python(conversion.new or conversion.old))
    candidates = [candidate.strip() for candidate in lines if new.search(candidate)]
    return next(iter(difflib.get_close_matches(line.strip(), candidates, n=1, cutoff=0.5)), "")


def has_neighbour(lines: Sequence[str], start: int, end: int, available: Mapping[str, int]) -> bool:
    """Return whether the newer kernel has the line above or below a place, without braces."""
    neighbours = (*find_code(lines[:start][::-1]), *find_code(lines[end:]))
    return any(available.get(line) for line in neighbours)


def find_code(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first line that is longer than a brace and its indentation."""
    for line in lines:
        if len(line.strip()) > 8:
            yield line
            return


def squeeze(lines: Iterable[str]) -> str:
    """Return lines without white space."""
    return "".join("".join(lines).split())


# --- the lines that mainline converted ------------------------------------------------------


def judge_recall(
    outcome: Outcome, conversion: Conversion, file: ReplayedFile, sweep: Sweep
) -> None:
    """Count the lines with the old form that mainline converted, and those that the recipe does."""
    available, olds = Counter(file.new), Counter(file.old)
    gained = len(file.places)
    if conversion.new:
        gained = count_converted(conversion, file.new) - count_converted(conversion, file.old)
    changed = list_changed(file)
    for number in file.places:
        line = file.old[number - 1]
        was_removed = available[line] < olds[line]
        if (
            not is_code(line)
            or not was_removed
            or gained <= 0
            or not has_neighbour(file.old, number - 1, number, available)
        ):
            continue
        gained -= 1
        outcome.converted += 1
        if number in changed:
            outcome.found += 1
        else:
            reason = f"missed: {explain_missed(sweep, file.path, number, line)}"
            outcome.differing.append((reason, f"{file.path}:{number}: {line.strip()}"))


def count_converted(conversion: Conversion, lines: Iterable[str]) -> int:
    """Return the number of lines that have the new form, and not the old one."""
    old, new = (re.compile(to_python(form)) for form in (conversion.old, conversion.new))
    return sum(bool(new.search(line) and not old.search(line)) for line in lines)


def list_changed(file: ReplayedFile) -> set[int]:
    """Return the numbers of the lines that a recipe changes or removes, from 1."""
    changes = find_line_changes(file.old, split(file.edit.after)) if file.edit else ()
    return {number for i, x, _, _ in changes for number in range(i + 1, x + 1)}


def is_code(line: str) -> bool:
    """Return whether a line may be a use: not a comment, a definition or a declaration."""
    return bool(re.match(r"[\t ]+[^*/\s]|#", line))


def explain_missed(sweep: Sweep, path: str, number: int, line: str) -> str:
    text = line.strip()
    if text.startswith("#define") or line.rstrip().endswith("\\"):
        return "the body of a macro"
    for place in sweep.unparsed:
        if str(place.path) == path and place.line <= number <= max(place.end, place.line):
            return "spatch cannot parse it"
    return "a form that the recipe leaves to people"


# --- trees ----------------------------------------------------------------------------------


def grep(tree: Path, pattern: str) -> dict[str, list[int]]:
    """Return the lines of C files that match, by path."""
    argv = ["git", "-C", str(tree), "grep", "-nE", "-e", pattern, "HEAD", "--", "*.c", "*.h"]
    printed = subprocess.run(argv, capture_output=True, check=False).stdout
    places: dict[str, list[int]] = defaultdict(list)
    for line in printed.decode("utf-8", "replace").splitlines():
        _, path, number, _ = line.split(":", 3)
        if not path.startswith(("tools/", "scripts/", "Documentation/")):
            places[path].append(int(number))
    return places


def read_both(
    before: Path, after: Path, places: Mapping[str, Sequence[int]], sweep: Sweep
) -> Iterator[ReplayedFile]:
    """Yield the files with the old form, and those that the recipe changes, if both trees do."""
    edits = {str(edit.path): edit for edit in sweep.edits}
    paths = places.keys() | edits.keys()
    olds, news = read_texts(before, paths), read_texts(after, paths)
    for path in sorted(olds.keys() & news.keys()):
        yield ReplayedFile(path, olds[path], news[path], places.get(path, ()), edits.get(path))


def read_texts(tree: Path, paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the lines of those files that a tree has."""
    with closing(Repository(tree)) as repository:
        files = read_files(repository, "HEAD", map(PurePosixPath, paths)).values()
        contents = read_contents(repository, list(files))
        return {
            str(file.path): split(content) for file, content in zip(files, contents, strict=True)
        }


def split(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").split("\n")


if __name__ == "__main__":
    main()
