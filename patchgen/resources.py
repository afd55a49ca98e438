"""Where the shipped templates and semantic patches are."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_folder(kind: str) -> Path:
    """Return the folder `templates` or `semantic-patches`.

    A checkout (or an editable install of one) has it beside the package; a wheel carries it
    inside, as pyproject.toml's force-include lays it. The checkout wins, because an editable
    install may leave a stale copy behind.
    """
    beside = _PACKAGE.parent / kind
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return _PACKAGE / "data" / kind


@cache
def digest_code() -> str:
    """Return a digest of patchgen's own code, which names what made a result.

    A version number would not do: it stays the same while the code is worked on, and between two
    machines that run different commits.
    """
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_PACKAGE)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
