# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: the list of commands, and the options before a command."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from patchgen.cli.command import PagedHelp
from patchgen.cli.endings import CommandError, end_with
from patchgen.cli.printer import echo, write
from patchgen.cli.terminal import (
    change_folder,
    collect_output,
    color_option,
    no_pager_option,
    paged_output,
)
from patchgen.errors import PatchgenError, find_similar
from patchgen.interrupts import ignore_late_interrupts, unwind_on_interrupts

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Each command is a module of this package with the name of the command. It is imported when the
# command is called, so that --help and completion import no command.
COMMANDS = {
    "apply": "Make a variant's series on a kernel tree: a branch and a folder of mails.",
    "audit": "Show which hypercalls can run before alternatives are patched.",
    "check": "Print all errors of a variant at once.",
    "compare": "Compare variants: their size, and what hypercalls execute before alternatives.",
    "completion": "Print the shell completion script for bash, zsh or fish.",
    "config": "Show your settings, and where each value is from.",
    "doctor": "Show which programs are installed, and how to install the missing ones.",
    "explain": "Show what a commit was made from, and with which tools.",
    "format": "Write the mails of a branch again, after it was edited.",
    "help": "Explain a command, or show a guide.",
    "import": "Record a version that was posted without patchgen.",
    "list": "List the series of the repository: base, patches, sent mails, review tags.",
    "new": "Write the folder of a new variant.",
    "report": "Show a series to its reviewers, with the rule of each line.",
    "reroll": "Make the next version of a series, and carry over hand edits.",
    "run": "Run any semantic patch over a kernel tree: a diff, reports, or a series.",
    "send": "Send a version of a series with git send-email, each mail once.",
    "show": "Show a variant's patches and variables, or a recipe's rules and golden cases.",
    "status": "Show for each patch whether a newer base has it, needs it, or conflicts.",
    "test": "Run semantic patches over their golden cases.",
    "trailers": "Add the review tags in replies to the patches that they are for.",
    "trust": "Trust semantic patches that run code; list or revoke trust.",
    "variants": "List the variants and the recipes.",
    "verify": "Check each commit of a series: its form, its mail, its builds, its machine code.",
}

_EXIT_CODES = {
    "0": "success",
    "1": "the command or a check failed, or git does not have what you named",
    "2": "usage error: an invalid option, or an unknown file, variant or recipe",
    "3": "a bug in patchgen; a log file has the details",
    "130": "interrupted",
}

# The shells' completion scripts set this variable, which click derives from the program's name.
_COMPLETING = "_PATCHGEN_COMPLETE"
# Commands that ask questions, draw a table while they run, or print a script. A pager shows the
# output of the others; `send` starts it itself.
_WITHOUT_PAGER = {"completion", "new", "trailers", "verify"}
_UNPAGED = {*_WITHOUT_PAGER, "send"}


class _LazyGroup(PagedHelp, click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # A module cannot be named `import`, which is a keyword.
        name = "import_posted" if cmd_name == "import" else cmd_name
        module = importlib.import_module(f"patchgen.cli.{name}")
        gc.enable()
        command: click.Command = module.command
        if all(parameter.name != "color" for parameter in command.params):
            color_option(command)
        if _COMPLETING in os.environ:
            from patchgen.cli.complete_values import add_completions

            add_completions(command)
        ctx.call_on_close(_remove_abandoned_runs)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return the commands and options that begin with a text, without importing a command."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command; --help and --version print, which can fail."""
        try:
            return super().parse_args(ctx, args)
        except PatchgenError as err:
            raise CommandError(err, _options_of(self)) from err

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; its options are named in the errors that it raises."""
        try:
            with paged_output(ctx, write):
                return super().invoke(ctx)
        except click.NoSuchOption as err:
            raise _explain_place(err, self) from None
        except PatchgenError as err:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            raise CommandError(err, _options_of(command) if command else {}) from err

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl(list(_EXIT_CODES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_command = args and not args[0].startswith("-") and not ctx.resilient_parsing
        if is_command and args[0] not in COMMANDS:
            similar = find_similar(args[0], COMMANDS)
            hint = f" Did you mean {similar}?" if similar else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def _options_of(command: click.Command) -> dict[str, str]:
    """Return the long form of each option of a command, by the name of the parameter it sets."""
    return {
        parameter.name: max(parameter.opts, key=len)
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name
    }


def _explain_place(err: click.NoSuchOption, group: click.Group) -> click.NoSuchOption:
    """Return the error; for an option of patchgen itself, with what to do instead."""
    command = err.ctx.info_name if err.ctx else None
    for parameter in group.params:
        if command and err.option_name in parameter.opts:
            advice = _advise_place(parameter, err.option_name, command)
            return click.NoSuchOption(err.option_name, f"{err.message} {advice}", ctx=err.ctx)
    return err


def _advise_place(parameter: click.Parameter, option: str, command: str) -> str:
    """Return where to put an option of patchgen itself that was given to a command."""
    if parameter.name == "version":
        return f"Use it without a command: patchgen {option}"
    if parameter.name == "no_pager" and command in _WITHOUT_PAGER:
        return f"patchgen {command} does not show its output in a pager."
    value = f" {parameter.metavar}" if parameter.metavar else ""
    return f"Put it before the command: patchgen {option}{value} {command}"


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from patchgen.version import find_version

        echo(f"patchgen, version {find_version()}")
        ctx.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option(
    "-C",
    "folders",
    multiple=True,
    is_eager=True,
    expose_value=False,
    callback=change_folder,
    metavar="DIR",
    help="Run as if started in DIR, as git does; may be repeated.",
)
@no_pager_option
@color_option
@click.pass_context
def patchgen(ctx: click.Context) -> None:
    """Apply templated Coccinelle semantic patches to a kernel tree, and send them as a series.

    `patchgen help` lists the guides, and `patchgen help CODE` explains the error with this code.
    """
    if ctx.invoked_subcommand not in _UNPAGED:
        collect_output(ctx)


def main() -> NoReturn:
    """Run patchgen with the arguments of the command line, and exit."""
    unwind_on_interrupts()
    _prepare_streams()
    if _COMPLETING in os.environ:
        from patchgen.cli.complete_values import add_completions
        from patchgen.cli.completion import answer_shells

        answer_shells()
        add_completions(patchgen)
    try:
        try:
            code = patchgen.main(standalone_mode=False, prog_name="patchgen")
        finally:
            # Another signal must not interrupt the report either.
            ignore_late_interrupts()
    except BaseException as err:
        code = end_with(err)
    status = code if isinstance(code, int) else 0
    ignore_late_interrupts(status)
    sys.exit(status)


def _remove_abandoned_runs() -> None:
    from patchgen.scratch import remove_abandoned_runs

    remove_abandoned_runs()


def _prepare_streams() -> None:
    """Let standard output and error take any text, and reserve their file descriptors."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Otherwise the next opened file gets this descriptor, and a child would print into it.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
