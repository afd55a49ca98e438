# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of a manifest that `check`, which has no base, and the plan for a base both report."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from patchgen.errors import ErrorPlace, SpecError, suggest_name


class Manifest(Protocol):
    """A manifest whose values have places: its model (ManifestFile) or its TOML (RawManifest)."""

    def place(self, *where: str | int) -> ErrorPlace:
        """Return the place of a value; `where` are keys, and indices from 0."""


def refuse_fact(
    manifest: Manifest, condition: str, facts: Iterable[str], *where: str | int
) -> SpecError:
    """Return the error for a condition whose fact no manifest declares."""
    name = condition.removeprefix("!")
    return SpecError(
        f"unknown fact {name!r}",
        code="name-unknown",
        place=manifest.place(*where),
        hint=suggest_name(name, facts, "facts"),
    )


def refuse_rule(
    manifest: Manifest, file: str, name: str, names: Collection[str], *where: str | int
) -> SpecError:
    """Return the error for a rule in `must_fire` that the semantic patch does not have.

    `where` are the keys of the entry; `names` are those of the rules that it has.
    """
    hint = suggest_name(name, sorted(names), "rules")
    return SpecError(
        f"the semantic patch {file} has no rule {name!r}",
        code="name-unknown",
        place=manifest.place(*where, "must_fire", name),
        hint=hint if names else f"name a rule: @{name}@",
    )


def refuse_second(manifest: Manifest, *where: str | int) -> SpecError:
    """Return the error for a variable or a fact that two manifests declare differently."""
    return SpecError(
        "is declared twice with different content",
        code="toml-invalid",
        place=manifest.place(*where),
    )


def refuse_backend(manifest: Manifest, name: str, folder: str) -> SpecError:
    """Return the error for a backend whose name is not that of its folder."""
    return SpecError(
        f'is "{name}", but the folder is named backends/{folder}',
        code="toml-invalid",
        place=manifest.place("backend", "name"),
    )
