# SPDX-License-Identifier: GPL-2.0-or-later
"""Get objects that a partial clone lacks with one `git fetch`, as git itself does.

The command is that of fetch_objects() in git's promisor-remote.c. With --filter=blob:none, a tree
is sent with all trees below it, and an explicitly named blob is sent nevertheless.
"""

from __future__ import annotations

from collections.abc import Sequence

from patchgen.errors import MissingObjectsError, RefusedError, ToolError
from patchgen.git_environment import fetching_environment
from patchgen.model.base import Oid
from patchgen.odb.missing import find_missing
from patchgen.odb.repository import Repository
from patchgen.process import run

_OPTIONS = (
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--recurse-submodules=no",
    "--filter=blob:none",
    "--stdin",
)
_PROMISED = (r"^remote\..*\.promisor$", r"^remote\..*\.partialclonefilter$")


def find_promisors(repository: Repository) -> tuple[str, ...]:
    """Return the remotes that promised the missing objects (git-config(1), remote.*.promisor)."""
    names = dict.fromkeys(repository.read_config("extensions.partialclone"))
    for pattern in _PROMISED:
        kind = ("--type=bool",) if pattern.endswith("promisor$") else ()
        args = ("config", "--null", *kind, "--get-regexp", pattern)
        listed = repository.run(*args, ok=(0, 1)).stdout.decode("utf-8", "surrogateescape")
        for entry in listed.split("\0"):
            key, _, value = entry.partition("\n")
            if key and value != "false":
                names[key.removeprefix("remote.").rpartition(".")[0]] = None
    return tuple(name for name in names if name)


def fetch_objects(repository: Repository, oids: Sequence[str]) -> None:
    """Fetch objects from the remotes that promised them, each remote what the others lacked.

    Git asks for passwords as the user has configured it. Raises RefusedError if no remote has
    promised anything, ToolError if git cannot fetch, and MissingObjectsError for objects that no
    remote has.
    """
    remotes = find_promisors(repository)
    if not remotes:
        raise RefusedError(
            f"{repository.top} is not a partial clone: no remote promised the missing objects",
            code="not-partial",
        )
    missing = tuple(map(Oid, oids))
    refusals = []
    for remote in remotes:
        argv = ["git", "--git-dir", str(repository.git_dir), "fetch", *_OPTIONS, "--", remote]
        stdin = "".join(f"{oid}\n" for oid in missing).encode()
        try:
            run(argv, stdin=stdin, env=fetching_environment())
        except ToolError as err:
            refusals.append(err)
        missing = find_missing(repository, missing)
        if not missing:
            return
    if refusals:
        raise refusals[0]
    raise MissingObjectsError(missing)
