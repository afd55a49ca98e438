# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen show`: print what a variant or a recipe makes, and what it needs of a base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option
from patchgen.cli.printer import Printer, print_table
from patchgen.cli.show_recipe import describe_recipe, print_recipe
from patchgen.spec import Variant, describe_variables, find_recipe, find_variant, list_names
from patchgen.spec.manifest import BackendLeftOut, BackendManifest, LeftOutEntry, PatchEntry
from patchgen.spec.variant import ManifestFile, list_recipients


@click.command(
    "show",
    cls=ExplainedCommand,
    examples="""
    patchgen show pvops
        Describe the variant pvops.
    patchgen show strscpy
        Print the rules of the recipe strscpy.
    """,
)
@click.argument("name", metavar="VARIANT|RECIPE")
@json_option
def command(name: str, as_json: bool) -> None:
    """Show a variant's patches and variables, or a recipe's rules and golden cases.

    Both have what they need of a base.
    """
    # As for the other commands that read variants, one of the user's shadows a recipe.
    recipe = None if name in list_names() else find_recipe(name)
    if recipe is None:
        document = describe(find_variant(name, suggests_recipes=True))
    else:
        document = describe_recipe(recipe)
    printer = Printer()
    if as_json:
        printer.document(document)
    elif recipe is None:
        _print(printer, document)
    else:
        print_recipe(printer, recipe, document)


def _print(printer: Printer, document: dict[str, Any]) -> None:
    printer.prose(f"{document['name']}: {document['title']}", bold=True)
    if document["help"]:
        printer.line()
        printer.prose(document["help"].strip())
    printer.line()
    print_table(
        ["patch", "backend", "semantic patches", "already there if"],
        [
            [
                patch["name"] + (" (optional)" if patch["optional"] else ""),
                patch["backend"] or "",
                "\n".join(patch["semantic_patches"]),
                "\n".join(patch["probe"]),
            ]
            for patch in document["patches"]
        ],
    )
    print_table(
        ["variable", "type", "default", "meaning"],
        [
            [variable["name"], variable["type"], str(variable["default"]), variable["help"]]
            for variable in document["variables"]
        ],
    )
    if document["left_out"]:
        print_table(
            ["left out", "on bases with", "reason", "if named"],
            list(map(_row_of_left_out, document["left_out"])),
        )
    for person in document["recipients"]["cc"]:
        printer.line(f"Cc of all mails: {person}")
    print_table(
        ["the base needs", "in", "for"],
        [
            [
                ("no " if need["absent"] else "") + need["tokens"],
                " or ".join(need["files"]),
                need["reason"],
            ]
            for need in document["needs"]
        ],
    )


def _row_of_left_out(entry: dict[str, Any]) -> list[str]:
    facts = [evidence["fact"] for evidence in entry["evidence"]]
    remarks = [f"- {evidence['say']}" for evidence in entry["evidence"]]
    return [
        entry["patch"] or entry["backend"],
        "\n".join((*entry["when"], *facts)),
        "\n".join((entry["reason"], *remarks)),
        "made" if entry["on_request"] else "not made",
    ]


def describe(variant: Variant) -> dict[str, Any]:
    """Return the document of --json."""
    head = variant.manifest.variant
    return {
        "name": head.name,
        "title": head.title,
        "help": head.help,
        "backends": list(head.backends),
        "patches": [
            _describe_patch(unit, patch) for unit in variant.units for patch in unit.manifest.patch
        ],
        "variables": [
            {
                "name": name,
                "type": variable.type,
                "default": variable.default,
                "help": variable.help,
            }
            for name, variable in describe_variables(variant).items()
        ],
        "left_out": [entry for unit in variant.units for entry in _describe_left_out(unit)],
        "recipients": {"cc": list(list_recipients(variant.units))},
        "needs": [
            {
                "tokens": need.tokens,
                "files": list(need.file),
                "reason": need.reason,
                "absent": need.absent,
                "when": list(need.when),
            }
            for unit in variant.units
            for need in unit.manifest.needs
        ],
    }


def _describe_patch(unit: ManifestFile, patch: PatchEntry) -> dict[str, Any]:
    return {
        "name": patch.name,
        "backend": unit.backend,
        "semantic_patches": [rules.file for rules in patch.rules],
        "files": sorted({path for rules in patch.rules for path in rules.on}),
        "new_files": [new_file.path for new_file in patch.new_files],
        "probe": list(_describe_probes(patch)),
        "when": list(patch.when),
        "optional": patch.optional,
    }


def _describe_probes(patch: PatchEntry) -> Iterator[str]:
    """Yield the conditions under which a base already has the patch."""
    for probe in patch.probe:
        yield f"{' or '.join(probe.file)} has `{probe.tokens}`"
    if not patch.probe:
        for new_file in patch.new_files:
            yield f"{new_file.path} exists"


def _describe_left_out(unit: ManifestFile) -> Iterator[dict[str, Any]]:
    """Yield the backend and the patches that a manifest leaves out on some bases."""
    manifest = unit.manifest
    entries: list[tuple[str | None, LeftOutEntry]] = []
    if isinstance(manifest, BackendManifest):
        entries += [(None, entry) for entry in manifest.left_out]
    entries += [(patch.name, entry) for patch in manifest.patch for entry in patch.left_out]
    for patch, entry in entries:
        yield {
            "backend": unit.backend,
            "patch": patch,
            "reason": entry.reason,
            "when": list(entry.when),
            "evidence": [
                {"fact": evidence.fact, "say": evidence.say} for evidence in entry.evidence
            ],
            "on_request": isinstance(entry, BackendLeftOut) and entry.on_request,
        }
