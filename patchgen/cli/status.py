# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status`: print the state of each patch of a series on a newer base."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import html_option, json_option, onto_option, tree_option, variant_option
from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.cli.printer import Printer
from patchgen.cli.terminal import is_terminal
from patchgen.commands.status import StatusRequest, find_status, has_series, list_status
from patchgen.counting import count
from patchgen.paths import name_recorded
from patchgen.status import (
    FileStatus,
    ListedSeries,
    PatchState,
    SentMail,
    SeriesStatus,
    UpstreamCommit,
)
from patchgen.status.remarks import list_details

_COLORS = {
    PatchState.APPLIED: "green",
    PatchState.NEEDED: "yellow",
    PatchState.CONFLICTS: "red",
    PatchState.GONE: "blue",
}
_WIDTH = max(len(state) for state in PatchState)
# The number of files to print for a patch; --json has all.
_SHOWN = 8


@click.command(
    "status",
    cls=ExplainedCommand,
    examples="""
    patchgen status
        Show the series that is checked out; on another branch, list all series.
    patchgen status patchgen/pvops-v4 --onto v6.2
        Show which patches of a series v6.2 has, needs, or conflicts with.
    """,
)
@click.argument("branch", required=False)
@onto_option(
    "onto",
    "the branch's upstream, the remote's HEAD, or another branch that contains the series' base",
)
@variant_option
@tree_option
@html_option
@json_option
def command(as_json: bool, html: Path | None, **options: Any) -> None:
    """Show the state of each patch on a newer base: applied, needed, conflicts, or gone.

    The series comes from `patchgen run --split` or `patchgen apply`, or is any branch whose base
    can be determined. Without BRANCH, it is the series that is checked out, else all series.
    `patchgen list` shows their versions and the sent mails.
    """
    check_output_file(html)
    printer = Printer(as_json=as_json)
    request = StatusRequest(**options)
    if request.branch is None and html is None and not has_series(request.tree):
        _list_series(printer, request, as_json=as_json)
        return
    with printer.progress("comparing") as on_progress:
        status = find_status(request, on_progress=on_progress)
    for warning in status.warnings:
        printer.warning(warning)
    if html is not None:
        # Importing it takes as long as the rest of `status`.
        from patchgen.commands.status_page import render_status_page

        write_output_file(html, render_status_page(request.tree, status))
    if as_json:
        printer.document(describe(status))
        return
    for line in _lines(status):
        printer.parts(*line)


def _list_series(printer: Printer, request: StatusRequest, *, as_json: bool) -> None:
    """Print a line for each series, or the document about all of them."""
    with printer.progress("comparing") as on_progress:
        listed = list_status(request, on_progress=on_progress)
    if as_json:
        printer.document({"series": [_describe_listed(entry) for entry in listed]})
        return
    width = max(len(entry.series.branch) for entry in listed)
    for entry in listed:
        printer.line(f"{entry.series.branch:{width}}  {_summarise_listed(entry)}")


def _describe_listed(listed: ListedSeries) -> dict[str, Any]:
    """Return a series of the list as values for JSON; a series without a status has null values."""
    status = listed.status
    document = describe(status) if status else {}
    return {
        "branch": listed.series.branch,
        "description": listed.series.description,
        "revision": document.get("revision"),
        "patches": len(status.patches) if status else None,
        **{key: document.get(key) for key in ("base", "onto", "newer_commits", "counts", "stages")},
        "warnings": document.get("warnings", []),
        "problem": listed.problem or None,
    }


def _summarise_listed(listed: ListedSeries) -> str:
    status = listed.status
    if status is None:
        return listed.problem
    stages = ", ".join(
        f"{number} {stage.counted}" for stage, number in status.stages.items() if number
    )
    return f"against {status.onto[1]}: {stages}"


