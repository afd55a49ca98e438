# SPDX-License-Identifier: GPL-2.0-or-later
"""What reaches the terminal: one module prints, and shows control characters as escapes."""

from __future__ import annotations

import ast
import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies

import patchgen
from patchgen.cli.printer import Printer, echo, print_table
from patchgen.controls import has_controls

PACKAGE = Path(patchgen.__file__).parent
HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x9b1m \u202ecba \udce4 [bold]x[/bold]"
SHOWN = "\\x1b[31mred\\x1b]0;title\\x07 \\x9b1m \\u202ecba \\xe4 [bold]x[/bold]"


def seen_on_a_terminal(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> str:
    """Return what is printed where standard output is a terminal."""
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            patch.setenv("TERM", "xterm")
            act()
        terminal.flush()
        seen = os.read(leader, 1 << 16)
    os.close(leader)
    return seen.decode()


def test_lines_and_tables_show_control_characters(capsys):
    echo(HOSTILE)
    Printer().line(HOSTILE)
    Printer().parts((HOSTILE, {}))
    Printer().note(HOSTILE)
    Printer().warning(HOSTILE)
    print_table(["a"], [[HOSTILE]])
    out, err = capsys.readouterr()
    assert out.count(SHOWN) == 4 and err.count(SHOWN) == 2
    assert not has_controls(out + err, allow="\n")


def test_a_diff_is_raw_in_a_pipe_and_readable_on_a_terminal(capfdbinary, monkeypatch):
    diff = f"--- a/f.c\n+++ b/f.c\n@@ -1 +1 @@\n-a\n+{HOSTILE}\n"
    monkeypatch.setattr(sys, "stdout", os.fdopen(os.dup(1), "w", encoding="utf-8"))
    Printer().diff(diff)
    Printer().text(HOSTILE + "\n")
    sys.stdout.close()
    monkeypatch.undo()
    raw = (diff + HOSTILE + "\n").encode("utf-8", "surrogateescape")
    assert capfdbinary.readouterr().out == raw
    seen = seen_on_a_terminal(monkeypatch, lambda: Printer().diff(diff))
    assert f"\x1b[32m+{SHOWN}\x1b[0m" in seen
    seen = seen_on_a_terminal(monkeypatch, lambda: Printer().text(HOSTILE + "\n"))
    assert seen == SHOWN + "\r\n"


@given(strategies.text(strategies.characters()), strategies.text(strategies.characters()))
def test_json_is_valid_utf8_for_any_text(key, value):
    from io import BytesIO, TextIOWrapper

    stream = TextIOWrapper(BytesIO(), encoding="ascii")
    before, sys.stdout = sys.stdout, stream
    try:
        Printer(as_json=True).document({key: [value, (value,)]})
    finally:
        sys.stdout = before
    document = json.loads(stream.buffer.getvalue().decode("utf-8"))
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    if not has_controls(value):
        assert next(iter(document.values())) == [value, [value]]


def _calls(path: Path) -> list[str]:
    calls = (node.func for node in ast.walk(ast.parse(path.read_bytes())) if type(node) is ast.Call)
    return [ast.unparse(called) for called in calls]


PRINTS = {"print", "click.echo", "click.secho", "click.echo_via_pager", "Console", "console.print"}
STREAMS = ("sys.stdout.write", "sys.stderr.write", "sys.stdout.buffer", "sys.stderr.buffer")


def test_only_the_printer_prints():
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        found = {call for call in _calls(path) if call in PRINTS or call.startswith(STREAMS)}
        assert name in ("cli/printer.py", "cli/progress.py") or not found, (name, found)
