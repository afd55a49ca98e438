# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen config`: print the settings, and the source of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, tree_option
from patchgen.cli.printer import Printer, printable
from patchgen.cli.terminal import find_pager
from patchgen.controls import escape_controls
from patchgen.errors import UsageError, suggest_name
from patchgen.resources import read_schema
from patchgen.spec import KEYS, PEOPLE, Settings, git_key_of, normalize_key, variable_of

# The fixed defaults. Other keys have no default, or one that depends on the machine or on options.
_DEFAULTS = {
    "color": "auto",
    "macros": "tree",
    "outgoing": "outgoing",
    "signoff": False,
    "split": "tree",
}


def _complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [key for key in KEYS if key.startswith(incomplete)]


@click.command(
    "config",
    cls=ExplainedCommand,
    examples="""
    patchgen config
        Show all settings, and where each is from.
    patchgen config jobs
        Print the number of parallel processes.
    """,
)
@click.argument("key", required=False, shell_complete=_complete_key)
@tree_option
@click.option("--schema", is_flag=True, help="Print the JSON schema of config.toml, for an editor.")
@json_option
def command(key: str | None, tree: Path, schema: bool, as_json: bool) -> None:
    """Show your settings, and where each value is from; with KEY, only its value.

    An option of the command line overrides a setting. Settings are read from the environment
    (PATCHGEN_JOBS), the repository's git configuration (patchgen.jobs), a trusted patchgen.toml at
    the top of the tree, your git configuration, and ~/.config/patchgen/config.toml, in this order.
    """
    if schema:
        Printer().text(read_schema("config"))
        return
    printer = Printer(as_json=as_json)
    settings = Settings(tree)
    keys = KEYS if key is None else (_find_key(key),)
    entries = [entry for name in keys for entry in _list_entries(settings, name)]
    if as_json:
        printer.document(entries)
    elif key is not None:
        for entry in entries:
            for value in _list_texts(entry["value"]):
                printer.line(value)
    else:
        _print(printer, entries)
        _print_untrusted(printer, settings)


def _find_key(name: str) -> str:
    key = normalize_key(name)
    if key is None:
        raise UsageError(
            f"{name!r} is not a setting",
            code="name-unknown",
            hint=suggest_name(name, KEYS, "settings"),
        )
    return key


def _list_entries(settings: Settings, key: str) -> Iterator[dict[str, Any]]:
    """Yield the setting of a key; for recipients, that of each source, as all sources are used."""
    if key in PEOPLE:
        found = list(reversed(settings.list_all(key)))
    else:
        setting = settings.find(key)
        found = [setting] if setting else []
    variable = None if key in PEOPLE else variable_of(key)
    names = {"variable": variable, "git": git_key_of(key)}
    for setting in found:
        value = list(setting.value) if isinstance(setting.value, tuple) else setting.value
        yield {
            "key": key,
            "value": value,
            "source": str(setting.source),
            "origin": setting.origin,
            **names,
        }
    if not found:
        yield {
            "key": key,
            "value": _find_default(key),
            "source": "default",
            "origin": None,
            **names,
        }


def _find_default(key: str) -> Any:
    if key == "pager":
        return find_pager(click.get_current_context()) or "cat"
    if key == "jobs":
        return os.cpu_count() or 1
    return _DEFAULTS.get(key)


def _list_texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    return list(map(str, value)) if isinstance(value, list) else [str(value)]


def _print(printer: Printer, entries: list[dict[str, Any]]) -> None:
    width = max(len(entry["key"]) for entry in entries)
    for entry in entries:
        value = printable(", ".join(_list_texts(entry["value"])) or "-")
        origin = printable(entry["origin"] or "default")
        is_default = entry["origin"] is None
        printer.parts(
            (f"{entry['key']:{width}}  ", {}),
            (value, {} if is_default else {"bold": True}),
            (f"  ({origin})", {"dim": True}),
        )


def _print_untrusted(printer: Printer, settings: Settings) -> None:
    config = settings.tree_config
    if config is not None and not config.is_trusted:
        printer.warning(
            escape_controls(f"{config.path} is not trusted, so it is not used; ")
            + "`patchgen trust --tree-config` trusts it as it is now"
        )
