# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from patchgen.addresses import AddressError, is_word, parse_people
from patchgen.cli import tree_options


def _check_people(
    ctx: click.Context, param: click.Parameter, people: tuple[str, ...]
) -> tuple[str, ...]:
    for each in people:
        try:
            # Accept any word here: which aliases git send-email has depends on the repository.
            parsed = parse_people(each, is_word)
        except AddressError as err:
            raise click.BadParameter(str(err)) from None
        if not parsed:
            raise click.BadParameter("empty: expected 'Name <user@host>'")
    return people


class StartOption(click.Option):
    """A `--base` that names the commit below an existing series, not the base of a new one.

    The library's errors call the former "start" and the latter "base".
    """

    input = "start"


def _find_program(ctx: click.Context, param: click.Parameter, name: str | None) -> Path | None:
    from patchgen.kernel import find_program

    return find_program(name) if name else None


tree_option = tree_options.tree_option
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
start_option = click.option(
    "--base",
    cls=StartOption,
    metavar="REV",
    help="The commit below the first one of the series.",
)
output_option = click.option(
    "-o",
    "--output-directory",
    "output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write the mails to.  [default: TREE/outgoing/NAME-vN]",
)
to_option = click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    callback=_check_people,
    help="Add a To address to every mail; may be repeated.",
)
cc_option = click.option(
    "--cc",
    multiple=True,
    metavar="ADDRESS",
    callback=_check_people,
    help="Add a Cc address to every mail; may be repeated.",
)
cover_cc_option = click.option(
    "--cc-cover",
    "cover_cc",
    multiple=True,
    callback=_check_people,
    metavar="ADDRESS",
    help="Add a Cc address to the cover letter; may be repeated.",
)
get_maintainer_option = click.option(
    "--get-maintainer",
    metavar="PROGRAM",
    callback=_find_program,
    help="Run this program to find the maintainers, in place of scripts/get_maintainer.pl.  "
    "[default: read MAINTAINERS]",
)
