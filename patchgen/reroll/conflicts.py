# SPDX-License-Identifier: GPL-2.0-or-later
"""A stopped reroll that waits for a person: conflicts as files, and their resolutions.

Format 1, in the repository's own folder, below `patchgen/reroll/`:

    state.json     {"format": 1, "request": {...}, "conflicts": [{"file", "key", "sides"}]}
    conflicts/     the conflicts of one patch: COMMIT-MESSAGE, or the file's own path, with markers;
                   if git cannot write markers, PATH.LABEL for each side that has the file
    resolved/KEY   a resolution from an earlier stop of the same reroll; KEY.deleted removes a file

A resolution is found by its conflict's key, so the whole reroll simply runs again with all of them:
no intermediate state is stored. Resolutions are written before anything else is removed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgen.errors import RefusedError, SpecError
from patchgen.odb import Conflict, Repository, Resolutions, has_markers
from patchgen.sourcefolder import read_regular

_FORMAT = 1
_DELETED = ".deleted"


@dataclass(frozen=True, slots=True)
class StoppedReroll:
    """A stopped reroll: its request, and the resolutions from all of its stops."""

    request: Mapping[str, Any]
    resolutions: Resolutions


def store_conflicts(
    repository: Repository,
    request: Mapping[str, Any],
    resolutions: Resolutions,
    conflicts: Sequence[Conflict],
) -> tuple[list[Path], list[Path]]:
    """Write the conflicts to files.

    Returns the files that a person has to edit, and those that contain one side of a conflict.
    """
    folder = _folder(repository)
    if not is_stopped(repository):
        forget_stopped(repository)
    (folder / "resolved").mkdir(parents=True, exist_ok=True)
    for key, content in resolutions.items():
        name = key if content is not None else key + _DELETED
        _write_atomically(folder / "resolved" / name, content or b"")
    state = {"format": _FORMAT, "request": dict(request), "conflicts": []}
    _write_state(folder, state)
    shutil.rmtree(folder / "conflicts", ignore_errors=True)
    entries = []
    marked_files: list[Path] = []
    side_files: list[Path] = []
    for conflict in conflicts:
        path = folder / "conflicts" / conflict.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not conflict.sides:
            path.write_bytes(conflict.content)
            marked_files.append(path)
        names = []
        for label, content in conflict.sides.items():
            side = path.with_name(f"{path.name}.{label}")
            side.write_bytes(content)
            side_files.append(side)
            names.append(f"{conflict.path}.{label}")
        entries.append({"file": str(conflict.path), "key": conflict.key, "sides": names})
    _write_state(folder, {**state, "conflicts": entries})
    return marked_files, side_files


def read_stopped(repository: Repository) -> StoppedReroll:
    """Return the stopped reroll, with a person's resolutions of its conflicts.

    Raises RefusedError if no reroll is waiting, or if a conflict is not resolved.
    """
    folder = _folder(repository)
    try:
        request, conflicts = _parse_state(read_regular(folder / "state.json"))
    except (FileNotFoundError, NotADirectoryError):
        raise RefusedError(
            "no reroll is waiting here",
            code="no-reroll-waiting",
            hint="`patchgen reroll BRANCH --onto REV` starts one",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SpecError) as err:
        raise RefusedError(
            f"{folder / 'state.json'} cannot be read: {getattr(err, 'message', repr(err))}",
            code="state-damaged",
            hint="`patchgen reroll --abort` removes it; then start again",
        ) from None
    resolutions: dict[str, bytes | None] = {}
    for path in (folder / "resolved").glob("*"):
        is_deleted = path.name.endswith(_DELETED)
        resolutions[path.name.removesuffix(_DELETED)] = None if is_deleted else path.read_bytes()
    for conflict in conflicts:
        resolutions[conflict.key] = _read_resolution(folder / "conflicts", conflict)
    return StoppedReroll(request, resolutions)


@dataclass(frozen=True, slots=True)
class _RecordedConflict:
    """A conflict as recorded in state.json."""

    file: str
    key: str
    sides: tuple[str, ...]


def _parse_state(content: bytes) -> tuple[Mapping[str, Any], list[_RecordedConflict]]:
    """Raises ValueError, KeyError or TypeError if `_write_state` did not write this."""
    state = json.loads(content)
    if state["format"] != _FORMAT:
        raise ValueError(f"it has format {state['format']!r}")
    conflicts = [
        _RecordedConflict(str(entry["file"]), str(entry["key"]), tuple(map(str, entry["sides"])))
        for entry in state["conflicts"]
    ]
    return dict(state["request"]), conflicts


def _read_resolution(folder: Path, conflict: _RecordedConflict) -> bytes | None:
    """Return a person's resolution of a conflict, None if the file is to be deleted."""
    path = folder / conflict.file
    for side in conflict.sides:
        if (folder / side).exists():
            raise RefusedError(
                f"{folder / side} is still there",
                code="conflict-unresolved",
                hint=f"write the intended content to {path}, from either side, and remove "
                "the sides; without it the file is deleted",
            )
    if conflict.sides and not path.exists():
        return None
    if not path.is_file():
        raise RefusedError(
            f"{path} is missing",
            code="conflict-unresolved",
            hint="`patchgen reroll --abort` ends the reroll",
        )
    content = path.read_bytes()
    if has_markers(content):
        raise RefusedError(
            f"{path} still has conflict markers",
            code="conflict-unresolved",
            hint="resolve them, then run `patchgen reroll --continue`",
        )
    return content


def is_stopped(repository: Repository) -> bool:
    """Return whether a reroll is waiting for a person."""
    # This includes a dangling link: `continue` refuses it, and `abort` removes it.
    return os.path.lexists(_folder(repository) / "state.json")


def refuse_second() -> RefusedError:
    """Return the error for a reroll that begins while another is waiting."""
    return RefusedError(
        "another reroll is waiting here for its conflicts",
        code="reroll-waiting",
        hint="`patchgen reroll --continue` resumes it, `--abort` ends it",
    )


def forget_stopped(repository: Repository) -> None:
    """Remove the state of a stopped reroll, state.json first in case this is interrupted."""
    with suppress(IsADirectoryError, NotADirectoryError):
        (_folder(repository) / "state.json").unlink(missing_ok=True)
    shutil.rmtree(_folder(repository), ignore_errors=True)


def _write_state(folder: Path, state: Mapping[str, Any]) -> None:
    _write_atomically(folder / "state.json", (json.dumps(state, indent=2) + "\n").encode())


def _write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically, even if patchgen is killed."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)


def _folder(repository: Repository) -> Path:
    return repository.git_dir / "patchgen" / "reroll"
