# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped recipes: semantic patches for treewide conversions of the kernel.

Each is a folder `semantic-patches/kernel/NAME` with NAME.cocci, whose `///` lines say why, and its
golden cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from patchgen.coccinelle import decode_cocci, read_header
from patchgen.errors import UsageError
from patchgen.resources import shipped_folder


@dataclass(frozen=True, slots=True)
class Recipe:
    """A shipped semantic patch, by its name; `path` is its .cocci."""

    name: str
    path: Path

    @property
    def title(self) -> str:
        """What it does: the first line of its `///` text."""
        text = decode_cocci(self.path.read_bytes(), str(self.path))
        return read_header(text).purpose.partition("\n")[0]


def list_recipes() -> list[Recipe]:
    """Return all shipped recipes, sorted by name."""
    folder = shipped_folder("semantic-patches") / "kernel"
    paths = (path for path in folder.glob("*/*.cocci") if path.stem == path.parent.name)
    return [Recipe(path.stem, path) for path in sorted(paths)]


def find_recipe(name: str) -> Recipe | None:
    """Return the recipe of a name; None if it does not exist, or if a file has this name.

    Raises UsageError if a shipped variant has the same name.
    """
    if "/" in name or name.startswith(".") or Path(name).exists():
        return None
    folder = shipped_folder("semantic-patches")
    path = folder / "kernel" / name / f"{name}.cocci"
    if not path.is_file():
        return None
    if (folder / name / "manifest.toml").is_file():
        raise UsageError(
            f"{name} is both a recipe and a variant",
            code="variant-unknown",
            hint=f"name {path} or {folder / name}",
        )
    return Recipe(name, path)
