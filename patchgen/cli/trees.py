# SPDX-License-Identifier: GPL-2.0-or-later
"""The options of all commands that read a git tree, and what errors about it have to tell.

The library says what is missing or wrong in the repository; which option the user gave it with, or
can give to mend it, is known here.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from patchgen.cli.printer import echo
from patchgen.errors import MissingObjectsError, RevisionError
from patchgen.odb import Repository, fetch_objects, find_promisors

_Command = Callable[..., Any]


def tree_option(command: _Command) -> _Command:
    """Add --tree and --fetch-missing to a command, which gets the first of them only.

    The command is run again once objects were fetched: what it needs further shows only then. So it
    must not have written anything where it raises MissingObjectsError.
    """

    @click.option(
        "--tree",
        type=click.Path(path_type=Path),
        default=Path(),
        metavar="DIR",
        help="The kernel's git repository.  [default: .]",
    )
    @click.option(
        "--fetch-missing",
        is_flag=True,
        help="In a partial clone, fetch the objects that are needed and missing.",
    )
    @functools.wraps(command)
    def run(*, tree: Path, fetch_missing: bool, **options: Any) -> Any:
        context = click.get_current_context()
        stdin = sys.stdin.buffer.read() if fetch_missing and _reads_stdin(context) else None
        fetched: set[str] = set()
        while True:
            if stdin is not None:
                sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
            try:
                return command(tree=tree, **options)
            except RevisionError as err:
                err.hint = err.hint or _name_parameter(context, err.revision)
                raise
            except MissingObjectsError as err:
                if not fetch_missing or fetched.intersection(err.oids):
                    err.hint = _advise(tree, has_fetched=bool(fetched))
                    raise
                fetched.update(err.oids)
                _fetch(tree, err)

    return run


def _fetch(tree: Path, err: MissingObjectsError) -> None:
    repository = Repository(tree)
    try:
        remotes = ", ".join(find_promisors(repository)) or "nowhere"
        objects = "object" if len(err.oids) == 1 else "objects"
        echo(f"fetching {len(err.oids):,} missing {objects} from {remotes}", err=True)
        fetch_objects(repository, err.oids)
    finally:
        repository.close()


def _advise(tree: Path, *, has_fetched: bool) -> str:
    """Return what the user can do about missing objects."""
    repository = Repository(tree)
    try:
        remotes = find_promisors(repository)
    finally:
        repository.close()
    if remotes and not has_fetched:
        return f"it is a partial clone: --fetch-missing fetches them from {', '.join(remotes)}"
    return "`git fsck` lists what is missing; fetch it from a repository that has it"


def _reads_stdin(context: click.Context) -> bool:
    return any("-" in _texts(value) for value in context.params.values())


def _name_parameter(context: click.Context, revision: str) -> str | None:
    """Return which option or argument takes revisions, where the user wrote this one in it."""
    for parameter in context.command.params:
        for text in _texts(context.params.get(parameter.name or "")):
            if revision == text or revision in text.split(".."):
                is_option = isinstance(parameter, click.Option)
                name = max(parameter.opts, key=len) if is_option else parameter.human_readable_name
                return f"{name} takes a branch, a tag or a commit id"
    return None


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [each for each in values if isinstance(each, str)]
