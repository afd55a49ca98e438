# SPDX-License-Identifier: GPL-2.0-or-later
"""The error for a target of `run` or `test` that names no semantic patch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from patchgen.errors import UsageError, find_similar


def refuse_target(target: str, others: Sequence[str], names: Sequence[str] = ()) -> UsageError:
    """Return the error for a target without a .cocci.

    `others` are the kinds of names that the command also takes, and `names` such names that the
    user may have meant.
    """
    path = Path(target)
    siblings = {str(other): other.name for other in path.parent.glob("*.cocci")}
    if path.is_dir():
        message = f"the folder {target} has no .cocci file"
        siblings = {}
    elif os.path.lexists(path):
        message = f"{target} is not a semantic patch"
    elif path.suffix == ".cocci" or "/" in target:
        message = f"no such file or folder: {target}"
    else:
        message = f"{target} is not {_enumerate(['a file', *others])}"
    similar = find_similar(path.name, siblings.values())
    found = next((other for other, name in siblings.items() if name == similar), None)
    found = found or find_similar(target, names)
    return UsageError(
        message,
        code="semantic-patch-unknown",
        hint=f"did you mean {found!r}?"
        if found
        else f"name {_enumerate(['a .cocci', 'a folder of them', *others])} (`patchgen variants`)",
    )


def _enumerate(kinds: Sequence[str]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
