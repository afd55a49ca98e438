# SPDX-License-Identifier: GPL-2.0-or-later
"""Each `patchgen COMMAND --option` in a message or a page has a command and options that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import read_commands
from tests.unit.test_hints import join_texts

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "patchgen").rglob("*.py"))
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
# Options of other programs after a pipe are not those of the command.
NAMED = re.compile(r"`patchgen\s+(?P<command>[a-z]\w*)(?P<args>[^`|]*)")
OPTION = re.compile(r"(?<![^\s\[(])--?[a-zA-Z][a-z0-9-]*")
OPTIONS = {
    name: {
        "--help",
        *(each for option in command.params for each in (*option.opts, *option.secondary_opts)),
    }
    for name, command in read_commands().items()
}


def find_faults(text: str) -> Iterator[str]:
    """Yield each command, or option of a command, that does not exist."""
    for named in NAMED.finditer(text):
        command = named["command"]
        if command not in OPTIONS:
            yield command
            continue
        for option in OPTION.findall(named["args"]):
            if option not in OPTIONS[command]:
                yield f"{command} {option}"


def read_texts(source: str) -> Iterator[str]:
    """Yield the texts of a module, and the arguments of the commands that it formats."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            yield join_texts(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "format_patchgen":
            words = [join_texts(arg) for arg in node.args[1:] if isinstance(arg, ast.Constant)]
            yield f"`patchgen {' '.join(words)}`"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_in_the_texts_of_a_module_exist(path: Path):
    assert [fault for text in read_texts(path.read_text()) for fault in find_faults(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_in_a_page_exist(path: Path):
    assert list(find_faults(path.read_text())) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('hint="`patchgen reroll X --base REV` starts one"', "reroll --base"),
        ('hint="x: " "`patchgen "\\\n "reroll X -v 3 --base=REV`"', "reroll --base"),
        ('hint=f"`patchgen reroll {branch} --base {x}` starts one"', "reroll --base"),
        ('hint="`patchgen rerol`"', "rerol"),
        ('format_patchgen(tree, "send", name, "--dry")', "send --dry"),
    ],
)
def test_a_command_that_does_not_exist_is_found(source: str, fault: str):
    assert fault in [each for text in read_texts(f"f({source})") for each in find_faults(text)]


def test_the_commands_of_hints_are_read():
    text = "".join(text for path in SOURCES for text in read_texts(path.read_text()))
    assert len(NAMED.findall(text)) > 50
