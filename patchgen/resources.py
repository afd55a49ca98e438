"""Where the shipped templates and semantic patches are."""

from __future__ import annotations

import hashlib
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


def digest_folder(folder: Path) -> str:
    """Return a digest of all files in a folder, by their paths in it and their contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
