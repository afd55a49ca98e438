# SPDX-License-Identifier: GPL-2.0-or-later
"""Create and move refs, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from patchgen.errors import RefusedError, ToolError
from patchgen.interrupts import put_off_interrupts
from patchgen.odb.repository import Repository

_LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")


def change_refs(
    repository: Repository, commands: Sequence[str], *options: str, written: str
) -> None:
    """Run commands of git-update-ref(1), "--stdin", in one transaction.

    `written` is what an interrupt reports to be written by then. Raises RefusedError, with git's
    message, if git refuses; it has a hint if another git's lock is the reason, or one left by a
    killed git.
    """
    lines = "\n".join(["start", *commands, "prepare", "commit", ""]).encode()
    try:
        with put_off_interrupts(f"{written} was written before"):
            # If it were killed along with patchgen, it would leave a REF.lock.
            repository.run("update-ref", "--stdin", *options, stdin=lines, detached=True)
    except ToolError as err:
        found = _LOCK.search(err.message)
        if found is None:
            raise RefusedError(err.message) from None
        # The rest is advice (git's lockfile.c).
        raise RefusedError(
            err.message.partition("\n\n")[0],
            hint="another git is running there, or one was killed; "
            f"if none runs, remove {found[1]}",
        ) from None
