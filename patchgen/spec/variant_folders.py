# SPDX-License-Identifier: GPL-2.0-or-later
"""The folders in which variants are looked up by name, in order.

They are `semantic-patches` in the current folder, `$XDG_DATA_HOME/patchgen/semantic-patches`
(`~/.local/share` by default), the folders that installed Python packages name, and the shipped one.
In each, a variant is a folder with a manifest.toml. A package names its folder by an entry point of
the group `patchgen.variants`:

    [project.entry-points."patchgen.variants"]
    mine = "mypackage.variants"

Variants are then looked up in `mypackage/variants`, too. patchgen does not import Python code from
there, but Python imports the packages above it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from patchgen.errors import SpecError
from patchgen.paths import absolute_path
from patchgen.resources import shipped_folder
from patchgen.userfolder import user_folder

FOLDER = "semantic-patches"
MANIFEST = "manifest.toml"
GROUP = "patchgen.variants"


@dataclass(frozen=True, slots=True)
class VariantFolder:
    """A folder with variants. `origin` names its owner in messages."""

    origin: str
    path: Path

    def list_names(self) -> list[str]:
        """Return the names of its variants, sorted."""
        return sorted(manifest.parent.name for manifest in self.path.glob(f"*/{MANIFEST}"))


@dataclass(frozen=True, slots=True)
class NamedVariant:
    """The folder of a variant. `shadowed` are later folders with a variant of the same name."""

    name: str
    origin: str
    path: Path
    shadowed: tuple[Path, ...] = ()


def list_folders() -> list[VariantFolder]:
    """Return the folders that exist, in the order of the search, each once.

    Raises SpecError for an installed package whose folder does not exist.
    """
    shipped = VariantFolder("shipped", shipped_folder(FOLDER))
    candidates = [
        VariantFolder("current folder", Path(FOLDER)),
        VariantFolder("user", user_folder("XDG_DATA_HOME", ".local/share") / "patchgen" / FOLDER),
        *_list_installed(),
    ]
    # In a checkout of patchgen, the shipped folder is below the current one.
    seen = {os.path.realpath(shipped.path)}
    folders = []
    for folder in candidates:
        real_path = os.path.realpath(folder.path)
        if folder.path.is_dir() and real_path not in seen:
            seen.add(real_path)
            folders.append(folder)
    return [*folders, shipped]


def list_named() -> list[NamedVariant]:
    """Return all variants by name, sorted; the same name in several folders is one variant."""
    places: dict[str, list[NamedVariant]] = {}
    for folder in list_folders():
        for name in folder.list_names():
            place = NamedVariant(name, folder.origin, folder.path / name)
            places.setdefault(name, []).append(place)
    return [
        NamedVariant(name, first.origin, first.path, tuple(other.path for other in others))
        for name, (first, *others) in sorted(places.items())
    ]


def list_names() -> list[str]:
    """Return the names of all variants, sorted."""
    return [variant.name for variant in list_named()]


def find_variant_above(path: Path) -> Path | None:
    """Return the folder of the variant that has a file, or None."""
    for folder in _list_above(path):
        if (folder / MANIFEST).is_file():
            above = absolute_path(folder).parent
            is_backend = above.name == "backends" and (above.parent / MANIFEST).is_file()
            return above.parent if is_backend else folder
    return None


def _list_above(path: Path) -> Iterator[Path]:
    """Yield the folders above a file, as the user named them if possible."""
    for folder in path.parents:
        yield folder
        # The parent of X/.. is not X.
        if folder.name == "..":
            break
    yield from absolute_path(path).parents


def _list_installed() -> Iterator[VariantFolder]:
    for entry in sorted(entry_points(group=GROUP)):
        origin = f"package {entry.dist.name}" if entry.dist else f"entry point {entry.name}"
        for path in _find_module_folders(entry):
            yield VariantFolder(origin, path)


def _find_module_folders(entry: EntryPoint) -> list[Path]:
    try:
        spec = find_spec(entry.module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        owner = f"the package {entry.dist.name}" if entry.dist else "an installed package"
        raise SpecError(
            f"{owner} names the folder {entry.value} for variants, which does not exist",
            code="file-missing",
            hint=f"its entry point {entry.name} in the group {GROUP} must name a package's folder",
        )
    return list(map(Path, spec.submodule_search_locations))
