# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the manual pages, and the command reference of the site, from what --help shows.

click writes a help through a HelpFormatter. Those here write the same parts as man(7) macros and as
Markdown.

    manual.py DIR    write the manual pages into this folder
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from patchgen.cli.main import COMMANDS, patchgen
from patchgen.version import find_version

# Code in a help text: text between backticks, or an option.
_CODE = re.compile(r"`([^`]+)`|(?<![\w-])(--?[A-Za-z][\w-]*)")
# Characters that roff would print as another one; code must be printed as it is typed.
_ROFF_CODE = {"'": r"\(aq", "`": r"\(ga", "~": r"\(ti", "^": r"\(ha"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$])")


class ManPage(click.HelpFormatter):
    """A help as the source of a manual page."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write_heading("Synopsis")
        self.write(f"{_bold(prog)} {_escape_roff(args)}\n")

    def write_heading(self, heading: str) -> None:
        self.write(f".SH {heading.upper()}\n")

    def write_paragraph(self) -> None:
        """Write nothing: a heading or a macro of write_text() separates the parts."""

    def write_text(self, text: str) -> None:
        paragraphs = (_mark_code(paragraph, _bold, _escape_roff) for paragraph in _split(text))
        self.write(".PP\n".join(f"{paragraph}\n" for paragraph in paragraphs))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        for term, text in rows:
            shown = re.sub(r"[^\s,/]+", _style_word, term) if term[0] == "-" else _bold(term)
            self.write(f".TP\n{shown}\n{_mark_code(text, _bold, _escape_roff)}\n")


class MarkdownPage(click.HelpFormatter):
    """A help as a page of the site."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write(f"```text\n{prog} {args}\n```\n\n")

    def write_heading(self, heading: str) -> None:
        self.write(f"## {heading}\n\n")

    def write_paragraph(self) -> None:
        """Write nothing: each part ends with an empty line."""

    def write_text(self, text: str) -> None:
        for paragraph in _split(text):
            self.write(_mark_code(paragraph, _quote, _escape_markdown) + "\n\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        for term, text in rows:
            self.write(f"{_quote(term)}\n: {_mark_code(text, _quote, _escape_markdown)}\n\n")


def make_man_pages(version: str, date: str) -> dict[str, str]:
    """Return the source of each manual page by file name; `date` is YYYY-MM-DD, or empty."""
    return {
        f"{_hyphenate(context)}.1": _make_man_page(context, version, date)
        for context in _list_contexts()
    }


def make_reference() -> dict[str, str]:
    """Return the pages of the site's command reference, in Markdown, by file name."""
    pages = {}
    for context in _list_contexts():
        page = MarkdownPage()
        page.write(f"# {context.command_path}\n\n")
        _write_help(context, page)
        pages[f"{_hyphenate(context)}.md"] = page.getvalue()
    toctree = "".join(f"{name.removesuffix('.md')}\n" for name in pages if name != "patchgen.md")
    pages["patchgen.md"] += f"```{{toctree}}\n:hidden:\n\n{toctree}```\n"
    return pages


def find_source_date() -> str:
    """Return the date of $SOURCE_DATE_EPOCH, or an empty text: the same source, the same pages."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds))) if seconds else ""


def _list_contexts() -> Iterator[click.Context]:
    """Yield the contexts of patchgen and of its commands."""
    root = click.Context(patchgen, info_name="patchgen", **patchgen.context_settings)
    yield root
    for name in COMMANDS:
        command = patchgen.get_command(root, name)
        assert command is not None
        yield click.Context(command, parent=root, info_name=name)


def _make_man_page(context: click.Context, version: str, date: str) -> str:
    name = _hyphenate(context)
    if context.parent:
        purpose, others = COMMANDS[context.info_name or ""], ["patchgen"]
    else:
        purpose, others = _split(context.command.help or "")[0], [f"patchgen-{n}" for n in COMMANDS]
    page = ManPage()
    page.write(
        f'.TH {_escape_code(name.upper())} 1 "{date}" "patchgen {version}" "patchgen manual"\n'
    )
    # As git's pages have it: no hyphens and no wide spaces in what a reader copies.
    page.write(".nh\n.ad l\n")
    page.write_heading("Name")
    purpose = purpose[0].lower() + purpose[1:].removesuffix(".")
    page.write(f"{_escape_code(name)} \\- {_escape_roff(purpose)}\n")
    _write_help(context, page)
    page.write_heading("See also")
    page.write(", ".join(f"{_bold(other)}(1)" for other in others) + "\n")
    return page.getvalue()


def _write_help(context: click.Context, page: click.HelpFormatter) -> None:
    command = context.command
    command.format_usage(context, page)
    with page.section("Description"):
        command.format_help_text(context, page)
    command.format_options(context, page)
    command.format_epilog(context, page)


def _hyphenate(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _split(text: str) -> list[str]:
    """Return the paragraphs of a help text, each as one line."""
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]


def _mark_code(text: str, code: Callable[[str], str], prose: Callable[[str], str]) -> str:
    def convert() -> Iterable[str]:
        end = 0
        for match in _CODE.finditer(text):
            yield prose(text[end : match.start()])
            yield code(match[1] or match[2])
            end = match.end()
        yield prose(text[end:])

    return "".join(convert())


def _style_word(match: re.Match[str]) -> str:
    """Make an option bold, and what stands for its value italic."""
    return _bold(match[0]) if match[0].startswith("-") else f"\\fI{_escape_code(match[0])}\\fP"


def _bold(code: str) -> str:
    return f"\\fB{_escape_code(code)}\\fP"


def _escape_code(code: str) -> str:
    return "".join(_ROFF_CODE.get(char, char) for char in _escape_roff(code))


def _escape_roff(text: str) -> str:
    # roff may break a line after a hyphen, and print it as U+2010, but not so for \-.
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    # A line that begins with one of these would be a request.
    return re.sub(r"^(?=[.'])", r"\\&", escaped)


def _quote(code: str) -> str:
    return f"`{code}`"


def _escape_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for file_name, source in make_man_pages(find_version(), find_source_date()).items():
        (folder / file_name).write_text(source, encoding="utf-8")
