#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run recipes on an older kernel, and compare what they change with what mainline made of it.

For each recipe, the table shows:

- `lines`: the lines that the recipe adds, or that it removes where it adds none, in files that the
  newer kernel still has;
- `same`: how many of them stand so (or are gone) in the newer kernel; `code`: those whose code
  stands there with other line breaks included;
- `converted`: the lines of code with the old form that mainline converted, where the code next to
  them is still there; and `found`: how many of these the recipe changes;
- each thing that differs, counted by its reason. `--verbose` lists them.
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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.conversions import CONVERSIONS, Conversion, to_python, to_words
from patchgen.commands.run import plan_run, run_sweeps
from patchgen.linediff import find_line_changes
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Sweep
from patchgen.odb import Repository
from patchgen.sweep import RunRequest
from tests.support.kernels import kernel_tree


@dataclass
class Outcome:
    """The numbers of one conversion, and what differs: a reason and a line for each."""

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
    chosen = [each for each in CONVERSIONS if not options.recipes or each.recipe in options.recipes]
    console = Console(width=120)
    outcomes: dict[str, Outcome] = {}
    trees = [(kernel_tree("6.1"), kernel_tree("6.12"), False)]
    if options.newest:
        trees.append((kernel_tree("6.12"), options.newest, True))
    for before, after, later in trees:
        conversions = [each for each in chosen if each.later is later]
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
    for recipe, each in outcomes.items():
        reasons = Counter(reason for reason, _ in each.differing)
        table.add_row(
            recipe,
            *(str(each.lines), str(each.same), f"{each.precision:.1%}", f"{each.same_code:.1%}"),
            *(str(each.converted), str(each.found), f"{each.recall:.1%}"),
            f"{each.seconds:.0f}",
            "; ".join(f"{count} {reason}" for reason, count in reasons.most_common()),
        )
    if outcomes:
        rates = [(each.precision, each.same_code, each.recall) for each in outcomes.values()]
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
        request = RunRequest(
            conversion.recipe,
            before,
            jobs=options.jobs,
            cache=options.cache,
            paths=tuple(map(PurePosixPath, places)) if options.quick else (),
            macros="" if options.quick else None,
        )
        began = time.monotonic()
        with closing(Repository(before)) as repository:
            [(_, sweep)] = run_sweeps(repository, plan_run(repository, request))
        assert isinstance(sweep, Sweep)
        outcome.seconds = time.monotonic() - began
        paths = places.keys() | {str(edit.path) for edit in sweep.edits}
        olds, news = read_files(before, paths), read_files(after, paths)
        edits = {str(edit.path): edit for edit in sweep.edits}
        for path in sorted(paths):
            if path not in news:
                continue
            if path in edits:
                new = news[path].decode("utf-8", "replace")
                judge_precision(outcome, conversion, edits[path], new)
            judge_recall(
                outcome,
                conversion,
                path,
                places.get(path, []),
                olds[path],
                news[path],
                edits,
                sweep,
            )
        outcomes[conversion.recipe] = outcome
    return outcomes


# --- the lines that we change ---------------------------------------------------------------


def judge_precision(outcome: Outcome, conversion: Conversion, edit: FileEdit, new: str) -> None:
    """Compare the lines that a recipe adds to a file with those of the newer kernel."""
    assert edit.before is not None
    before = edit.before.decode("utf-8", "replace").splitlines()
    after = edit.after.decode("utf-8", "replace").splitlines()
    lines = new.splitlines()
    available, olds = Counter(lines), Counter(before)
    dense = squeeze(new)
    for i, x, j, y in find_line_changes(before, after):
        removed, added = before[i:x], after[j:y]
        for line in filter(str.strip, removed if not added else ()):
            outcome.lines += 1
            if available[line] < olds[line]:
                outcome.same += 1
            else:
                outcome.differing.append((LEFT, f"{edit.path}:{i + 1}: {line.strip()}"))
        for line in added:
            outcome.lines += 1
            if available[line]:
                available[line] -= 1
                outcome.same += 1
                continue
            reason = explain(before, i, x, removed, added, available, dense)
            further = to_python(conversion.further)
            if reason in (REWRITTEN, CHANGED) and further and re.search(further, new):
                reason = f"the file has {to_words(conversion.further)} now"
            where = f"{edit.path}:{i + 1}: {line.strip()}"
            if reason == CHANGED and (now := closest(conversion, line, lines)):
                where += f" -- now: {now}"
            outcome.differing.append((reason, where))


