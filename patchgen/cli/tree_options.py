# SPDX-License-Identifier: GPL-2.0-or-later
"""The options of all commands that read a git tree, its paths, and hints for errors about it.

The library reports the fault in the repository. This module adds the option that has the wrong
value, or the option that helps.
"""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click

from patchgen.cli.printer import announce
from patchgen.errors import MissingObjectsError, RevisionError, UsageError
from patchgen.odb import Repository, fetch_objects, find_promisors

_Command = Callable[..., Any]


def tree_option(command: _Command) -> _Command:
    """Add --tree, by default the current folder, and --fetch-missing to a command."""
    meaning = "The kernel's git tree; PATHs are relative to this folder.  [default: .]"
    return _add_tree(command, meaning, Path())


def optional_tree_option(meaning: str) -> Callable[[_Command], _Command]:
    """Return --tree, by default None, and --fetch-missing."""
    return functools.partial(_add_tree, meaning=meaning, default=None)


def _add_tree(command: _Command, meaning: str, default: Path | None) -> _Command:
    """Add --tree and --fetch-missing to a command; only --tree is passed on to it.

    The command is run again after objects were fetched, as it may then find that it needs more. So
    it must raise MissingObjectsError before it writes anything.
    """

    @click.option(
        "--tree",
        type=click.Path(path_type=Path),
        default=default,
        metavar="DIR",
        help=meaning,
    )
    @click.option(
        "--fetch-missing",
        is_flag=True,
        help="In a partial clone, fetch the missing objects that the command needs.",
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


def resolve_paths(tree: Path, names: Sequence[str]) -> tuple[PurePosixPath, ...]:
    """Return paths from the top of the tree, for names that are relative to `tree`, as in git -C.

    Raises UsageError for a name that is empty or leads out of the tree, RefusedError if `tree` is
    not in a repository.
    """
    if not names:
        return ()
    repository = Repository(tree)
    repository.close()
    folder = Path(os.path.realpath(tree))
    top = repository.work_tree or folder
    paths = []
    for name in names:
        # Like git, do not follow links: `link/..` is the folder that has the link.
        path = Path(os.path.normpath(folder / name))
        if not name or not path.is_relative_to(top):
            raise UsageError(
                f"{name!r} is not a path in the tree",
                code="path-unknown",
                hint="a path is relative to the current folder, or to the tree that is named",
                parameters=("tree",),
            )
        paths.append(PurePosixPath(path.relative_to(top)))
    return tuple(paths)


def _fetch(tree: Path, err: MissingObjectsError) -> None:
    repository = Repository(tree)
    try:
        remotes = ", ".join(find_promisors(repository)) or "nowhere"
        objects = "object" if len(err.oids) == 1 else "objects"
        announce(f"fetching {len(err.oids):,} missing {objects} from {remotes}")
        fetch_objects(repository, err.oids)
    finally:
        repository.close()


def _advise(tree: Path, *, has_fetched: bool) -> str:
    """Return the hint for missing objects."""
    repository = Repository(tree)
    try:
        remotes = find_promisors(repository)
    finally:
        repository.close()
    if remotes and not has_fetched:
        return f"this is a partial clone: --fetch-missing fetches them from {', '.join(remotes)}"
    return "`git fsck` lists the missing objects; fetch them from a repository that has them"


def _reads_stdin(context: click.Context) -> bool:
    return any("-" in _list_texts(value) for value in context.params.values())


def _name_parameter(context: click.Context, revision: str) -> str | None:
    """Return a hint that names the option or argument with this revision, or None."""
    for parameter in context.command.params:
        for text in _list_texts(context.params.get(parameter.name or "")):
            if revision == text or revision in text.split(".."):
                is_option = isinstance(parameter, click.Option)
                name = max(parameter.opts, key=len) if is_option else parameter.human_readable_name
                if not is_option and revision != text:
                    name = f"each end of {text}"
                elif not is_option and not name.isalpha():
                    # The other values, such as a folder, are not revisions.
                    return "name a branch, a tag or a commit id"
                return f"{name} takes a branch, a tag or a commit id"
    return None


def _list_texts(value: object) -> list[str]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [entry for entry in values if isinstance(entry, str)]
