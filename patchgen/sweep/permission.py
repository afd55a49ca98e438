# SPDX-License-Identifier: GPL-2.0-or-later
"""Decide which semantic patches may run code: by the options of a run, or by the user's trust."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from patchgen.errors import ErrorPlace, SpecError
from patchgen.odb import Repository
from patchgen.sweep.cocci_file import CocciFile
from patchgen.sweep.request import RunRequest
from patchgen.truststore import are_trusted, find_file, read_trust


def may_run_code(repository: Repository, request: RunRequest, cocci: CocciFile) -> bool:
    """Return whether a semantic patch may run code. Raises SpecError if it changed after trusting.

    Also raises PatchgenError if the trust store cannot be used.
    """
    file = Path(os.path.realpath(cocci.name))
    folders = (Path(os.path.realpath(folder)) for folder in request.trusted_folders)
    if request.trusted or any(file.is_relative_to(folder) for folder in folders):
        return True
    entries = read_trust()
    if are_trusted(entries, cocci.texts):
        return True
    place = locate(repository, cocci.name)
    earlier = find_file(entries, *place)
    if earlier is not None:
        raise _changed(cocci, place[1], earlier.date, earlier.commit)
    return False


def locate(repository: Repository, name: str) -> tuple[str, str]:
    """Return the repository that contains a file or folder ("" if none), and its path there."""
    path = Path(name)
    if not path.exists():
        return str(repository.git_dir), os.path.normpath(name)
    path = Path(os.path.realpath(path))
    top = Path(os.path.realpath(repository.work_tree)) if repository.work_tree else None
    if top is None or not path.is_relative_to(top):
        return "", str(path)
    return str(repository.git_dir), str(path.relative_to(top))


def _changed(cocci: CocciFile, path: str, date: str, commit: str) -> SpecError:
    first = cocci.code[0]
    advice = f"`git diff {commit[:12]} -- {shlex.quote(path)}` shows how" if commit else "read it"
    return SpecError(
        f"the semantic patch has changed since you trusted it on {date}: {first.why}",
        code="not-trusted",
        place=ErrorPlace(cocci.name, first.line, excerpt=first.text),
        hint=f"{advice}; then `patchgen trust {shlex.quote(cocci.name)}` trusts it again",
        parameters=("trusted", "trusted_folders"),
    )
