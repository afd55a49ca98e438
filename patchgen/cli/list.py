# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen list`: print the series of a repository."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, tree_option
from patchgen.cli.printer import Printer, print_table
from patchgen.commands.list import SeriesSummary, summarise_series

_COLUMNS = ["", "branch", "version", "base", "acked", "sent", "state"]


@click.command(
    "list",
    cls=ExplainedCommand,
    examples="""
    patchgen list
        List the series of the kernel tree in this folder.
    patchgen list --json
        Print the same for a script.
    """,
)
@tree_option
@json_option
def command(tree: Path, as_json: bool) -> None:
    """List the series of the repository, those with the newest commits first.

    A series is a branch with a cover letter's commit; * marks the branch that is checked out.
    `acked` is the number of patches with a Reviewed-by or an Acked-by, of all patches. `patchgen
    status` compares the series with a newer base.
    """
    printer = Printer(as_json=as_json)
    listed = summarise_series(tree)
    if as_json:
        printer.document({"series": list(map(describe, listed))})
        return
    if not listed:
        printer.note("the repository has no series; `patchgen apply` makes one")
        return
    print_table(_COLUMNS, list(map(_build_row, listed)))
    for series in listed:
        if series.problem:
            printer.warning(f"{series.branch}: {series.problem}")


def _build_row(series: SeriesSummary) -> list[str]:
    return [
        "*" if series.is_current else "",
        series.branch,
        f"v{series.tracking.revision}" if series.tracking else "",
        series.base_name,
        f"{series.approved} of {series.patches}",
        _describe_sent(series),
        series.state.value,
    ]


def _describe_sent(series: SeriesSummary) -> str:
    """Return the day in UTC, or the number of mails if some were not sent."""
    if series.sent is None:
        return ""
    if series.sent.count < series.sent.total:
        return f"{series.sent.count} of {series.sent.total}"
    return f"{datetime.fromtimestamp(series.sent.time, UTC):%Y-%m-%d}"


def describe(series: SeriesSummary) -> dict[str, Any]:
    """Return a series as values for JSON; docs/files-and-formats.md describes its keys."""
    tracking, sent = series.tracking, series.sent
    return {
        "branch": series.branch,
        "current": series.is_current,
        "revision": tracking.revision if tracking else None,
        "change_id": tracking.change_id if tracking else None,
        "subject": series.subject,
        "base": {"commit": series.base, "name": series.base_name},
        "patches": series.patches,
        "acked": series.approved,
        "tags": dict(series.tags),
        "sent": {
            "mails": sent.count,
            "of": sent.total,
            "time": sent.time,
            "tag": sent.tag,
        }
        if sent
        else None,
        "state": series.state.value,
        "problem": series.problem or None,
    }
