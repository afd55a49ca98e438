# SPDX-License-Identifier: GPL-2.0-or-later
"""Print sweeps: results to stdout, statistics and progress to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from patchgen.cli.printer import Printer, printable
from patchgen.cli.progress import progress_bar
from patchgen.cli.terminal import is_terminal
from patchgen.counting import count
from patchgen.model.leftover import Leftovers
from patchgen.model.smpl import Mode
from patchgen.model.sweep import Sweep
from patchgen.sweep import format_diff

# A faulty script fails on every file, so print only some of them; --verbose lists all.
_SHOWN = 3
OnSweep = Callable[[str, int, int | None], None]


def print_sweep(printer: Printer, result: Sweep, *, diffs: bool) -> None:
    """Print diffs, reports, and the output of scripts, as spatch would."""
    for edit in result.edits if diffs else ():
        printer.diff(format_diff(edit))
    for report in result.reports:
        printer.text(f"{report}\n")
    printer.text(result.output)


def summarise(result: Sweep, *, verbose: bool, leftovers: bool = False) -> Iterator[str]:
    """Yield lines with the counts of a sweep: files, hits, and code that was not parsed."""
    counts = result.counts
    changed = f"{len(result.edits)} changed, " if result.mode is Mode.PATCH else ""
    yield (
        f"{result.semantic_patch}: {count(counts.files, 'file')}, {changed}"
        f"{count(counts.candidates, 'candidate')}, {counts.cached} cached, {counts.run} run, "
        f"{result.seconds:.1f} s"
    )
    for rule in result.rules:
        if rule.hits:
            hits = count(rule.hits, "marked part" if rule.counts_marks else "hit")
            yield f"  {rule.rule}: {hits} in {count(rule.files, 'file')}"
    if result.unparsed:
        files = count(len({place.path for place in result.unparsed}), "file")
        yield (
            f"  not parsed: {count(len(result.unparsed), 'place')} in {files}"
            + ("" if verbose else " (--verbose lists them)")
        )
    if verbose:
        yield from (f"    {place}" for place in result.unparsed)
    if result.leftovers is not None:
        yield from _summarise_leftovers(result.leftovers, verbose=leftovers)
    yield from (f"  {note}" for note in result.notes)


def describe_absent(leftovers: Leftovers) -> str:
    """Return which removed words no file has; there must be one."""
    where = " of `on`" if leftovers.only_on else ""
    return f"no file{where} has {', '.join(leftovers.absent)}"


def _summarise_leftovers(leftovers: Leftovers, *, verbose: bool) -> Iterator[str]:
    """Yield lines with the numbers of words that are left, and why; if `verbose`, all places."""
    where = " of `on`" if leftovers.only_on else ""
    if leftovers.absent:
        yield f"  {describe_absent(leftovers)}"
    kinds = where or " in files of any kind"
    for word in leftovers.common:
        yield (
            f"  left: {word.word} in {count(word.left, 'place')}{kinds} ({word.changed} changed): "
            "too common to show what was missed"
        )
    words = ", ".join(word.word for word in leftovers.words if word.before and not word.is_common)
    if not words:
        return
    if not leftovers.places:
        yield f"  left: no place{where} with {words}"
        return
    reasons = "; ".join(f"{reason}: {number}" for reason, number in leftovers.by_reason.items())
    yield (
        f"  left: {count(len(leftovers.places), 'place')}{where} with {words}, "
        f"{leftovers.in_code} in code; {reasons}" + ("" if verbose else " (--leftovers lists them)")
    )
    if verbose:
        yield from (f"    {place}" for place in leftovers.places)


def list_unfinished(result: Sweep, *, verbose: bool) -> Iterator[str]:
    """Yield the files that spatch did not finish, grouped by reason."""
    files: dict[str, list[str]] = {}
    for path, failure in result.unfinished.items():
        files.setdefault(failure.text, []).append(str(path))
    for reason, paths in files.items():
        shown = paths if verbose else paths[:_SHOWN]
        hidden_count = len(paths) - len(shown)
        others = f" and {count(hidden_count, 'other')}" if hidden_count else ""
        yield f"{result.semantic_patch}: not finished: {', '.join(shown)}{others}: {reason}"


@contextmanager
def show_sweeps(printer: Printer) -> Iterator[OnSweep]:
    """Show the progress of a sweep on a terminal, its rate, and the remaining time."""
    if printer.is_silent or not is_terminal(sys.stderr):
        yield lambda name, done, total: None
        return
    from rich.progress import ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:.0f} files/s")

    with progress_bar(Rate(), TimeRemainingColumn()) as bar:
        task = bar.add_task("reading", total=None)

        def on_progress(name: str, done: int, total: int | None) -> None:
            bar.update(task, description=printable(Path(name).name), completed=done, total=total)

        yield on_progress
