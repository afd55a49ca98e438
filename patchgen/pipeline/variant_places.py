# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of the variant that a series was made from, if its name does not lead there.

The record of a series names its variant, and b4 sends the record, so that it contains no path. The
folder is stored in the repository's own folder, which nobody else's branch can write to. Format 1:
`patchgen/variants/CHANGE-ID.json` is

    {"format": 1, "name": "...", "folder": "..."}

where the folder is an absolute path. Deleting it costs only the option --variant of a later reroll.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import PatchgenError, UsageError
from patchgen.odb import Repository
from patchgen.sourcefolder import read_regular
from patchgen.spec import Variant, list_named, load_variant

_FORMAT = 1
# Errors from reading a file that this module did not write.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, PatchgenError)


@dataclass(frozen=True, slots=True)
class VariantPlace:
    """A variant's name, or the path of its folder. `warnings` name other variants of the name."""

    name: str
    warnings: tuple[str, ...] = ()


def record_variant(repository: Repository, change_id: str, variant: Variant) -> None:
    """Store the folder of the variant that a series was made from, unless its name leads there."""
    path = _path(repository, change_id)
    if _is_named(variant):
        path.unlink(missing_ok=True)
        return
    document = {"format": _FORMAT, "name": variant.name, "folder": os.path.realpath(variant.folder)}
    path.parent.mkdir(parents=True, exist_ok=True)
    new_path = path.with_suffix(".new")
    new_path.write_text(json.dumps(document) + "\n")
    new_path.replace(path)


def find_recorded_variant(repository: Repository, change_id: str, name: str) -> VariantPlace:
    """Return where the variant of a series is: the stored folder, or else its name.

    The folder is used only if its variant still has the name that the series records. Raises
    UsageError if neither leads to a variant.
    """
    named = next((variant for variant in list_named() if variant.name == name), None)
    folder = _read_folder(repository, change_id, name)
    if folder is not None and _has_variant(folder, name):
        if named is None or os.path.realpath(named.path) == os.path.realpath(folder):
            return VariantPlace(str(folder))
        warning = (
            f"{name} is the variant in {folder}, from which the series was made, not the one in "
            f"{named.path}; --variant chooses another"
        )
        return VariantPlace(str(folder), (warning,))
    # A stranger may have written the branch: a path in it leads nowhere.
    is_name = "/" not in name and not name.startswith(".")
    if named is not None or (is_name and Path(name, "manifest.toml").is_file()):
        return VariantPlace(name)
    gone = f": {folder}, from which the series was made, no longer has it" if folder else ""
    raise UsageError(
        f"unknown variant {name!r}{gone}",
        code="variant-unknown",
        hint="`--variant FOLDER` names the folder of a variant of your own",
    )


def _is_named(variant: Variant) -> bool:
    """Return whether the variant's name leads to its folder from each current folder."""
    return any(
        named.name == variant.name
        and named.origin != "current folder"
        and os.path.realpath(named.path) == os.path.realpath(variant.folder)
        for named in list_named()
    )


def _has_variant(folder: Path, name: str) -> bool:
    """Return whether a folder has a variant of this name; a broken one is reported later."""
    try:
        return load_variant(folder).name == name
    except PatchgenError:
        return (folder / "manifest.toml").is_file()


def _read_folder(repository: Repository, change_id: str, name: str) -> Path | None:
    """Return the stored folder, None if none is stored for a variant of this name."""
    try:
        document = json.loads(read_regular(_path(repository, change_id)))
        folder = Path(document["folder"])
        is_valid = document["format"] == _FORMAT and document["name"] == name
        return folder if is_valid and folder.is_absolute() else None
    except _UNREADABLE:
        return None


def _path(repository: Repository, change_id: str) -> Path:
    """Return where the folder of a series is stored."""
    # series/tracking.py refuses a change-id that is not the name of a file.
    return repository.git_dir / "patchgen" / "variants" / f"{change_id}.json"
