# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the command blocks of README.md and of the pages in docs/, and run them.

A block of commands is fenced and has the language `console`. A line with `$ ` begins a command, and
all other lines are output. A comment above a block has what the reader does not need to see:

    <!-- tree: toy -->            from here on, the blocks run in a new copy of this tree; a page
                                  must have one before its first block that runs
    <!-- file: NAME -->           the block below is the content of this file, in the folder above
                                  the tree
    <!-- setup: COMMANDS -->      commands that run first, such as sending a reply
    <!-- exit: 1 -->              the last command of the block below ends with this code
    <!-- not run: REASON -->      the block below cannot be run in a test

All blocks of a tree run in one shell that begins in the folder above the tree `linux`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import TOP

PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
# Where `make demo` leaves its tree.
_DEMO_TREE = "/tmp/patchgen-demo-$(id -un)/tree"
_PARTS = re.compile(
    r"^<!-- (?P<key>tree|file|setup|exit|not run): (?P<value>.*?) ?-->$"
    r"|^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Text that differs between runs: ids, times, dates, and counts of files.
_VARYING = re.compile(
    r"\b[0-9a-f]{7,40}\b|\b\d+\.\d s\b|\b\d{4}-?\d\d-?\d\d\b"
    r"|\b\d+(?= (?:files|places|candidates|cached|run)\b)|\.\.\."
)
# In a kernel, each stable release also changes counts of matches, numbers of lines and plurals.
VARYING_BY_RELEASE = re.compile(
    rf"{_VARYING.pattern}|\b\d+\b|(?<=\bfile)s?\b|(?<=\bplace)s?\b|(?<=\bhit)s?\b"
)


@dataclass(frozen=True)
class Command:
    """A command of a page, the output that the page shows, and the expected exit code."""

    text: str
    shown: str
    code: int = 0


@dataclass(frozen=True)
class Session:
    """The commands of one shell in one tree, and the files that it needs."""

    page: str
    tree: str
    commands: list[Command] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """A fenced block, with the markers above it by key."""

    language: str
    text: str
    markers: Mapping[str, str]


def read_blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks. The markers `tree` and `setup` need no block, so they get one."""
    markers: dict[str, str] = {}
    for part in _PARTS.finditer(text):
        if part["key"] in ("tree", "setup"):
            yield Block("", "", {part["key"]: part["value"]})
        elif part["key"]:
            markers[part["key"]] = part["value"]
        else:
            yield Block(part["language"], part["text"], markers)
            markers = {}


def read_sessions(page: Path) -> Iterator[Session]:
    """Yield what a page runs, a session for each marker `tree`."""
    session = None
    for block in read_blocks(page.read_text(encoding="utf-8")):
        if tree := block.markers.get("tree"):
            if session:
                yield session
            session = Session(page.name, tree)
        elif session and (commands := block.markers.get("setup")):
            session.commands.append(Command(commands, ""))
        elif session and (name := block.markers.get("file")):
            session.files[name] = block.text
        elif block.language == "console" and "not run" not in block.markers:
            assert session, f"{page.name}: a block has no tree above it:\n{block.text}"
            session.commands.extend(_read_commands(block))
    if session:
        yield session


def _read_commands(block: Block) -> list[Command]:
    """Split a block into commands. One whose line ends with a backslash has more lines."""
    pieces = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert pieces[0] == "", f"output without a command:\n{block.text}"
    commands = []
    for piece in pieces[1:]:
        text, _, shown = re.sub(r"\\\n *", "", piece).partition("\n")
        commands.append(Command(text, shown))
    last = commands[-1]
    commands[-1] = Command(last.text, last.shown, int(block.markers.get("exit", 0)))
    return commands


def run_session(session: Session, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run a session in the folder above the tree `linux`; return the differences from the page."""
    for name, text in session.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    marks = [f"\n@@ command {number} @@\n" for number in range(len(session.commands) + 1)]
    script = "".join(
        f'printf {mark!r}; printf {mark!r} >&2\n{command.text}\necho "@@ $?"\n'
        for mark, command in zip(marks, session.commands, strict=False)
    ).replace(_DEMO_TREE, str(folder / "linux"))
    result = subprocess.run(
        ["bash", "-u", "-c", script],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=dict(environment),
    )
    varying = VARYING_BY_RELEASE if session.tree == "6.1" else _VARYING
    faults = []
    for number, command in enumerate(session.commands):
        out, err = (_cut(stream, marks, number) for stream in (result.stdout, result.stderr))
        out, _, code = out.rpartition("@@ ")
        if code.strip() != str(command.code):
            faults.append(f"$ {command.text}\nended with {code.strip()}:\n{out}{err}")
        elif missing := find_missing(command.shown, f"{out}\n{err}", varying):
            faults.append(f"$ {command.text}\ndid not print:\n{missing}\nbut:\n{out}{err}")
    return faults


def _cut(stream: str, marks: list[str], number: int) -> str:
    return stream.partition(marks[number])[2].partition(marks[number + 1])[0]


def find_missing(shown: str, printed: str, varying: re.Pattern[str] = _VARYING) -> str:
    """Return the first part of the shown output that is not in the printed output, or "".

    The parts must occur in order. A run of white space matches any other, and `...` and what
    matches `varying` any text.
    """
    remaining = " ".join(printed.split())
    for line in filter(None, re.split(r"^\s*\.\.\.\n", shown, flags=re.MULTILINE)):
        expected = " ".join(line.split())
        pattern = ".*?".join(map(re.escape, varying.split(expected)))
        match = re.search(pattern, remaining)
        if match is None:
            return expected
        remaining = remaining[match.end() :]
    return ""