def describe(status: SeriesStatus) -> dict[str, Any]:
    """Return the document of --json; docs/files-and-formats.md describes its keys."""
    return {
        "branch": status.branch,
        "revision": status.revision,
        "base": {"commit": status.base[0], "name": status.base[1]},
        "onto": {"commit": status.onto[0], "name": status.onto[1]},
        "newer_commits": status.newer,
        "counts": {state.value: number for state, number in status.counts.items()},
        "stages": {stage.value: number for stage, number in status.stages.items()},
        "patches": [
            {
                "number": number,
                "commit": patch.commit.oid,
                "subject": patch.commit.subject,
                "state": patch.state.value,
                "stage": patch.stage.value,
                "present_at": str(patch.present_at) if patch.present_at else None,
                "partly_applied": patch.is_partly_applied,
                "tags": list(map(str, patch.tags)),
                "sent": _describe_mail(patch.mail),
                "by": [_describe_commit(commit) for commit in patch.made_by],
                "files": [_describe_file(file) for file in patch.files],
            }
            for number, patch in enumerate(status.patches, 1)
        ],
        "run_again": _suggest_run(status),
        "warnings": list(status.warnings),
    }


def _describe_mail(mail: SentMail | None) -> dict[str, Any] | None:
    """Return a mail as values for JSON."""
    if mail is None:
        return None
    people = {"to": list(mail.to), "cc": list(mail.cc)}
    return {"message_id": mail.message_id, "time": mail.time, **people}


def _describe_file(file: FileStatus) -> dict[str, Any]:
    return {
        "path": str(file.path),
        "renamed_to": str(file.renamed_to) if file.renamed_to else None,
        "state": file.state.value,
        "hunks": file.hunks,
        "present": file.present,
        "by": [_describe_commit(commit) for commit in file.made_by],
        "deleted": file.is_deleted,
        "deleted_by": _describe_commit(file.removed_by),
        "undone_by": _describe_commit(file.undone_by),
        "conflicts_since_patch": file.conflicts_since,
    }


def _describe_commit(commit: UpstreamCommit | None) -> dict[str, str] | None:
    return {"commit": commit.oid, "subject": commit.subject} if commit else None


def _lines(status: SeriesStatus) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yield each line as parts, with the style of each part."""
    for line in _plain_lines(status):
        yield [(part, {}) if isinstance(part, str) else part for part in line]


def _plain_lines(status: SeriesStatus) -> Iterator[list[str | tuple[str, dict[str, Any]]]]:
    base, onto = (_name(*point) for point in (status.base, status.onto))
    newer = count(status.newer, "commit")
    yield [f"{status.branch} on {base}, against {onto}, {newer} newer"]
    total = len(status.patches)
    for number, patch in enumerate(status.patches, 1):
        state = (f"{patch.state:{_WIDTH}}", {"fg": _COLORS[patch.state], "bold": True})
        yield [f"  {number:{len(str(total))}}/{total} ", state, f"  {patch.commit.subject}"]
        details = list(list_details(patch))
        shown = details[:_SHOWN] if is_terminal(sys.stdout) else details
        for detail in shown:
            yield [f"{'':{2 * len(str(total)) + 6}}{detail}"]
        if len(shown) < len(details):
            more = len(details) - len(shown)
            yield [f"{'':{2 * len(str(total)) + 6}}and {more} more (--json)"]
    yield [""]
    yield [_summary(status)]
    if suggestion := _suggest_run(status):
        yield [f"The newer base may have new places: {suggestion}"]


def _name(oid: str, name: str) -> str:
    return name if oid.startswith(name) else f"{name} ({oid[:12]})"


def _summary(status: SeriesStatus) -> str:
    partly = sum(
        patch.state is PatchState.NEEDED and patch.is_partly_applied for patch in status.patches
    )
    suffixes = {PatchState.NEEDED: f" ({partly} of them in part)"} if partly else {}
    counts = [
        f"{number} {state.counted}{suffixes.get(state, '')}"
        for state, number in status.counts.items()
    ]
    return f"{count(len(status.patches), 'patch')}: {', '.join(counts)}"


def _suggest_run(status: SeriesStatus) -> str | None:
    """Return the command that finds new places, if a semantic patch made the series."""
    if status.record is None or not status.record.split or not status.newer:
        return None
    if status.record.run is not None:
        return shlex.join(["patchgen", "reroll", status.branch, "--onto", status.onto[1]])
    # An older patchgen recorded too little for a reroll.
    args = ["patchgen", "run", name_recorded(status.record.variant), "--since", status.base[0][:12]]
    return shlex.join([*args, "--base", status.onto[1]])
