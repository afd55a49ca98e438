# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen variants`: list the variants for `apply`, and the recipes for `run`."""

from __future__ import annotations

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option
from patchgen.cli.printer import Printer, print_table
from patchgen.spec import list_recipes, list_variants


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
def command(as_json: bool) -> None:
    """List what comes with patchgen: variants for `apply`, and recipes for `run`."""
    recipes = list_recipes()
    variants = list_variants()
    if as_json:
        Printer().document(
            [
                {
                    "kind": "variant",
                    "name": variant.name,
                    "title": variant.manifest.variant.title,
                    "backends": list(variant.manifest.variant.backends),
                    "patches": [p.name for unit in variant.units for p in unit.manifest.patch],
                }
                for variant in variants
            ]
            + [
                {
                    "kind": "recipe",
                    "name": recipe.name,
                    "title": recipe.title,
                    "backends": [],
                    "patches": [],
                }
                for recipe in recipes
            ]
        )
        return
    print_table(
        ["variant", "patches", "backends", "what it does"],
        [
            [
                variant.name,
                str(sum(len(unit.manifest.patch) for unit in variant.units)),
                ", ".join(variant.manifest.variant.backends),
                variant.manifest.variant.title,
            ]
            for variant in variants
        ],
    )
    print_table(["recipe", "what it does"], [[recipe.name, recipe.title] for recipe in recipes])
