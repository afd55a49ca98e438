# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen show RECIPE`: print its rules, its golden cases, and what it needs of a base."""

from __future__ import annotations

from typing import Any

from patchgen.cli.next_steps import print_steps
from patchgen.cli.printer import Printer, print_table
from patchgen.coccinelle import decode_cocci, read_header
from patchgen.spec import Recipe
from patchgen.sweep import find_cases

_SUFFIXES = (".c", ".h")


def describe_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return the document of --json. Those of `needs` have the keys of a variant's."""
    text = decode_cocci(recipe.path.read_bytes(), str(recipe.path))
    header = read_header(text)
    return {
        "name": recipe.name,
        "title": recipe.title,
        "help": header.purpose.partition("\n")[2].strip(),
        "path": str(recipe.path),
        "options": [*header.options, *header.own_options],
        "needs": [
            {"tokens": tokens, "files": [path], "reason": None, "absent": False, "when": []}
            for path, tokens in header.needs
        ],
        "rules": text,
        "cases": [
            {"file": str(case.file), "result": str(case.result) if case.result else None}
            for case in find_cases(recipe.path, _SUFFIXES)
        ],
    }


def print_recipe(printer: Printer, recipe: Recipe, document: dict[str, Any]) -> None:
    """Print the document of a recipe, and how to run it."""
    printer.prose(f"{document['name']}: {document['title']}", bold=True)
    printer.line()
    printer.line(f"semantic patch: {document['path']}")
    printer.line(f"options: {' '.join(document['options']) or 'none'}")
    printer.line()
    print_table(
        ["the base needs", "in"],
        [[need["tokens"], " or ".join(need["files"])] for need in document["needs"]],
    )
    print_table(
        ["golden case", "its result"],
        [
            [str(case.name), case.result.name if case.result else "the same code"]
            for case in find_cases(recipe.path, _SUFFIXES)
        ],
    )
    # The text begins with the `///` lines, which are the title and the help.
    printer.text(document["rules"])
    print_steps(printer, "In a kernel's git tree, run it", f"patchgen run {recipe.name}")
