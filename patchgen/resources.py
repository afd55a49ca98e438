"""Where the shipped templates and semantic patches are."""

from __future__ import annotations

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
