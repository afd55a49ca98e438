# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed git: its version and its commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from patchgen.errors import ToolError
from patchgen.process import run

MINIMUM_GIT = (2, 39)


def git_version() -> str:
    """Return git's version. Raises ToolError if git is missing or too old."""
    output = run(["git", "--version"]).stdout.decode()
    match = re.search(r"(\d+)\.(\d+)(?:\.\d+)*", output)
    if match is None:
        raise ToolError(f"git does not report its version: {output.strip()!r}")
    if (int(match[1]), int(match[2])) < MINIMUM_GIT:
        minimum = ".".join(map(str, MINIMUM_GIT))
        raise ToolError(f"git {match[0]} is too old; version {minimum} or later is needed")
    return match[0]


def find_git_subcommand(name: str) -> Callable[[], str]:
    """Return a function that returns the path of a git subcommand, or raises ToolError."""

    def find() -> str:
        path = Path(run(["git", "--exec-path"]).stdout.decode().strip()) / f"git-{name}"
        if not path.is_file():
            raise ToolError("not installed")
        return str(path)

    return find
