# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share: each has one spelling, one value and one meaning.

A revision has one of four names. `--base` is the commit that a series is based on, `--onto` a newer
base for a series that exists, `--rev` a commit that is only read, and `--since` an older commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from patchgen.addresses import AddressError, is_word, parse_people
from patchgen.cli import tree_options
from patchgen.cli.complete_names import complete_backend, complete_definition
from patchgen.cli.complete_values import complete_branch
from patchgen.cli.settings import setting_option
from patchgen.model.smpl import Mode

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _check_people(
    ctx: click.Context, param: click.Parameter, people: tuple[str, ...]
) -> tuple[str, ...]:
    for person in people:
        try:
            # Accept any word here: which aliases git send-email has depends on the repository.
            parsed = parse_people(person, is_word)
        except AddressError as err:
            raise click.BadParameter(str(err)) from None
        if not parsed:
            raise click.BadParameter("empty: expected 'Name <user@host>'")
    return people


def _find_program(ctx: click.Context, param: click.Parameter, name: str | None) -> Path | None:
    from patchgen.kernel import find_program

    return find_program(name) if name else None


tree_option = tree_options.tree_option
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
html_option = click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write an HTML page about the result to this file.",
)
variant_option = click.option(
    "--variant",
    metavar="VARIANT",
    help="The name of a variant, or the path of its folder.",
)
define_option = click.option(
    "-D",
    "--define",
    "definitions",
    multiple=True,
    metavar="NAME[=VALUE]",
    shell_complete=complete_definition,
    help="Set a variable of the variant, or define a virtual rule or identifier of the semantic "
    "patch; may be repeated.",
)
mode_option = click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="Mode to run in.  [default: the first of these that the semantic patch has]",
)
trust_option = click.option(
    "--trust", "trusted", is_flag=True, help="Allow semantic patches to run code in this run."
)
jobs_option = setting_option(
    "-j",
    "--jobs",
    setting="jobs",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="processors",
    metavar="N",
    help="Number of parallel processes.",
)
output_option = click.option(
    "-o",
    "--output-directory",
    "output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write the mails to.  [default: TREE/outgoing/NAME-vN]  [config: outgoing]",
)
get_maintainer_option = click.option(
    "--get-maintainer",
    metavar="PROGRAM",
    callback=_find_program,
    help="Run this program to find the maintainers, in place of scripts/get_maintainer.pl.  "
    "[default: read MAINTAINERS]",
)


def base_option(meaning: str) -> Callable[[_Command], _Command]:
    """Return --base, the commit that a new series is based on."""
    return click.option("--base", default="HEAD", show_default=True, metavar="REV", help=meaning)


def start_option(default: str = "") -> Callable[[_Command], _Command]:
    """Return --base, the commit that an existing series is based on, for the parameter `start`."""
    meaning = "The commit that the series is based on." + _default(default)
    return click.option("--base", "start", metavar="REV", help=meaning)


def onto_option(name: str, default: str) -> Callable[[_Command], _Command]:
    """Return --onto, a newer base for an existing series, for the parameter `name`."""
    return click.option("--onto", name, metavar="REV", help="The newer base." + _default(default))


def rev_option(meaning: str) -> Callable[[_Command], _Command]:
    """Return --rev, a commit that is only read."""
    return click.option("--rev", default="HEAD", show_default=True, metavar="REV", help=meaning)


def version_option(default: str) -> Callable[[_Command], _Command]:
    """Return -v, the version of a series."""
    return click.option(
        "-v",
        "--reroll-count",
        "revision",
        type=click.IntRange(min=1),
        metavar="N",
        help="The version of the series." + _default(default),
    )


def branch_option(default: str, name: str = "branch") -> Callable[[_Command], _Command]:
    """Return --branch, the branch to create, for the parameter `name`."""
    meaning = "The branch to create." + _default(default)
    return click.option(
        "--branch", name, metavar="NAME", shell_complete=complete_branch, help=meaning
    )


def backend_option(default: str) -> Callable[[_Command], _Command]:
    """Return --backend."""
    return click.option(
        "--backend",
        "backends",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_backend,
        help="Make this backend; may be repeated." + _default(default),
    )


def timeout_option(default_s: int) -> Callable[[_Command], _Command]:
    """Return --timeout."""
    return click.option(
        "--timeout",
        "timeout_s",
        type=click.IntRange(min=1),
        default=default_s,
        show_default=True,
        metavar="SECONDS",
        help="Time limit for spatch on each file.",
    )


def quiet_option(
    meaning: str = "Print warnings and errors only.",
) -> Callable[[_Command], _Command]:
    """Return --quiet."""
    return click.option("--quiet", is_flag=True, help=meaning)


def only_built_option(meaning: str) -> Callable[[_Command], _Command]:
    """Return --only-built, a .config."""
    kind = click.Path(path_type=Path)
    return click.option("--only-built", type=kind, metavar="CONFIG", help=meaning)


def recipient_options(command: _Command) -> _Command:
    """Add --to, --cc, --cc-cover and --get-maintainer to a command."""
    options = (
        _people_option("--to", "to", "Add a To address to every mail; may be repeated."),
        _people_option("--cc", "cc", "Add a Cc address to every mail; may be repeated."),
        _people_option(
            "--cc-cover", "cover_cc", "Add a Cc address to the cover letter; may be repeated."
        ),
        get_maintainer_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


force_option = click.option(
    "--force", is_flag=True, help="Replace the branch, and the mails of this version."
)


def new_series_options(command: _Command) -> _Command:
    """Add the options about the mails and the branch of a new series to a command."""
    options = (
        output_option,
        setting_option(
            "-s",
            "--signoff/--no-signoff",
            "sign_off",
            setting="signoff",
            help="Add your Signed-off-by.",
        ),
        recipient_options,
        force_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _people_option(option: str, name: str, meaning: str) -> Callable[[_Command], _Command]:
    return click.option(
        option, name, multiple=True, metavar="ADDRESS", callback=_check_people, help=meaning
    )


def _default(default: str) -> str:
    return f"  [default: {default}]" if default else ""