LEFT = "not converted in the newer kernel"
BROKEN = "the same code with other line breaks"
REWRITTEN = "the code was rewritten or removed"
CHANGED = "the statement was changed as well"


def explain(
    before: list[str],
    i: int,
    x: int,
    removed: list[str],
    added: list[str],
    available: Mapping[str, int],
    dense: str,
) -> str:
    """Return why an added line does not stand in the newer kernel."""
    if squeeze("".join(added)) in dense:
        return BROKEN
    if any(available.get(line) for line in removed if line.strip()):
        return LEFT
    if not has_neighbour(before, i, x, available):
        return REWRITTEN
    return CHANGED


def closest(conversion: Conversion, line: str, lines: list[str]) -> str:
    """Return the most similar line with the new form, "" if there is none that is similar."""
    new = re.compile(to_python(conversion.new or conversion.old))
    candidates = [each.strip() for each in lines if new.search(each)]
    return next(iter(difflib.get_close_matches(line.strip(), candidates, n=1, cutoff=0.5)), "")


def has_neighbour(before: list[str], i: int, x: int, available: Mapping[str, int]) -> bool:
    """Return whether a line next to a place still exists, not counting braces."""
    near = (*nearest(before[:i][::-1]), *nearest(before[x:]))
    return any(available.get(line) for line in near)


def nearest(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if len(line.strip()) > 8:
            yield line
            return


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


# --- the lines that mainline converted ------------------------------------------------------


def judge_recall(
    outcome: Outcome,
    conversion: Conversion,
    path: str,
    places: list[int],
    old: bytes,
    new: bytes,
    edits: Mapping[str, FileEdit],
    sweep: Sweep,
) -> None:
    """Count the lines with the old form that mainline converted, and those that we change, too."""
    if not places:
        return
    before = old.decode("utf-8", "replace").splitlines()
    lines = new.decode("utf-8", "replace").splitlines()
    available, olds = Counter(lines), Counter(before)
    gained = len(places)
    if conversion.new:
        gained = count_converted(conversion, lines) - count_converted(conversion, before)
    ours = changed_lines(edits[path]) if path in edits else set()
    for number in places:
        line = before[number - 1]
        is_gone = available[line] < olds[line]
        if (
            not is_code(line)
            or not is_gone
            or gained <= 0
            or not has_neighbour(before, number - 1, number, available)
        ):
            continue
        gained -= 1
        outcome.converted += 1
        if number in ours:
            outcome.found += 1
        else:
            reason = f"missed: {why_missed(sweep, path, number, line)}"
            outcome.differing.append((reason, f"{path}:{number}: {line.strip()}"))


def count_converted(conversion: Conversion, lines: list[str]) -> int:
    """Return the number of lines that have the new form, and not the old one."""
    old, new = (re.compile(to_python(each)) for each in (conversion.old, conversion.new))
    return sum(bool(new.search(line) and not old.search(line)) for line in lines)


def changed_lines(edit: FileEdit) -> set[int]:
    """Return the numbers of the lines that a recipe changes or removes, from 1."""
    assert edit.before is not None
    changes = find_line_changes(edit.before.splitlines(), edit.after.splitlines())
    return {number for i, x, _, _ in changes for number in range(i + 1, x + 1)}


def is_code(line: str) -> bool:
    """Return whether a line may be a use: not a comment, a definition or a declaration."""
    return bool(re.match(r"[\t ]+[^*/\s]|#", line))


def why_missed(sweep: Sweep, path: str, number: int, line: str) -> str:
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
    found: dict[str, list[int]] = defaultdict(list)
    for line in printed.decode("utf-8", "replace").splitlines():
        _, path, number, _ = line.split(":", 3)
        if not path.startswith(("tools/", "scripts/", "Documentation/")):
            found[path].append(int(number))
    return found


def read_files(tree: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """Return the contents of those files that a tree has."""
    chosen = sorted(paths)
    argv = ["git", "-C", str(tree), "cat-file", "--batch"]
    asked = "".join(f"HEAD:{path}\n" for path in chosen)
    output = subprocess.run(argv, input=asked.encode(), capture_output=True, check=True).stdout
    found, at = {}, 0
    for path in chosen:
        end = output.index(b"\n", at)
        header = output[at:end].split()
        at = end + 1
        if header[-1] != b"missing":
            size = int(header[2])
            found[path] = output[at : at + size]
            at += size + 1
    return found


if __name__ == "__main__":
    main()
