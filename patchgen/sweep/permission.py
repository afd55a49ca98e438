# SPDX-License-Identifier: GPL-2.0-or-later
"""Decide which semantic patches may run code: by the options of a run, or by the user's trust."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from patchgen.errors import SpecError
from patchgen.odb import Repository
from patchgen.sweep.cocci_file import CocciFile
from patchgen.sweep.request import RunRequest
from patchgen.sweep.untrusted import advise_trust, refuse_untrusted
from patchgen.truststore import TrustEntry, are_trusted, find_file, read_trust


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
        raise _changed(cocci, request, _find_diff(repository, place[1], earlier), earlier.date)
    return False


def locate(repository: Repository | None, name: str) -> tuple[str, str]:
    """Return the repository that contains a file or folder ("" if none), and its path there."""
    path = Path(name)
    if repository is None:
        return "", os.path.realpath(path)
    if not path.exists():
        return str(repository.git_dir), os.path.normpath(name)
    path = Path(os.path.realpath(path))
    top = Path(os.path.realpath(repository.work_tree)) if repository.work_tree else None
    if top is None or not path.is_relative_to(top):
        return "", str(path)
    return str(repository.git_dir), str(path.relative_to(top))


def _find_diff(repository: Repository, path: str, earlier: TrustEntry) -> str:
    """Return the command that shows what changed in a file since it was trusted, "" if none can."""
    if not earlier.commit:
        return ""
    top = str(repository.top)
    at_top = () if os.path.realpath(top) == os.path.realpath(".") else ("-C", top)
    return shlex.join(["git", *at_top, "diff", earlier.commit[:12], "--", path])


def _changed(cocci: CocciFile, request: RunRequest, diff: str, date: str) -> SpecError:
    first = cocci.code[0]
    advice = f"`{diff}` shows how" if diff else "read it"
    trust = advise_trust(cocci.name, request, cocci.text if cocci.is_recorded else None)
    return refuse_untrusted(
        cocci.name,
        first,
        f"{advice}; then {trust}",
        f"the semantic patch has changed since you trusted it on {date}: {first.why}",
    )
