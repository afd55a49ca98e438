# SPDX-License-Identifier: GPL-2.0-or-later
"""The output of `patchgen audit --why` and `--late`: paths, and the obstacles on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgen.audit.obstacles import MEANINGS, Obstacle
from patchgen.audit.overview import describe_certainty, describe_fatal
from patchgen.audit.reasons import FunctionAnswer, PathStep
from patchgen.audit.result import Audit, Hypercall
from patchgen.cli.audit_table import Line, Section, TableRow, print_screen
from patchgen.cli.printer import Printer
from patchgen.counting import count

_UNREACHED = "No code that was read calls or stores it"


def print_answer(printer: Printer, answer: FunctionAnswer, end: str, *, verbose: bool) -> None:
    """Print the shortest path to a function, and the other callers of an early one.

    The window ends with the function `end`.
    """
    name = f"{answer.function}() at {answer.place}"
    if answer.early:
        head: list[Line] = [(f"{name} is early: it can run before {end}().", {"bold": True})]
        head += _write_path(answer.paths[0])
    else:
        head = [(f"{name} is late: no path leads to it before {end}().", {"bold": True})]
        head.append(
            (
                "The shortest path to it, with the obstacle:" if answer.paths else f"{_UNREACHED}.",
                {},
            )
        )
        for path in answer.paths:
            head += _write_path(path)
    others = answer.paths[1:] if answer.early else ()
    more = answer.callers - 1 - len(others)
    callers = Section(
        "Other early callers",
        ("caller", "callers"),
        [_build_caller(path, verbose=verbose) for path in others],
        summary=f"the nearest; {more} more" if more > 0 else "",
        header=("call", "caller"),
    )
    print_screen(printer, head, [callers], verbose=verbose)


def _write_path(path: Sequence[PathStep]) -> Iterator[Line]:
    for step, text in zip(path, _describe_path(path), strict=True):
        yield f"  {text}", {"fg": "yellow"} if step.obstacle else {}


def _describe_path(path: Sequence[PathStep]) -> Iterator[str]:
    for step in path:
        by = f" by {step.via}" if step.via else ""
        meaning = f": {MEANINGS[step.obstacle]}" if step.obstacle else ""
        yield f"{step.function}(){by} at {step.place}{meaning}"


def _build_caller(path: Sequence[PathStep], *, verbose: bool) -> TableRow:
    names = [step.function for step in path[:-2]]

    def explain() -> list[str]:
        return list(_describe_path(path))

    return TableRow((str(path[-1].place), path[-2].function), names, explain if verbose else None)


def print_late(
    printer: Printer,
    audit: Audit,
    sites: Sequence[tuple[Hypercall, FunctionAnswer | None]],
    *,
    verbose: bool,
) -> None:
    """Print a line for each late hypercall, with the shortest path to it, by obstacle."""
    head: list[Line] = [
        (
            f"{count(len(sites), 'late site')}: no path leads to"
            f" {'it' if len(sites) == 1 else 'them'} before {audit.window.end}();"
            f" {describe_certainty(audit)}.",
            {"bold": True},
        )
    ]
    groups: dict[str, list[TableRow]] = {}
    for site, answer in sites:
        title, row = _build_late(site, answer)
        groups.setdefault(title, []).append(row)
    header = ("site", "function", "form", "fatal on")
    sections = [
        Section(title, ("late site", "late sites"), rows, header=header)
        for title, rows in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    print_screen(printer, head, sections, verbose=verbose)


def _build_late(site: Hypercall, answer: FunctionAnswer | None) -> tuple[str, TableRow]:
    """Return the obstacle to a late hypercall, and its line."""
    path = answer.paths[0] if answer is not None and answer.paths else ()
    obstacle = next((step.obstacle for step in path if step.obstacle), Obstacle.NOTHING)
    if answer is not None and answer.early:
        obstacle = Obstacle.AFTER
    cells = (
        str(site.place),
        site.function,
        site.instruction.title,
        describe_fatal(site),
    )
    title = MEANINGS.get(obstacle, _UNREACHED)
    names = [step.function for step in path[:-1]] or ["-"]
    return title[:1].upper() + title[1:], TableRow(cells, names, lambda: list(_describe_path(path)))
