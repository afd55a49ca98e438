# SPDX-License-Identifier: GPL-2.0-or-later
"""Find variants by the name or path that the user gives."""

from __future__ import annotations

import difflib
from pathlib import Path

from patchgen.errors import UsageError
from patchgen.resources import shipped_folder
from patchgen.spec.manifest import FILE_NAME
from patchgen.spec.variant import Variant, load_variant


def list_names() -> list[str]:
    """Return the names of all shipped variants, sorted."""
    return sorted(p.parent.name for p in shipped_folder("semantic-patches").glob(f"*/{FILE_NAME}"))


def list_variants() -> list[Variant]:
    """Load all shipped variants, sorted by name."""
    return [load_variant(shipped_folder("semantic-patches") / name) for name in list_names()]


def find_variant(name: str) -> Variant:
    """Load a shipped variant by its name, or any variant by the path of its folder.

    Raises UsageError with the nearest known name if no shipped variant has that name.
    """
    if "/" in name or name.startswith("."):
        return load_variant(Path(name))
    folder = shipped_folder("semantic-patches") / name
    if (folder / FILE_NAME).is_file():
        return load_variant(folder)
    known = list_names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known variants: {', '.join(known)}"
    raise UsageError(
        f"unknown variant {name!r}", hint=hint + " (the path of a folder must contain a /)"
    )
