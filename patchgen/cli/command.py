# SPDX-License-Identifier: GPL-2.0-or-later
"""The click command class of patchgen: long help is shown in the pager, and ends with examples."""

from __future__ import annotations

import inspect
from typing import Any

import click

from patchgen.cli.printer import Printer
from patchgen.errors import SpecError


class PagedHelp(click.Command):
    """A command whose --help is shown in the pager if it does not fit the screen."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return click's --help, with a callback that can start the pager."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        text = f"{ctx.get_help()}\n"
        try:
            Printer().page(text)
        except SpecError:
            # A wrong setting of the pager must not hide the help.
            Printer().text(text)
        ctx.exit()


class ExplainedCommand(PagedHelp):
    """A command whose help ends with examples.

    `examples` has pairs of lines: a command for a shell in the kernel's git tree, and, indented,
    its effect. The manual page and the site show the same examples, and the tests run them.
    """

    def __init__(self, *args: Any, examples: str, **attributes: Any):
        super().__init__(*args, **attributes)
        lines = [line.strip() for line in inspect.cleandoc(examples).splitlines()]
        self.examples = dict(zip(lines[::2], lines[1::2], strict=True))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, with the effect on a line below the command."""
        with formatter.section("Examples"):
            formatter.write_dl(list(self.examples.items()), col_max=4, col_spacing=0)
