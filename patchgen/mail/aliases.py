# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's aliases for addresses, as git send-email reads them (sendemail.aliasesFile)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from patchgen.errors import ToolError
from patchgen.git_environment import reading_environment
from patchgen.odb import Repository
from patchgen.process import run


def find_aliases(repository: Repository) -> Callable[[str], bool]:
    """Return a function that tells whether a word is an alias; git is asked on its first use.

    That function raises ToolError if git cannot read the file of aliases.
    """

    @cache
    def list_aliases() -> frozenset[str]:
        configured = repository.run("config", "--get-all", "sendemail.aliasesFile", ok=None)
        if configured.returncode != 0:
            return frozenset()
        args = ["git", "send-email", "--dump-aliases"]
        done = run(args, cwd=repository.top, env=reading_environment(), ok=None)
        if done.returncode != 0:
            raise ToolError(f"git send-email cannot read the file of aliases: {done.errors}")
        return frozenset(done.stdout.decode("utf-8", "replace").split("\n"))

    return lambda name: name in list_aliases()
