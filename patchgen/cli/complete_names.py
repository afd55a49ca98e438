# SPDX-License-Identifier: GPL-2.0-or-later
"""Complete names that depend on earlier arguments: on the variant, the .cocci or the series.

A shell asks while the user types, so an error ends in an empty list, without a message. Manifests
are read without their models, which take long to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from patchgen.errors import PatchgenError

if TYPE_CHECKING:
    from patchgen.odb import Repository
    from patchgen.series import Record, Tracking

_Item = CompletionItem[str]
_Result = TypeVar("_Result")
_MANIFEST = "manifest.toml"
# More .cocci files in a folder are not read.
_MAX_FILES = 100


def complete_backend(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return the backends of the variant that the command line, or its series, names."""
    manifest = _read_manifest(_find_target(ctx) / _MANIFEST)
    return _choose(map(CompletionItem, _list_backends(manifest)), incomplete)


def complete_definition(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return the names that -D can define, each with "=" if it takes a value, or its values."""
    name, equals, _ = incomplete.partition("=")
    target = _find_target(ctx)
    if not target.name:
        return []
    variables = dict(_read_variables(target))
    if equals:
        values = _list_values(variables.get(name, {}))
        return _choose((CompletionItem(f"{name}={value}") for value in values), incomplete)
    items = [
        CompletionItem(f"{known}=", help=str(variable.get("help", "")))
        for known, variable in variables.items()
    ]
    is_variant = (target / _MANIFEST).is_file()
    return _choose(items if is_variant else _read_virtuals(target), incomplete)


def complete_config(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return the names of configurations, or files if the user begins a path."""
    from patchgen.kernel import list_configs

    if "/" in incomplete or incomplete.startswith((".", "~")):
        return [CompletionItem(incomplete, type="file")]
    return _choose(map(CompletionItem, list_configs()), incomplete)


def complete_mails(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return the names of the series' mails; a comma begins another name."""
    before, comma, _ = incomplete.rpartition(",")
    record = _read_record(ctx)
    names = ("cover", *_list_patches(record), *_list_groups(record)) if record else ()
    chosen = before.split(",")
    return _choose(
        (CompletionItem(before + comma + name) for name in names if name not in chosen), incomplete
    )


def complete_changes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_Item]:
    """Return PATCH= for each patch of the series, and for its cover letter."""
    record = _read_record(ctx)
    names = ("cover", *_list_patches(record)) if record else ()
    return _choose((CompletionItem(f"{name}=") for name in names), incomplete)


def complete_unknown_mail(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[_Item]:
    """Return the numbers of the mails of which it is unknown whether they arrived."""
    from patchgen.pipeline.journal import Journal, MailState

    def list_unknown(repository: Repository, tracking: Tracking) -> list[_Item]:
        entries, _ = Journal(repository, tracking.change_id, tracking.revision).read()
        return [
            CompletionItem(str(number), help=entry.subject)
            for number, entry in enumerate(entries)
            if entry.state in (MailState.SENDING, MailState.UNKNOWN)
        ]

    return _choose(_read_series(ctx, list_unknown) or (), incomplete)


def _choose(items: Iterable[_Item], incomplete: str) -> list[_Item]:
    """Return the items that complete a text, each once.

    A stranger may have written a manifest, so names that a terminal cannot show are left out.
    """
    distinct = {item.value: item for item in items if item.value.isprintable()}
    return [item for value, item in distinct.items() if value.startswith(incomplete)]


def _find_named(ctx: click.Context, *parameters: str) -> str:
    """Return the first value that one of these parameters has, else the first argument, or ""."""
    # click has the arguments before an incomplete option in `args`, not in `params`.
    values = (*map(ctx.params.get, parameters), *ctx.args)
    return next((value for value in values if value and isinstance(value, str)), "")


def _find_target(ctx: click.Context) -> Path:
    """Return the folder of the variant, or the .cocci or folder of them, that a command reads.

    Of a series, it is the recorded one. "." if none is named.
    """
    from patchgen.spec import list_named, list_recipes

    named = ctx.params.get("variant") or ctx.params.get("semantic_patch")
    if named is None and ctx.info_name == "reroll":
        record = _read_record(ctx)
        named = record.variant if record else ""
    elif named is None:
        named = _find_named(ctx, "name", "target")
    folders = {variant.name: variant.path for variant in list_named()}
    if named in folders:
        return folders[named]
    recipes = {recipe.name: recipe.path for recipe in list_recipes()}
    return recipes.get(named, Path(named))


def _read_manifest(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _list_backends(manifest: Mapping[str, Any]) -> list[str]:
    variant = manifest.get("variant")
    backends = variant.get("backends") if isinstance(variant, dict) else None
    return list(map(str, backends)) if isinstance(backends, list) else []


def _read_variables(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the variables of a variant and of its backends."""
    manifest = _read_manifest(folder / _MANIFEST)
    folders = [folder / "backends" / name for name in _list_backends(manifest)]
    for each in (manifest, *(_read_manifest(path / _MANIFEST) for path in folders)):
        variables = each.get("variables")
        for name, variable in variables.items() if isinstance(variables, dict) else ():
            if isinstance(variable, dict):
                yield name, variable


def _list_values(variable: Mapping[str, Any]) -> list[str]:
    """Return the values that a variable can have, [] if there are too many to list."""
    choices = variable.get("choices")
    if variable.get("type") == "choice" and isinstance(choices, list):
        return list(map(str, choices))
    return ["true", "false"] if variable.get("type") == "boolean" else []


def _read_virtuals(target: Path) -> Iterator[_Item]:
    """Yield the virtual rules and identifiers of a .cocci, or of those in a folder."""
    from patchgen.coccinelle import decode_cocci, read_header

    files = sorted(islice(target.rglob("*.cocci"), _MAX_FILES)) if target.is_dir() else [target]
    for file in files:
        with suppress(OSError, PatchgenError):
            header = read_header(decode_cocci(file.read_bytes(), str(file)))
            yield from (CompletionItem(rule, help="virtual rule") for rule in header.rules)
            for name in header.identifiers:
                yield CompletionItem(f"{name}=", help="virtual identifier")


def _read_series(
    ctx: click.Context, read: Callable[[Repository, Tracking], _Result]
) -> _Result | None:
    """Return what `read` returns for the series that the command line names; None without one."""
    from patchgen.odb import Repository
    from patchgen.series import find_tracking, resolve_series

    named = _find_named(ctx, "branch", "source")
    with suppress(PatchgenError), closing(Repository(ctx.params.get("tree") or Path())) as tree:
        _, tip = resolve_series(tree, named or None, needs_cover=True)
        tracking = find_tracking(tree, tip)
        return read(tree, tracking) if tracking else None
    return None


def _read_record(ctx: click.Context) -> Record | None:
    from patchgen.series import read_record

    return _read_series(ctx, lambda _, tracking: read_record(tracking))


def _list_patches(record: Record) -> list[str]:
    return [patch.name for patch in record.patches]


def _list_groups(record: Record) -> list[str]:
    return [name for patch in record.patches for name in patch.group]
