# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen help`: the topics, the help of a command, or a guide as text."""

from __future__ import annotations

import re

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.printer import Printer
from patchgen.errors import UsageError, suggest_name
from patchgen.resources import shipped_folder

# An entry of the index: - [Title](NAME.md): what the page is for
_ENTRY = re.compile(r"^- \[[^\]]*\]\(([\w-]+)\.md\): (.*?)(?=^- |\n\n)", re.MULTILINE | re.DOTALL)
# Notes for the tests of the pages; a reader does not need them.
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)


def _list_topics(root: click.Context) -> list[str]:
    assert isinstance(root.command, click.Group)
    return [*root.command.list_commands(root), *list_guides()]


def _complete_topic(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [topic for topic in _list_topics(ctx.find_root()) if topic.startswith(incomplete)]


@click.command(
    "help",
    cls=ExplainedCommand,
    examples="""
    patchgen help apply
        Show the options of a command, and examples.
    patchgen help first-series
        Read how to make a first series.
    """,
)
@click.argument("topic", required=False, metavar="[TOPIC]", shell_complete=_complete_topic)
@click.pass_context
def command(ctx: click.Context, topic: str | None) -> None:
    """Explain a command, or show a guide.

    TOPIC is the name of a command or of a guide; without it, all topics are listed.
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    if topic is None:
        Printer().text(_describe_topics(root))
    elif explained := root.command.get_command(root, topic):
        explained.make_context(topic, ["--help"], parent=root)
    elif topic in list_guides():
        page = (shipped_folder("docs") / f"{topic}.md").read_text(encoding="utf-8")
        Printer().page(_COMMENT.sub("", page))
    else:
        hint = suggest_name(topic, _list_topics(root), "topics")
        raise UsageError(f"unknown topic {topic!r}", hint=hint)


def list_guides() -> dict[str, str]:
    """Return the names of the shipped guides in the order of the index, and what each is for."""
    index = (shipped_folder("docs") / "index.md").read_text(encoding="utf-8")
    return {name: " ".join(purpose.split()) for name, purpose in _ENTRY.findall(index)}


def _describe_topics(root: click.Context) -> str:
    """Return the commands and the guides, each with its purpose, as --help lists commands."""
    assert isinstance(root.command, click.Group)
    formatter = root.make_formatter()
    root.command.format_commands(root, formatter)
    with formatter.section("Guides"):
        formatter.write_dl(list(list_guides().items()))
    return formatter.getvalue().lstrip("\n")
