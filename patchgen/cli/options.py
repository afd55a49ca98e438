"""Options that several commands have, each declared once."""

from __future__ import annotations

from pathlib import Path

import click

from patchgen.addresses import AddressError, is_word, parse_people
from patchgen.cli import trees


def _check_people(
    ctx: click.Context, param: click.Parameter, people: tuple[str, ...]
) -> tuple[str, ...]:
    for each in people:
        try:
            # Whether a word is an alias of git send-email's depends on the repository.
            parsed = parse_people(each, is_word)
        except AddressError as err:
            raise click.BadParameter(str(err)) from None
        if not parsed:
            raise click.BadParameter("it is empty: expected 'Name <user@host>'")
    return people


class StartOption(click.Option):
    """A `--base` that is the commit below a series, not one to make a series on.

    The library's errors call the one "start" and the other "base".
    """

    input = "start"


def _find_program(ctx: click.Context, param: click.Parameter, name: str | None) -> Path | None:
    from patchgen.kernel import find_program

    return find_program(name) if name else None


tree_option = trees.tree_option
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
    help="Where the mails go.  [default: TREE/outgoing/NAME-vN]",
)
to_option = click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    callback=_check_people,
    help="Send all to them, too.",
)
cc_option = click.option(
    "--cc",
    multiple=True,
    metavar="ADDRESS",
    callback=_check_people,
    help="Send all to them, too, in Cc.",
)
cover_cc_option = click.option(
    "--cc-cover",
    "cover_cc",
    multiple=True,
    callback=_check_people,
    metavar="ADDRESS",
    help="Send the cover letter to them, too, in Cc.",
)
get_maintainer_option = click.option(
    "--get-maintainer",
    metavar="PROGRAM",
    callback=_find_program,
    help="Let this program name the maintainers, as scripts/get_maintainer.pl would; it is run.  "
    "[default: read MAINTAINERS]",
)
