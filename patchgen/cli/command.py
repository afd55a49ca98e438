# SPDX-License-Identifier: GPL-2.0-or-later
"""The click command class of patchgen: long help is shown in the pager, and ends with examples."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any

import click

from patchgen.cli.printer import Printer, printable
from patchgen.counting import count
from patchgen.errors import SpecError, find_similar

_MAX_SHOWN = 2


class PagedHelp(click.Command):
    """A command whose --help is shown in the pager if it does not fit the screen.

    Its error for a misspelt option suggests the nearest option.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises click.UsageError."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as err:
            raise self._suggest_nearest(ctx, err) from None

    def _suggest_nearest(self, ctx: click.Context, err: click.NoSuchOption) -> click.NoSuchOption:
        """Return the error with the nearest option: click lists up to three, sorted by name."""
        # All have the "--", which would make each more like the others.
        by_name = {
            option.removeprefix("--"): option
            for parameter in self.get_params(ctx)
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
        is_long = err.option_name.startswith("--")
        similar = find_similar(err.option_name.removeprefix("--"), by_name) if is_long else None
        options = [by_name[similar]] if similar else None
        return click.NoSuchOption(err.option_name, err.message, options, err.ctx)

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. The error for too many names the first ones: a glob gives thousands.

        Raises click.UsageError.
        """
        ctx.allow_extra_args = True
        extra = super().parse_args(ctx, args)
        ctx.allow_extra_args = self.allow_extra_args
        if extra and not ctx.allow_extra_args and not ctx.resilient_parsing:
            ctx.fail(_describe_extra(extra))
        return extra

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, with the effect on a line below the command."""
        with formatter.section("Examples"):
            formatter.write_dl(list(self.examples.items()), col_max=4, col_spacing=0)


def _describe_extra(args: Sequence[str]) -> str:
    """Return the error for arguments that a command does not take."""
    shown = ", ".join(map(repr, map(printable, args[:_MAX_SHOWN])))
    more = len(args) - _MAX_SHOWN
    others = f" and {count(more, 'other')}" if more > 0 else ""
    text = f"Got unexpected extra {'arguments' if len(args) > 1 else 'argument'} {shown}{others}."
    if any(map(os.path.exists, args)):
        text += (
            " If the shell made these names from a pattern, quote the pattern, as in "
            "'drivers/**/*.c'."
        )
    return text
