"""A reroll that waits for a person: the conflicts as files, and what the person made of them.

Format 1, in the repository's own folder, below `patchgen/reroll/`:

    state.json     {"format": 1, "branch": ..., "request": {...}, "conflicts": [{"file", "key"}]}
    conflicts/     the conflicts of one patch, with markers: COMMIT-MESSAGE, or the file's own path
    resolved/KEY   a resolution of an earlier stop of the same reroll

A resolution is known by its conflict's key, so the whole reroll simply runs again with all of them:
nothing half done is kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgen.errors import BaseError
from patchgen.odb import Conflict, Repository, has_markers

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reroll that stopped: the words that it was asked with, and the resolutions by key."""

    request: Mapping[str, Any]
    resolutions: Mapping[str, bytes]


def stop_for(
    repository: Repository,
    request: Mapping[str, Any],
    resolutions: Mapping[str, bytes],
    conflicts: Sequence[Conflict],
) -> list[Path]:
    """Write the conflicts down, and return the files that a person has to edit."""
    folder = _folder(repository)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "resolved").mkdir(parents=True)
    for key, content in resolutions.items():
        (folder / "resolved" / key).write_bytes(content)
    entries = []
    paths = []
    for conflict in conflicts:
        path = folder / "conflicts" / conflict.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(conflict.content)
        entries.append({"file": str(conflict.path), "key": conflict.key})
        paths.append(path)
    state = {"format": _FORMAT, "request": dict(request), "conflicts": entries}
    (folder / "state.json").write_text(json.dumps(state, indent=2) + "\n")
    return paths


def read_waiting(repository: Repository) -> Waiting:
    """Return the reroll that waits, with what a person made of its conflicts.

    Raises BaseError where none waits, or where a file still has markers.
    """
    folder = _folder(repository)
    try:
        state = json.loads((folder / "state.json").read_text())
    except FileNotFoundError:
        raise BaseError(
            "no reroll waits here", hint="`patchgen reroll BRANCH --base REV` begins one"
        ) from None
    except ValueError:
        raise BaseError(
            f"{folder / 'state.json'} cannot be read",
            hint="`patchgen reroll --abort` removes it; then begin again",
        ) from None
    resolutions = {path.name: path.read_bytes() for path in (folder / "resolved").iterdir()}
    for entry in state["conflicts"]:
        path = folder / "conflicts" / entry["file"]
        if not path.is_file():
            raise BaseError(f"{path} is gone", hint="`patchgen reroll --abort` gives the reroll up")
        content = path.read_bytes()
        if has_markers(content):
            raise BaseError(
                f"{path} still has conflict markers",
                hint="edit it until it reads as it should, then `patchgen reroll --continue`",
            )
        resolutions[entry["key"]] = content
    return Waiting(state["request"], resolutions)


def is_waiting(repository: Repository) -> bool:
    """Tell whether a reroll waits for a person."""
    return (_folder(repository) / "state.json").exists()


def forget(repository: Repository) -> None:
    """Remove what a reroll waits with."""
    shutil.rmtree(_folder(repository), ignore_errors=True)


def _folder(repository: Repository) -> Path:
    return repository.git_dir / "patchgen" / "reroll"
