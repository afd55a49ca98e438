# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen new`: write the folder of a new variant."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.next_steps import format_patchgen, sign_off_option
from patchgen.cli.options import json_option, start_option, timeout_option, tree_option
from patchgen.cli.printer import Printer
from patchgen.cli.terminal import is_terminal
from patchgen.coccinelle import DEFAULT_TIMEOUT_S
from patchgen.commands.new import NewRequest, NewResult, check_target, title_rename, write_variant
from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.errors import UsageError
from patchgen.model.finding import list_first
from patchgen.series import PLACEHOLDER

_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _read_rename(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, str] | None:
    if value is None:
        return None
    old, _, new = value.partition("=")
    if not _FUNCTION.fullmatch(old) or not _FUNCTION.fullmatch(new) or old == new:
        raise click.BadParameter("expected the names of two functions, as in strlcpy=strscpy")
    return old, new


@click.command(
    "new",
    cls=ExplainedCommand,
    examples="""
    patchgen new mine --rename strlcpy=strscpy --on 'drivers/**/*.c'
        Write a variant that replaces the calls of a function.
    patchgen new mine --from-commit HEAD
        Write a variant that makes the changes of the last commit.
    """,
)
@click.argument("target", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--rename",
    callback=_read_rename,
    metavar="OLD=NEW",
    help="Begin with a semantic patch that calls the function NEW instead of OLD.  [default: ask]",
)
@click.option(
    "--from",
    "cocci",
    type=click.Path(path_type=Path),
    metavar="FILE.cocci",
    help="Begin with this semantic patch; its /// lines become the commit's message.",
)
@click.option(
    "--from-commit",
    "commits",
    metavar="COMMIT|BASE..TIP|DIR|MBOX",
    help="Make the variant from a commit, a range of commits, or mails. A change that a semantic "
    "patch cannot express becomes text.",
)
@click.option(
    "--on",
    multiple=True,
    metavar="PATTERN",
    help="A file, a folder with the .c and .h files below it, or a glob such as 'drivers/**/*.c', "
    "that the semantic patch runs on; may be repeated.  [default: **/*.c, and **/*.h for a "
    "semantic patch with --include-headers]",
)
@click.option(
    "--title", metavar="TEXT", help="The subject of the commit and the title of the variant."
)
@tree_option
@start_option("the base-commit that the mails name, or HEAD")
@timeout_option(DEFAULT_TIMEOUT_S)
@json_option
def command(as_json: bool, **options: Any) -> None:
    """Write the folder of a new variant, with comments that explain it.

    NAME is the name of the variant, or the path of its folder, which must not exist. `patchgen
    apply NAME` makes its series, and `patchgen test NAME` runs its golden cases.
    """
    printer = Printer(as_json=as_json)
    request = _ask(NewRequest(**options), printer)
    with printer.activity() as show:
        show(_describe_work(request))
        result = write_variant(request)
    if as_json:
        printer.document(_describe(result))
    else:
        _print(printer, request, result)


def _describe_work(request: NewRequest) -> str:
    if request.commits is not None:
        return f"making a variant of {request.commits}, and comparing it"
    if request.cocci is not None:
        return "searching the tree for golden cases"
    assert request.rename is not None
    return f"searching the tree for {' and '.join(request.rename)}"


def _ask(request: NewRequest, printer: Printer) -> NewRequest:
    """Return the request; without a source, the user is asked for the functions of a rename.

    Raises UsageError if the command must ask without a terminal, and for options that exclude each
    other.
    """

    sources = [request.rename, request.cocci, request.commits]
    given = sum(source is not None for source in sources)
    if given > 1:
        raise UsageError(
            "--rename, --from and --from-commit cannot be combined", code="option-combination"
        )
    if request.commits is not None and (request.on or request.title):
        raise UsageError(
            "--from-commit cannot be combined with --on and --title: the commits have both",
            code="option-combination",
        )
    if request.start is not None and request.commits is None:
        raise UsageError("--base requires --from-commit", code="option-combination")
    if given == 0:
        # The user should not answer questions, or find a terminal, for a name that is refused.
        check_target(request.target)
        if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise UsageError(
                "cannot ask what the variant does without a terminal",
                code="no-terminal",
                hint="begin with --rename, --from or --from-commit",
            )
        request = _ask_rename(request, printer)
    return request


def _ask_rename(request: NewRequest, printer: Printer) -> NewRequest:

    def ask(question: str, default: str | None = None) -> str:
        # click asks again after an empty answer without a default.
        return str(click.prompt(question, default=default, err=True)).strip()

    old = ask("Function to replace")
    new = ask("Function to call instead")
    for name in (old, new):
        if not _FUNCTION.fullmatch(name):
            raise UsageError(f"{name!r} is not the name of a function", code="name-invalid")
    on = request.on or tuple(ask("Files, as paths, folders or globs", "**/*.c").split())
    request = replace(request, rename=(old, new), on=on)
    title = request.title
    if title is None:
        with printer.activity() as show:
            show(_describe_work(request))
            usual = title_rename(request)
        title = ask("Subject", usual)
    return replace(request, title=title)


def _describe(result: NewResult) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "files": list(result.files),
        "base": result.base,
        "rules": [
            {
                "patch": rule.patch,
                "rule": rule.name,
                "purpose": rule.purpose,
                "files": list(map(str, rule.files)),
            }
            for rule in result.rules
        ],
        "texts": [{"patch": patch, "file": str(path)} for patch, path in result.texts],
        "by_hand": [
            {"patch": change.patch, "file": str(change.path), "reason": change.reason}
            for change in result.by_hand
        ],
        "failures": list(result.failures),
    }


def _print(printer: Printer, request: NewRequest, result: NewResult) -> None:
    printer.line(f"{result.folder}: {count(len(result.files), 'file')}", bold=True)
    for rule in result.rules:
        files = count(len(rule.files), "file")
        printer.line(f"  {rule.patch}: semantic patch {rule.name} in {files}: {rule.purpose}")
    for patch, path in result.texts:
        printer.line(f"  {patch}: text for {escape_controls(str(path))}")
    for change in result.by_hand:
        shown = escape_controls(str(change.path))
        printer.warning(f"to do by hand: {change.patch}: {shown} {change.reason}")
    for failure in result.failures:
        printer.warning(failure)
    if result.base is not None:
        remainder = " except those to do by hand" if result.by_hand else ""
        printer.line(f"On {result.base[:12]} it makes the changes of the commits{remainder}.")
    printer.line()
    title = "next:"
    for step in _list_steps(request, result):
        printer.line(f"{title} {step}")
        title = " " * len(title)


def _list_steps(request: NewRequest, result: NewResult) -> Iterator[str]:
    """Yield what to do with the new variant, in the order of docs/write-a-variant.md."""
    name, manifest = str(result.folder), result.folder / "manifest.toml"
    if result.unwritten:
        texts = list_first([str(result.folder / file) for file in result.unwritten])
        yield f"edit {texts}: replace {PLACEHOLDER} and the text after it"
    yield f"read {manifest}, which explains its keys"
    yield format_patchgen(Path(), "check", name)
    # A variant without golden cases has nothing to test.
    if any(file.endswith(".res") for file in result.files):
        yield format_patchgen(Path(), "test", name)
    if result.in_tree:
        yield format_patchgen(request.tree, "apply", name, *sign_off_option())
    else:
        yield f"{format_patchgen(Path(), 'apply', name, *sign_off_option())} --tree TREE"
