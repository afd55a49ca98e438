# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen check`: print all errors of a variant at once."""

from __future__ import annotations

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option
from patchgen.cli.printer import Printer
from patchgen.commands.check import check_variant
from patchgen.counting import count
from patchgen.errors import PatchgenError


@click.command(
    "check",
    cls=ExplainedCommand,
    examples="""
    patchgen check pvops
        Check the manifests, the templates and the semantic patches of pvops.
    patchgen check pvops --json
        Print the errors for a script or an editor.
    """,
)
@click.argument("variant")
@json_option
def command(variant: str, as_json: bool) -> int:
    """Print all errors of a variant at once, each with its file, line and key.

    It reads manifests, templates and semantic patches, and runs golden cases, without a kernel
    tree. The exit code is 1 if the variant has errors.
    """
    printer = Printer(as_json=as_json)
    result = check_variant(variant)
    if as_json:
        printer.document(
            {
                "folder": str(result.folder),
                "passed": not result.errors,
                "errors": list(map(_describe, result.errors)),
            }
        )
    for error in result.errors:
        printer.line(error.describe({}))
    printer.line(f"{result.folder}: {count(len(result.errors), 'error')}")
    return 1 if result.errors else 0


def _describe(error: PatchgenError) -> dict[str, object]:
    place = error.place
    return {
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "field": place.field if place else None,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
    }
