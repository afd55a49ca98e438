# SPDX-License-Identifier: GPL-2.0-or-later
"""The error for a semantic patch that would run code and is not trusted, and how to trust it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from patchgen.coccinelle import RiskyLine
from patchgen.errors import ErrorPlace, SpecError
from patchgen.paths import name_recorded
from patchgen.sweep.request import RunRequest


def refuse_untrusted(name: str, line: RiskyLine, hint: str, why: str | None = None) -> SpecError:
    """Return the error for a line of the semantic patch `name`; `why` defaults to the line's."""
    return SpecError(
        why or line.why,
        code="not-trusted",
        place=ErrorPlace(name, line.line, excerpt=line.text),
        hint=hint,
        parameters=("trusted", "trusted_folders"),
    )


def advise_trust(name: str, request: RunRequest | None, recorded: str | None) -> str:
    """Return the command that trusts a semantic patch: it works in the current folder.

    `recorded` is the text that the record of a series has, None for a semantic patch on disk or in
    the tree. Only the name of a recorded file may be known.
    """
    if recorded is not None and not _has_text(name, recorded):
        command = shlex.join(["patchgen", "trust", name_recorded(name)])
        return f"`{command}` trusts a file that has the text of the record"
    args = ["patchgen", "trust", name]
    if request is not None and request.tree != Path():
        args += ["--tree", str(request.tree)]
    if request is not None and request.base != "HEAD" and not os.path.lexists(name):
        args += ["--rev", request.base]
    return f"`{shlex.join(args)}` trusts it as it is now"


def _has_text(name: str, text: str) -> bool:
    path = Path(name)
    return path.is_file() and path.read_bytes() == text.encode("utf-8", "surrogateescape")
