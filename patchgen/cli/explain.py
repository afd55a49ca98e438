"""`patchgen explain`: what a commit was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from patchgen.cli.options import json_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.explain import Explanation, explain_commit


@click.command("explain")
@click.argument("revision", metavar="COMMIT")
@tree_option
@json_option
def command(revision: str, tree: Path, as_json: bool) -> None:
    """Show what a commit was made from: variant, variables, semantic patches, tools.

    That is kept in the cover letter's commit, so it is known wherever the branch is.
    """
    found = explain_commit(tree, revision)
    printer = Printer(as_json=as_json)
    if as_json:
        printer.document(describe(found))
    else:
        _print(printer, found)


def describe(found: Explanation) -> dict[str, Any]:
    """Return the document of --json."""
    series = found.record.to_document()
    del series["patches"]
    return {
        "commit": found.commit.oid,
        "subject": found.commit.subject,
        "change_id": found.change_id,
        "is_cover_letter": found.is_cover,
        "edited": list(found.edited),
        "patch": found.patch.model_dump(mode="json") if found.patch else None,
        "series": series,
    }


def _print(printer: Printer, found: Explanation) -> None:
    record = found.record
    printer.line(f"{found.commit.oid[:12]} {found.commit.subject}", bold=True)
    if found.is_cover:
        printer.line("the cover letter of a series, with the record of how it was made")
    elif found.patch is None:
        printer.line("added by hand to a series that patchgen made")
    rows = [("series", f"{found.change_id}, v{record.revision}"), ("variant", record.variant)]
    if found.patch is not None:
        backend = f" (backend {found.patch.backend})" if found.patch.backend else ""
        rows += [("patch", found.patch.name + backend)]
    if found.patch is not None or found.is_cover:
        state = f"edited by hand: {', '.join(found.edited)}" if found.edited else "as it was made"
        rows += [("state", state)]
    rows += [
        ("base", f"{record.describe} ({record.base[:12]})" if record.describe else record.base),
        ("backends", ", ".join(record.made_backends) or "none"),
        ("tools", ", ".join(f"{name} {version}" for name, version in record.tools.items())),
    ]
    rows += [(f"variable {name}", str(value)) for name, value in record.variables.items()]
    rows += [(f"input {name}", f"sha256 {digest}") for name, digest in record.inputs.items()]
    for name, value in rows:
        printer.line(f"  {name}: {value}")
    if found.patch is not None:
        hits = ", ".join(f"{rule} {count}" for rule, count in found.patch.rules.items())
        printer.line(f"  rules fired: {hits or 'none'}")
        for path, text in found.patch.semantic_patches.items():
            printer.line()
            printer.line(f"{path}:", bold=True)
            printer.line(text.rstrip())
    elif found.is_cover:
        for patch in record.patches:
            printer.line(f"  patch {patch.name}: {patch.subject}")
