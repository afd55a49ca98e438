# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen variants`: list the variants for `apply`, and the recipes for `run`."""

from __future__ import annotations

from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option
from patchgen.cli.printer import Printer, print_table
from patchgen.errors import PatchgenError
from patchgen.spec import NamedVariant, Recipe, list_named, list_recipes, load_variant


@click.command(
    "variants",
    cls=ExplainedCommand,
    examples="""
    patchgen variants
        List the variants for apply, and the recipes for run.
    patchgen variants --json
        Print the same for a script.
    """,
)
@json_option
def command(as_json: bool) -> int:
    """List the variants for `apply`, and where each is from, and the recipes for `run`.

    Variants are in ./semantic-patches, in ~/.local/share/patchgen/semantic-patches, in installed
    packages, and in patchgen. A variant shadows those of the same name in later places.
    """
    printer = Printer(as_json=as_json)
    variants = []
    exit_code = 0
    for named in list_named():
        try:
            variants.append(_describe_variant(named))
        except PatchgenError as err:
            printer.warning(str(err))
            exit_code = 1
    recipes = [_describe_recipe(recipe) for recipe in list_recipes()]
    if as_json:
        printer.document([*variants, *recipes])
        return exit_code
    print_table(
        ["variant", "patches", "backends", "from", "what it does"],
        [
            [
                variant["name"],
                str(len(variant["patches"])),
                ", ".join(variant["backends"]),
                variant["from"],
                variant["title"],
            ]
            for variant in variants
        ],
    )
    print_table(
        ["recipe", "what it does"], [[recipe["name"], recipe["title"]] for recipe in recipes]
    )
    for variant in variants:
        for path in variant["shadows"]:
            printer.line(f"{variant['name']} in {variant['folder']} shadows {path}")
    return exit_code


def _describe_variant(named: NamedVariant) -> dict[str, Any]:
    """Return the entry of --json. Raises SpecError if the manifest is wrong."""
    variant = load_variant(named.path)
    return {
        "kind": "variant",
        "name": named.name,
        "title": variant.manifest.variant.title,
        "backends": list(variant.manifest.variant.backends),
        "patches": [patch.name for unit in variant.units for patch in unit.manifest.patch],
        "from": named.origin,
        "folder": str(named.path),
        "shadows": list(map(str, named.shadowed)),
    }


def _describe_recipe(recipe: Recipe) -> dict[str, Any]:
    return {
        "kind": "recipe",
        "name": recipe.name,
        "title": recipe.title,
        "backends": [],
        "patches": [],
        "from": "shipped",
        "folder": str(recipe.path.parent),
        "shadows": [],
    }
