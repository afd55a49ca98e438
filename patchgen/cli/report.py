# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen report`: show a series to its reviewers, as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import html_option, json_option, tree_option
from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.cli.printer import Printer
from patchgen.commands.report import ReportRequest, report_series
from patchgen.counting import count
from patchgen.report.content import OtherOrigin, PatchReport, SeriesReport
from patchgen.report.diff_lines import LineKind


@click.command(
    "report",
    cls=ExplainedCommand,
    examples="""
    patchgen report patchgen/pvops-v4 --html report.html
        Write a page with the patches, and the probable rule of each line.
    patchgen report patchgen/pvops-v4 --json
        Print the same for a script.
    """,
)
@click.argument("branch", required=False)
@click.option(
    "--result",
    "results",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also show the result in this file: the output of `verify`, `audit` or `run` with --json; "
    "may be repeated.",
)
@tree_option
@html_option
@json_option
def command(as_json: bool, html: Path | None, **options: Any) -> None:
    """Show a series to its reviewers: its diffs, and which rule probably made which lines.

    The page has the patches, the hits of each rule, results of checks, the range-diff from the last
    version that was sent, and the recipients. It shows the results of checks that the cover letter
    records (`verify --record`), and those in FILEs, but runs no check.
    """
    check_output_file(html)
    printer = Printer(as_json=as_json)
    report = report_series(ReportRequest(**options))
    if html is not None:
        # Importing it takes as long as the rest of `report`.
        from patchgen.report.page import render_page

        write_output_file(html, render_page(report))
    for warning in report.warnings:
        printer.warning(warning)
    if as_json:
        printer.document(describe(report))
        return
    for line in _lines(report):
        printer.line(line)
    if html is not None:
        printer.line(f"page: {html}")


def _lines(report: SeriesReport) -> Iterator[str]:
    series = report.series
    assert series.tracking is not None
    patches = count(len(report.patches), "patch")
    yield f"{series.name}, v{series.tracking.revision}, {patches} on {report.base_name}"
    for number, patch in enumerate(report.patches, 1):
        yield f"  {number}/{len(report.patches)} {patch.commit.subject}"
        if patch.template_lines is not None:
            yield f"      {patch.template_lines}"
        for origin, lines in patch.counts.items():
            is_rule = origin not in set(OtherOrigin)
            probably = "probably " if is_rule and not patch.is_certain else ""
            yield f"      {probably}{origin}: {count(lines, 'changed line')}"
    for result in report.results:
        yield f"{result.name}: {result.state}: {result.text}"
    if not report.previous:
        yield "no version was sent"
    else:
        same = "different from" if report.range_diff else "the same as"
        yield f"the patches are {same} {report.previous}"


def describe(report: SeriesReport) -> dict[str, Any]:
    """Return the document of --json; docs/files-and-formats.md describes its keys."""
    series = report.series
    assert series.tracking is not None
    return {
        "branch": series.name,
        "revision": series.tracking.revision,
        "change_id": series.tracking.change_id,
        "base": {"commit": series.base, "name": report.base_name},
        "patches": [_describe_patch(patch) for patch in report.patches],
        "results": [
            {
                "check": result.name,
                "state": result.state.value,
                "text": result.text,
                "details": list(result.details),
            }
            for result in report.results
        ],
        "recipients": [
            {
                "mails": list(group.numbers),
                "header": group.header,
                "people": list(group.people),
            }
            for group in report.recipients
        ],
        "compared_with": report.previous or None,
        "range_diff": report.range_diff or None,
        "warnings": list(report.warnings),
    }


def _describe_patch(patch: PatchReport) -> dict[str, Any]:
    return {
        "commit": patch.commit.oid,
        "subject": patch.commit.subject,
        "recorded": patch.recorded is not None,
        "edited": list(patch.edited),
        "rules": dict(patch.recorded.rules) if patch.recorded else {},
        "template_lines": asdict(patch.template_lines) if patch.template_lines else None,
        "files": [
            {
                "path": file.diff.path,
                "insertions": file.diff.count(LineKind.ADDED),
                "deletions": file.diff.count(LineKind.REMOVED),
                "origins": dict(file.counts),
            }
            for file in patch.files
        ],
    }
