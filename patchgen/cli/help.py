# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen help`: list the topics; explain a command or an error; show a guide."""

from __future__ import annotations

import re

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.guide import format_guide
from patchgen.cli.printer import Printer
from patchgen.errors import UsageError, suggest_similar
from patchgen.resources import shipped_folder

# An entry of the index: - [Title](NAME.md): purpose of the page
_ENTRY = re.compile(r"^- \[[^\]]*\]\(([\w-]+)\.md\): (.*?)(?=^- |\n\n)", re.MULTILINE | re.DOTALL)
_TOPICS = "`patchgen help` lists commands and guides; the code of an error is in its brackets"
# A section of messages.md, whose heading is the code of an error.
_CODE = re.compile(r"^### ([\w-]+)\n\n(.*?)\n(?=\n#|\Z)", re.MULTILINE | re.DOTALL)


def _list_topics(root: click.Context) -> list[str]:
    assert isinstance(root.command, click.Group)
    return [*root.command.list_commands(root), *list_guides()]


def _complete_topic(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    topics = _list_topics(ctx.find_root()) + (list(_read_codes()) if incomplete else [])
    return [topic for topic in topics if topic.startswith(incomplete)]


@click.command(
    "help",
    cls=ExplainedCommand,
    examples="""
    patchgen help apply
        Show the options of a command, and examples.
    patchgen help first-series
        Read how to make a first series.
    patchgen help not-trusted
        See what the code in an error's brackets means, and what to do.
    """,
)
@click.argument("topic", required=False, metavar="[TOPIC]", shell_complete=_complete_topic)
@click.pass_context
def command(ctx: click.Context, topic: str | None) -> None:
    """Explain a command or an error, or show a guide.

    TOPIC is the name of a command or of a guide, or the code that an error has in brackets; without
    it, all commands and guides are listed.
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    width = root.make_formatter().width
    if topic is None:
        Printer().text(_describe_topics(root))
    elif explained := root.command.get_command(root, topic):
        explained.make_context(topic, ["--help"], parent=root)
    elif topic in list_guides():
        Printer().page(format_guide(_read_page(topic), width))
    elif explanation := _read_codes().get(topic.strip("[]")):
        Printer().text(format_guide(f"{explanation}\n", width))
    else:
        names = [*_list_topics(root), *_read_codes()]
        hint = suggest_similar(topic, names) or _TOPICS
        raise UsageError(f"unknown topic {topic!r}", code="name-unknown", hint=hint)


def list_guides() -> dict[str, str]:
    """Return the purposes of the shipped guides by name, in the order of the index."""
    entries = _ENTRY.findall(_read_page("index"))
    return {name: " ".join(purpose.split()) for name, purpose in entries}


def _read_page(name: str) -> str:
    return (shipped_folder("docs") / f"{name}.md").read_text(encoding="utf-8")


def _read_codes() -> dict[str, str]:
    """Return the explanation of each error code."""
    return dict(_CODE.findall(_read_page("messages")))


def _describe_topics(root: click.Context) -> str:
    """Return the commands and guides, each with its purpose, as --help lists commands, and CODE."""
    assert isinstance(root.command, click.Group)
    formatter = root.make_formatter()
    root.command.format_commands(root, formatter)
    with formatter.section("Guides"):
        formatter.write_dl(list(list_guides().items()))
    with formatter.section("Errors"):
        formatter.write_dl([("CODE", "the error with this code in brackets, such as path-exists.")])
    return formatter.getvalue().lstrip("\n")
