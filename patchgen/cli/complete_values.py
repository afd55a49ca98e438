# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the values of options and arguments that a shell can complete.

The metavar of a parameter names the kinds of its values: BRANCH, REV, FILE|RECIPE. If a metavar is
too general, such as NAME, a function of complete_names.py completes the values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from patchgen.errors import PatchgenError

_Item = CompletionItem[str]
_Lister = Callable[[click.Context, str], Iterator[_Item]]


def list_paths(folder: Path, incomplete: str, *, only_folders: bool = False) -> Iterator[_Item]:
    """Yield the names in a folder that complete a path; folders end with a slash."""
    above, _, start = incomplete.rpartition("/")
    parent = f"{above}/" if above or incomplete.startswith("/") else ""
    try:
        entries = sorted((folder / parent).iterdir())
    except OSError:
        return
    for entry in entries:
        is_hidden = entry.name.startswith(".") and not start.startswith(".")
        if not entry.name.startswith(start) or is_hidden:
            continue
        if entry.is_dir():
            yield CompletionItem(f"{parent}{entry.name}/")
        elif not only_folders:
            yield CompletionItem(f"{parent}{entry.name}")


def _list_refs(ctx: click.Context, *kinds: str) -> list[str]:
    """Return the short names of refs, newest first, of the tree that the command reads."""
    from patchgen.git_environment import reading_environment
    from patchgen.process import run

    tree = str(ctx.params.get("tree") or ".")
    args = ("for-each-ref", "--sort=-creatordate", "--format=%(refname:lstrip=2)", *kinds)
    return run(["git", "-C", tree, *args], env=reading_environment(), ok=None).lines


def complete_branch(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return the branches: one that is created may replace one, or have a name like it."""
    return [item for item in _list_branches(ctx, incomplete) if item.value.startswith(incomplete)]


def _list_branches(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    for name in _list_refs(ctx, "refs/heads"):
        yield CompletionItem(name)


def _list_revisions(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    yield CompletionItem("HEAD")
    for name in _list_refs(ctx, "refs/heads", "refs/remotes", "refs/tags"):
        yield CompletionItem(name)


def _list_ranges(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    first, dots, _ = incomplete.partition("..")
    for item in _list_revisions(ctx, incomplete):
        yield CompletionItem(f"{first}..{item.value}" if dots else f"{item.value}..")


def _list_variants(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    """Yield the names of variants; if no name begins with the text, complete folders."""
    from patchgen.spec import list_names

    names = [name for name in list_names() if name.startswith(incomplete)]
    for name in names:
        yield CompletionItem(name, help="variant")
    if not names:
        yield from _complete_folders(ctx, incomplete)


def _list_recipes(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    from patchgen.spec import list_recipes

    for recipe in list_recipes():
        yield CompletionItem(recipe.name, help="recipe")


def _list_trusted(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    from patchgen.truststore import read_trust

    with suppress(PatchgenError):
        for entry in read_trust():
            yield CompletionItem(entry.id, help=entry.path)


def _list_tree_paths(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    """Yield paths below --tree; without it, the shell completes files."""
    tree = ctx.params.get("tree")
    if tree in (None, Path()):
        yield from _complete_files(ctx, incomplete)
    else:
        yield from list_paths(tree, incomplete)


def _complete_files(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    yield CompletionItem(incomplete, type="file")


def _complete_folders(ctx: click.Context, incomplete: str) -> Iterator[_Item]:
    yield CompletionItem(incomplete, type="dir")


_LISTERS: dict[str, _Lister] = {
    "BRANCH": _list_branches,
    "COMMIT": _list_revisions,
    "REV": _list_revisions,
    "BASE..TIP": _list_ranges,
    "REV1..REV2": _list_ranges,
    "VARIANT": _list_variants,
    "RECIPE": _list_recipes,
    "DIR": _complete_folders,
    "MAILDIR": _complete_folders,
    "PATH": _list_tree_paths,
    "PATTERN": _list_tree_paths,
    "ID": _list_trusted,
    "FILE": _complete_files,
    "FILE.cocci": _complete_files,
    "CONFIG": _complete_files,
    "MBOX": _complete_files,
    "PROGRAM": _complete_files,
}


class _CompletedType(click.ParamType):  # type: ignore[type-arg]
    """The type of a parameter, with completions that its metavar names."""

    def __init__(self, kind: click.ParamType):  # type: ignore[type-arg]
        self.name = kind.name
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._kind(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Return the completions of the type, else those of the metavar."""
        if items := self._kind.shell_complete(ctx, param, incomplete):
            return items
        kinds = list_value_kinds(param)
        listers = dict.fromkeys(_LISTERS[kind] for kind in kinds if kind in _LISTERS)
        items = [CompletionItem(kind) for kind in kinds if kind.islower()]
        items += [item for lister in listers for item in lister(ctx, incomplete)]
        if any(item.type == "file" for item in items):
            # A shell that completes files also completes folders.
            items = [item for item in items if item.type != "dir"]
        return [item for item in items if item.value.startswith(incomplete)]


def list_value_kinds(param: click.Parameter) -> list[str]:
    """Return the kinds of value that a parameter's metavar names, such as BRANCH and DIR.

    A word in lower case is itself a value, as in tree|none|FILE.
    """
    metavar = str(param.metavar or param.human_readable_name)
    return re.findall(r"[A-Za-z0-9-]+(?:\.{1,2}[A-Za-z0-9]+)?", metavar)


def completes_metavar(param: click.Parameter) -> bool:
    """Return whether a parameter's metavar names a kind of value that can be completed."""
    return any(kind in _LISTERS for kind in list_value_kinds(param))


def add_completions(command: click.Command) -> None:
    """Let the parameters of a command complete what their metavars name."""
    for param in command.params:
        if not isinstance(param.type, _CompletedType):
            param.type = _CompletedType(param.type)
