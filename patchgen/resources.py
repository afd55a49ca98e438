# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the shipped templates, semantic patches and guides."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(kind: str) -> Path:
    """Return the folder `templates`, `semantic-patches` or `docs`.

    A checkout (or an editable install of one) has it next to the package; a wheel has it inside the
    package, as configured by pyproject.toml and hatch_build.py. The checkout wins, because an
    editable install may leave a stale copy in site-packages.
    """
    sources = find_source_folder()
    return (sources or _PACKAGE / "data") / kind


def find_source_folder() -> Path | None:
    """Return the checkout or unpacked sdist that this code runs from, None for an installation."""
    folder = _PACKAGE.parent
    return folder if (folder / "pyproject.toml").is_file() else None


def read_schema(name: str) -> str:
    """Return the shipped JSON schema of a file that people write: one of spec.schema.SCHEMAS."""
    return (_PACKAGE / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")


@cache
def digest_code() -> str:
    """Return a digest of patchgen's own code, which identifies the code that made a result.

    A version number is not enough: it stays the same during development, and on machines that run
    different commits.
    """
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_PACKAGE)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
