# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen compare`: make several variants on one base, and print a table of them."""

from __future__ import annotations

from typing import Any

import click

from patchgen.audit.result import Platform
from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import (
    base_option,
    jobs_option,
    json_option,
    tree_option,
)
from patchgen.cli.printer import Printer, announce_end, print_table
from patchgen.cli.series_output import describe_left_out
from patchgen.commands.compare import Column, CompareRequest, Comparison, compare_variants
from patchgen.interrupts import report_interrupt

_COUNTS = ("patches", "files", "insertions", "deletions")
_LEGEND = """\
hypercall: the instruction that kvm_hypercall*() executes before alternatives are patched.
page status: how the guest reports shared and private pages to the host at that time. Both are
read from the machine code, which does not show whether the base boots on the platform."""


@click.command(
    "compare",
    cls=ExplainedCommand,
    examples="""
    patchgen compare pvops x86-platform
        Compare two variants on HEAD.
    patchgen compare pvops sev-hypercall vmmcall-default --base v6.1 -j 2
        Compare three variants on v6.1, with two processes.
    """,
)
@click.argument("variants", metavar="VARIANT...", nargs=-1, required=True)
@tree_option
@base_option("The commit that the variants' series are based on.")
@jobs_option
@json_option
def command(as_json: bool, **options: Any) -> None:
    """Compare variants on one base: their size, and what hypercalls execute before alternatives.

    Each variant is made and compiled in a temporary folder; the repository does not change. This
    runs programs of the base (its Makefiles and scripts), as `make` does: compare only on a base
    that you would build.
    """
    printer = Printer(as_json=as_json)
    with report_interrupt(announce_end), printer.activity() as on_progress:
        comparison = compare_variants(CompareRequest(**options), on_progress=on_progress)
    if as_json:
        printer.document(describe(comparison))
        return
    printer.line(f"on {comparison.base}, compiled as {comparison.config}", bold=True)
    print_table(["", *(column.name for column in comparison.columns)], _build_rows(comparison))
    printer.line(_LEGEND)
    for column in comparison.columns:
        if column.refused:
            printer.line(f"{column.name}: {column.refused}")
        for left_out in column.left_out:
            printer.line(f"{column.name}: {left_out}")


def describe(comparison: Comparison) -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "base": comparison.base,
        "config": comparison.config,
        "variants": [
            {
                "name": column.name,
                "refused": column.refused or None,
                "left_out": describe_left_out(column.left_out),
                "patches": column.patches,
                "files": column.files,
                "insertions": column.insertions,
                "deletions": column.deletions,
                "text_bytes": dict(column.text),
                **{
                    key: {
                        platform.value: {
                            "instructions": list(execution.instructions),
                            "outcome": execution.outcome,
                        }
                        for platform, execution in executions.items()
                    }
                    for key, executions in (
                        ("hypercall_before_alternatives", column.hypercalls),
                        ("early_page_status_report", column.reports),
                    )
                },
            }
            for column in comparison.columns
        ],
    }


def _build_rows(comparison: Comparison) -> list[list[str]]:
    base, *variants = comparison.columns
    rows = [[what, "", *(_show_count(column, what) for column in variants)] for what in _COUNTS]
    for name in sorted({name for column in comparison.columns for name in column.text}):
        growth = [_describe_growth(base, column, name) for column in variants]
        if any(growth):
            path = name.removeprefix("arch/x86/")
            rows.append([f"text of {path}", str(base.text.get(name, 0)), *growth])
    total = sum(base.text.values())
    totals = ["" if c.refused else f"{sum(c.text.values()) - total:+d}" for c in variants]
    rows.append(["text, bytes", str(total), *totals])
    for what, executions in (("hypercall", "hypercalls"), ("page status", "reports")):
        for platform in Platform:
            cells = [getattr(c, executions).get(platform) for c in comparison.columns]
            if any(cells):
                rows.append([f"{what}, {platform}", *(str(cell or "") for cell in cells)])
    return rows


def _show_count(column: Column, what: str) -> str:
    return "" if column.refused else str(getattr(column, what))


def _describe_growth(base: Column, column: Column, name: str) -> str:
    """Return by how many bytes an object grew, "" if its size is unchanged."""
    growth = column.text.get(name, 0) - base.text.get(name, 0)
    return f"{growth:+d}" if growth and not column.refused else ""
