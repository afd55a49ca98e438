# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trust`: choose which semantic patches may run code, and trust a configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.options import json_option, rev_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.cli.terminal import is_terminal
from patchgen.cli.tree_config import list_changes
from patchgen.commands.trust import TrustResult, revoke, trust_code, trust_config
from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.errors import UsageError
from patchgen.truststore import TrustEntry, read_trust, store_path

# The number of lines with code to print for one semantic patch.
_SHOWN = 3


@click.command(
    "trust",
    cls=ExplainedCommand,
    examples="""
    patchgen trust report.cocci
        Print where a semantic patch has code, and allow it to run.
    patchgen trust --list
        List the semantic patches that may run code.
    """,
)
@click.argument("paths", nargs=-1, metavar="[FILE.cocci|DIR|ID]...")
@tree_option
@rev_option("The commit that has the semantic patches that are not on disk.")
@click.option(
    "--tree-config",
    "is_config",
    is_flag=True,
    help="Trust the configuration file at the top of the work tree.",
)
@click.option("--list", "is_list", is_flag=True, help="List the trusted files.  [default]")
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

    `patchgen run` finds them in the same way. Read them first: spatch runs their code as you.
    Trust covers the content, so a semantic patch that changes or is added later is refused again.
    """
    _check_options(paths, is_config=is_config, is_list=is_list, is_revoke=is_revoke)
    printer = Printer(as_json=as_json)
    if is_revoke:
        document = {"revoked": [describe(entry) for entry in _revoke(printer, paths)]}
    elif is_config:
        config = trust_config(tree)
        printer.line(f"trusted: {config.path}")
        for line in list_changes(config):
            printer.line(f"  {line}")
        document = {"trusted": [{"config": str(config.path)}]}
    elif paths:
        results = trust_code(tree, rev, paths)
        for result in results:
            _print_trusted(printer, result)
        document = {"trusted": [describe(result.entry) for result in results if result.entry]}
    else:
        entries = read_trust()
        for entry in entries:
            printer.line(_describe_line(entry))
        if not entries:
            printer.line(f"{store_path()} trusts no file.")
        document = {"trusted": list(map(describe, entries))}
    if as_json:
        printer.document(document)


def _check_options(
    paths: Sequence[str], *, is_config: bool, is_list: bool, is_revoke: bool
) -> None:
    if is_list + is_revoke + is_config > 1:
        raise UsageError(
            "--list, --revoke and --tree-config cannot be combined", code="option-combination"
        )
    if paths and (is_list or is_config):
        raise UsageError("--list and --tree-config take no argument", code="option-combination")
    if is_revoke and not paths:
        raise UsageError(
            "--revoke requires a path or an ID",
            code="arguments",
            hint="`patchgen trust` lists them",
        )


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


def _revoke(printer: Printer, names: Sequence[str]) -> Iterator[TrustEntry]:
    """Revoke the trust in files, folders or IDs, and yield the removed entries."""
    for revoked in revoke(names):
        printer.line(f"revoked: {_describe_line(revoked.entry)}")
        if others := ", ".join(revoked.still_trusted_by):
            printer.warning(f"some of its files are still trusted by {others}")
        yield revoked.entry


def _describe_line(entry: TrustEntry) -> str:
    if entry.kind == "config":
        return escape_controls(f"{entry.id}  {entry.date}  configuration of {entry.path}")
    where = f" of {entry.repository}" if entry.repository else ""
    files = count(len(entry.files), "file")
    return escape_controls(f"{entry.id}  {entry.date}  {entry.path}{where} ({files})")


def _print_trusted(printer: Printer, result: TrustResult) -> None:
    for name, reason in result.unreadable:
        printer.warning(escape_controls(f"{name} is not trusted: {reason}"))
    if result.entry is None:
        printer.line(f"{result.target} runs no code, so it does not need trust.")
        return
    printer.line(f"trusted: {_describe_line(result.entry)}")
    patches = count(result.patch_count, "semantic patch")
    run = "runs" if len(result.code) == 1 else "run"
    printer.line(f"  {len(result.code)} of {patches} {run} code")
    changes = (("new", result.added), ("changed", result.changed), ("gone", result.removed))
    for change, names in changes:
        for name in names:
            printer.line(escape_controls(f"  {change}: {name}"))
    if len(result.code) == 1:
        [(name, code)] = result.code.items()
        shown = code[:_SHOWN] if is_terminal(sys.stdout) else code
        for line in shown:
            printer.line(escape_controls(f"  {name}:{line.line}: {line.why}"))
        if len(shown) < len(code):
            printer.line(f"  and {count(len(code) - len(shown), 'more line')}")
