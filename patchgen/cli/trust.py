# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trust`: choose which semantic patches may run code, and trust a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from patchgen.cli.options import json_option, rev_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.cli.tree_config import list_people
from patchgen.commands.trust import Trusted, revoke, trust_code, trust_config
from patchgen.controls import escape_controls
from patchgen.errors import UsageError
from patchgen.truststore import TrustEntry, read_trust, store_path

# The number of lines with code to print for one semantic patch.
_SHOWN = 3


@click.command("trust")
@click.argument("paths", nargs=-1, metavar="[FILE.cocci|DIR|ID]...")
@tree_option
@rev_option("The commit in which to look for what is not on disk.")
@click.option(
    "--tree-config", "is_config", is_flag=True, help="Trust the work tree's .patchgen.toml."
)
@click.option("--list", "is_list", is_flag=True, help="List what is trusted.  [default]")
@click.option(
    "--revoke", "is_revoke", is_flag=True, help="Revoke the trust in these files, folders or IDs."
)
@json_option
def command(
    paths: tuple[str, ...],
    tree: Path,
    rev: str,
    is_config: bool,
    is_list: bool,
    is_revoke: bool,
    as_json: bool,
) -> None:
    """Trust semantic patches that run code, as they are now; list or revoke trust.

    They are found as by `patchgen run`. Read them first: spatch runs their code with your rights.
    Trust covers the content, so a semantic patch that changes or is added later is refused again.
    """
    _check_options(paths, is_config=is_config, is_list=is_list, is_revoke=is_revoke)
    printer = Printer(as_json=as_json)
    if is_revoke:
        dropped = revoke(paths)
        for each in dropped:
            printer.line(f"revoked: {_describe_line(each.entry)}")
            if each.still:
                printer.warning(f"some of its files are still trusted by {', '.join(each.still)}")
        _print_document(printer, as_json, "revoked", [describe(each.entry) for each in dropped])
    elif is_config:
        config = trust_config(tree)
        printer.line(f"trusted: {config.path}")
        for line in list_people(config):
            printer.line(f"  {line}")
        _print_document(printer, as_json, "trusted", [{"config": str(config.path)}])
    elif paths:
        found = trust_code(tree, rev, paths)
        for target in found:
            _print_trusted(printer, target)
        _print_document(
            printer,
            as_json,
            "trusted",
            [describe(target.entry) for target in found if target.entry],
        )
    else:
        entries = read_trust()
        for entry in entries:
            printer.line(_describe_line(entry))
        if not entries:
            printer.line(f"Nothing is trusted ({store_path()}).")
        _print_document(printer, as_json, "trusted", map(describe, entries))


def _check_options(
    paths: Sequence[str], *, is_config: bool, is_list: bool, is_revoke: bool
) -> None:
    if is_list + is_revoke + is_config > 1:
        raise UsageError("--list, --revoke and --tree-config cannot be combined")
    if paths and (is_list or is_config):
        raise UsageError("--list and --tree-config take no argument")
    if is_revoke and not paths:
        raise UsageError("--revoke requires a path or an ID", hint="`patchgen trust` lists them")


def describe(entry: TrustEntry) -> dict[str, Any]:
    """Return an entry as --json shows it."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "path": entry.path,
        "repository": entry.repository or None,
        "commit": entry.commit or None,
        "date": entry.date,
        "files": dict(entry.files),
    }


def _print_document(
    printer: Printer, as_json: bool, name: str, entries: Iterable[dict[str, Any]]
) -> None:
    if as_json:
        printer.document({name: list(entries)})


def _describe_line(entry: TrustEntry) -> str:
    if entry.kind == "config":
        return escape_controls(f"{entry.id}  {entry.date}  configuration of {entry.path}")
    where = f" of {entry.repository}" if entry.repository else ""
    count = len(entry.files)
    files = f"{count} file{'s' if count != 1 else ''}"
    return escape_controls(f"{entry.id}  {entry.date}  {entry.path}{where} ({files})")


def _print_trusted(printer: Printer, found: Trusted) -> None:
    for name, why in found.unreadable:
        printer.warning(escape_controls(f"{name} is not trusted: {why}"))
    if found.entry is None:
        printer.line(f"{found.target} runs no code, so it does not need trust.")
        return
    printer.line(f"trusted: {_describe_line(found.entry)}")
    printer.line(f"  {len(found.code)} of {found.looked_at} semantic patches run code")
    changes = (("new", found.added), ("changed", found.changed), ("gone", found.gone))
    for what, names in changes:
        for name in names:
            printer.line(escape_controls(f"  {what}: {name}"))
    if len(found.code) == 1:
        [(name, code)] = found.code.items()
        for line in code[:_SHOWN]:
            printer.line(escape_controls(f"  {name}:{line.line}: {line.why}"))
        if len(code) > _SHOWN:
            printer.line(f"  and {len(code) - _SHOWN} more lines")
