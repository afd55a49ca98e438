# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen check`: print all errors of a variant at once."""

from __future__ import annotations

from pathlib import Path

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, rev_option
from patchgen.cli.printer import Printer
from patchgen.cli.settings import is_given
from patchgen.cli.tree_options import optional_tree_option
from patchgen.commands.check import check_variant
from patchgen.counting import count
from patchgen.errors import PatchgenError, UsageError

_OPTIONS = {"base": "--rev"}


@click.command(
    "check",
    cls=ExplainedCommand,
    examples="""
    patchgen check pvops
        Check the manifests, the templates and the semantic patches of pvops.
    patchgen check pvops --tree .
        Also find the paths in the manifests for which the tree has no file.
    patchgen check pvops --json
        Print the errors for a script or an editor.
    """,
)
@click.argument("variant")
@optional_tree_option("A kernel's git tree: check that it has the files that the manifests name.")
@rev_option("The commit of the tree.")
@json_option
def command(variant: str, tree: Path | None, rev: str, as_json: bool) -> int:
    """Print all errors of a variant at once, each with its file, line and key.

    It reads manifests, templates and semantic patches, and runs golden cases. With --tree, it
    checks the paths of the patches that are made there. Notes are about paths, about
    subjects that `patchgen verify` will refuse, and about texts to write. The exit code is 1 if the
    variant has errors.
    """
    if tree is None and is_given(click.get_current_context(), "rev"):
        raise UsageError("--rev requires --tree", code="option-combination")
    printer = Printer(as_json=as_json)
    result = check_variant(variant, tree, rev)
    if as_json:
        printer.document(
            {
                "folder": str(result.folder),
                "passed": not result.errors,
                "errors": list(map(_describe, result.errors)),
                "notes": list(map(_describe, result.notes)),
            }
        )
    for error in result.errors:
        printer.line(error.describe(_OPTIONS))
    for note in result.notes:
        printer.line(f"note: {note.describe(_OPTIONS)}")
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
