# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen show VARIANT`: print its patches, its variables, and what it needs of a base."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from patchgen.cli.options import complete_variant, json_option
from patchgen.cli.printer import Printer, print_table
from patchgen.spec import Variant, describe_variables, find_variant
from patchgen.spec.manifest import BackendLeftOut, BackendManifest, LeftOutEntry
from patchgen.spec.variant import ManifestFile


@click.command("show")
@click.argument("variant", shell_complete=complete_variant)
@json_option
def command(variant: str, as_json: bool) -> None:
    """Show a variant's patches, its variables, and what it needs of a base."""
    loaded = find_variant(variant)
    document = describe(loaded)
    printer = Printer()
    if as_json:
        printer.document(document)
        return
    printer.line(f"{document['name']}: {document['title']}", bold=True)
    if document["help"]:
        printer.line()
        printer.line(document["help"].strip())
    printer.line()
    print_table(
        ["patch", "backend", "semantic patches", "already there if"],
        [
            [
                p["name"] + (" (optional)" if p["optional"] else ""),
                p["backend"] or "",
                "\n".join(p["semantic_patches"]),
                "\n".join(p["probe"]),
            ]
            for p in document["patches"]
        ],
    )
    print_table(
        ["variable", "type", "default", "meaning"],
        [[v["name"], v["type"], str(v["default"]), v["help"]] for v in document["variables"]],
    )
    if document["left_out"]:
        print_table(
            ["left out", "on bases with", "reason", "if named"],
            [
                [
                    entry["patch"] or entry["backend"],
                    "\n".join((*entry["when"], *(e["fact"] for e in entry["evidence"]))),
                    "\n".join((entry["reason"], *(f"- {e['say']}" for e in entry["evidence"]))),
                    "made" if entry["on_request"] else "not made",
                ]
                for entry in document["left_out"]
            ],
        )
    for person in document["recipients"]["cc"]:
        printer.line(f"Cc of all mails: {person}")
    print_table(
        ["the base needs", "in", "for"],
        [
            [("no " if n["absent"] else "") + n["tokens"], " or ".join(n["files"]), n["reason"]]
            for n in document["needs"]
        ],
    )


def describe(variant: Variant) -> dict[str, Any]:
    """Return the document of --json."""
    head = variant.manifest.variant
    return {
        "name": head.name,
        "title": head.title,
        "help": head.help,
        "backends": list(head.backends),
        "patches": [
            {
                "name": patch.name,
                "backend": unit.backend,
                "semantic_patches": [rules.file for rules in patch.rules],
                "files": sorted({path for rules in patch.rules for path in rules.on}),
                "new_files": [new.path for new in patch.new_files],
                "probe": [f"{' or '.join(p.file)} has `{p.tokens}`" for p in patch.probe],
                "when": list(patch.when),
                "optional": patch.optional,
            }
            for unit in variant.units
            for patch in unit.manifest.patch
        ],
        "variables": [
            {"name": name, "type": v.type, "default": v.default, "help": v.help}
            for name, v in describe_variables(variant).items()
        ],
        "left_out": [entry for unit in variant.units for entry in _describe_left_out(unit)],
        "recipients": {
            "cc": list(
                dict.fromkeys(
                    person for unit in variant.units for person in unit.manifest.recipients.cc
                )
            )
        },
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
