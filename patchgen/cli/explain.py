# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen explain`: show what a commit was made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.commands.explain import Explanation, explain_commit
from patchgen.counting import count
from patchgen.series import Record


@click.command(
    "explain",
    cls=ExplainedCommand,
    examples="""
    patchgen explain HEAD
        Show the semantic patches that made the last commit.
    patchgen explain patchgen/pvops-v4~2 --json
        Print the record of an earlier commit for a script.
    """,
)
@click.argument("revision", metavar="COMMIT")
@tree_option
@json_option
def command(revision: str, tree: Path, as_json: bool) -> None:
    """Show what a commit was made from: variant, variables, semantic patches, tools.

    The record is part of the cover letter's commit, so it is available wherever the branch is.
    """
    explanation = explain_commit(tree, revision)
    printer = Printer(as_json=as_json)
    if as_json:
        printer.document(describe(explanation))
    else:
        _print(printer, explanation)


def describe(explanation: Explanation) -> dict[str, Any]:
    """Return the document of --json."""
    series = explanation.record.to_document()
    del series["patches"]
    patch = None
    if explanation.patch is not None:
        made_by = explanation.record.find_semantic_patches(explanation.patch)
        patch = explanation.patch.model_dump(mode="json") | {"semantic_patches": dict(made_by)}
    return {
        "commit": explanation.commit.oid,
        "subject": explanation.commit.subject,
        "change_id": explanation.change_id,
        "is_cover_letter": explanation.is_cover,
        "edited": list(explanation.edited),
        "patch": patch,
        "series": series,
    }


def _print(printer: Printer, explanation: Explanation) -> None:
    record, patch = explanation.record, explanation.patch
    printer.line(f"{explanation.commit.oid[:12]} {explanation.commit.subject}", bold=True)
    if explanation.is_cover:
        printer.line("the cover letter of a series, with the record of how it was made")
    elif patch is None:
        printer.line("added by hand to a series that patchgen generated")
    for name, value in (*_rows_of_commit(explanation), *_rows_of_series(record)):
        printer.line(f"  {name}: {value}")
    if patch is not None:
        if not record.split:
            hits = ", ".join(f"{rule} {count}" for rule, count in patch.rules.items())
            printer.line(f"  rules fired: {hits or 'none'}")
        for path, text in record.find_semantic_patches(patch).items():
            printer.line()
            printer.line(f"{path}:", bold=True)
            printer.line(text.rstrip())
    elif explanation.is_cover:
        for number, entry in enumerate(record.patches, 1):
            printer.line(f"  patch {number if record.split else entry.name}: {entry.subject}")


def _rows_of_commit(explanation: Explanation) -> Iterator[tuple[str, str]]:
    record, patch = explanation.record, explanation.patch
    yield "series", f"{explanation.change_id}, v{record.revision}"
    yield ("semantic patch" if record.split else "variant"), record.variant
    if patch is not None and record.split:
        number = record.patches.index(patch) + 1
        yield "patch", f"{number} of {len(record.patches)}, {count(len(patch.files), 'file')}"
    elif patch is not None:
        yield "patch", patch.name + (f" (backend {patch.backend})" if patch.backend else "")
    if patch is not None or explanation.is_cover:
        edited = ", ".join(explanation.edited)
        yield "state", f"edited by hand: {edited}" if edited else "as generated"


def _rows_of_series(record: Record) -> Iterator[tuple[str, str]]:
    # A base without a tag is described by its id.
    has_name = record.describe and not record.base.startswith(record.describe)
    yield "base", f"{record.describe} ({record.base[:12]})" if has_name else record.base
    if record.split:
        yield "split by", record.split
    else:
        yield "backends", ", ".join(record.made_backends) or "none"
    yield "tools", ", ".join(f"{name} {version}" for name, version in record.tools.items())
    yield from ((f"variable {name}", str(value)) for name, value in record.variables.items())
    yield from ((f"input {name}", f"sha256 {digest}") for name, digest in record.inputs.items())
