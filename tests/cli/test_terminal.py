# SPDX-License-Identifier: GPL-2.0-or-later
"""On a terminal: the pager, colour, and -C, as git has them."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import click
import pyte
import pytest

from patchgen.cli import terminal
from patchgen.cli.main import patchgen as group
from patchgen.cli.printer import Printer, write
from patchgen.errors import RefusedError
from tests.support.terminal import patchgen_on_terminal, run_on_terminal

# `config` prints more lines than this.
ROWS = 8


@pytest.fixture
def paged(tmp_path: Path) -> Path:
    """Return the file to which the pager of `PAGER` writes what it reads."""
    return tmp_path / "paged"


def test_long_output_is_paged_with_errors_in_order(toy, paged):
    (toy / "patchgen.toml").write_text("")
    env = {"PATCHGEN_PAGER": f"cat >{paged}; echo LESS=$LESS; exit 7"}
    shown = patchgen_on_terminal("config", cwd=toy, env=env, rows=ROWS)
    assert (shown.text, shown.code) == ("LESS=FRX\n", 0)
    text = paged.read_text()
    assert text.startswith("color") and text.rstrip().endswith("trusts it as it is now")
    assert "\x1b[" in text


def test_output_that_fits_the_screen_needs_no_pager(tmp_path, paged):
    env = {"PATCHGEN_PAGER": f"cat >{paged}"}
    shown = patchgen_on_terminal("config", cwd=tmp_path, env=env)
    assert shown.code == 0 and shown.text.startswith("color") and not paged.exists()


@pytest.mark.parametrize("args", [("run", "--help"), ("help", "run"), ("--help",)])
def test_a_long_help_is_paged(args, tmp_path, paged):
    env = {"PATCHGEN_PAGER": f"cat >{paged}"}
    shown = patchgen_on_terminal(*args, cwd=tmp_path, env=env)
    assert (shown.text, shown.code) == ("", 0)
    assert paged.read_text().startswith("Usage: patchgen ")
    paged.unlink()
    shown = patchgen_on_terminal("--no-pager", *args, cwd=tmp_path, env=env)
    assert shown.text.startswith("Usage: patchgen ") and not paged.exists()


def test_a_wrong_setting_does_not_hide_the_help(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "patchgen").mkdir()
    (tmp_path / "patchgen" / "config.toml").write_text("[")
    shown = patchgen_on_terminal("--help", cwd=tmp_path)
    assert shown.code == 0 and shown.text.startswith("Usage: patchgen ")


def test_a_pager_that_is_left_early_does_not_change_the_exit_code(toy, tmp_path):
    (tmp_path / "a.cocci").write_text("@r@\n@@\n-early_set_memory_decrypted\n+f\n (...)\n")
    args = ("run", tmp_path / "a.cocci", "--strict", "--tree", toy)
    shown = patchgen_on_terminal(*args, env={"PATCHGEN_PAGER": "head -c 1"}, rows=ROWS)
    assert shown.code == 1
    assert "diff --git" not in shown.text and "patchgen:" not in shown.text


def test_a_pager_that_cannot_be_started_loses_nothing(tmp_path):
    env = {"PATCHGEN_PAGER": "/no/such/pager --option"}
    shown = patchgen_on_terminal("config", cwd=tmp_path, env=env, rows=ROWS)
    assert shown.code == 0 and "color" in shown.text and "split" in shown.text


def test_a_pager_that_the_repository_names_is_not_started(toy, paged, git):
    git(toy, "config", "core.pager", f"cat >{paged}")
    env = {"PAGER": f"cat >{paged}.other"}
    patchgen_on_terminal("config", cwd=toy, env=env, rows=ROWS)
    assert not paged.exists() and Path(f"{paged}.other").exists()


@pytest.mark.parametrize(
    ("variables", "core", "setting", "expected"),
    [
        ({}, "", "", "less"),
        ({"PAGER": "one"}, "", "", "one"),
        ({"PAGER": "one"}, "two", "", "two"),
        ({"PAGER": "one", "GIT_PAGER": "three"}, "two", "", "three"),
        ({"PAGER": "one", "GIT_PAGER": "three"}, "two", "four", "four"),
        ({"PATCHGEN_PAGER": "five"}, "two", "four", "five"),
        ({"PAGER": "cat"}, "", "", ""),
        ({"GIT_PAGER": ""}, "two", "", ""),
        ({"PAGER": "one"}, "two", "false", ""),
    ],
)
def test_the_pager_is_chosen_as_git_does(
    variables, core, setting, expected, monkeypatch, tmp_path, git
):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for key, value in (("core.pager", core), ("patchgen.pager", setting)):
        if value:
            git(tmp_path, "config", "--global", key, value)
    with click.Context(group) as ctx:
        assert terminal.find_pager(ctx) == expected


@pytest.mark.parametrize(
    ("option", "variables", "setting", "in_pipe", "on_terminal"),
    [
        ("", {}, "", False, True),
        ("always", {"NO_COLOR": "1"}, "never", True, True),
        ("never", {"CLICOLOR_FORCE": "1"}, "always", False, False),
        ("", {"NO_COLOR": "1"}, "", False, False),
        ("", {"NO_COLOR": ""}, "", False, True),
        ("", {"NO_COLOR": "1"}, "always", True, True),
        ("", {"CLICOLOR_FORCE": "1"}, "", True, True),
        ("", {"CLICOLOR_FORCE": "0"}, "", False, True),
        ("", {"PATCHGEN_COLOR": "never"}, "always", False, False),
        ("auto", {"PATCHGEN_COLOR": "never"}, "always", False, True),
        ("", {"TERM": "dumb"}, "", False, False),
    ],
)
def test_colour_is_chosen(
    option, variables, setting, in_pipe, on_terminal, monkeypatch, tmp_path, git
):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if setting:
        git(tmp_path, "config", "--global", "patchgen.color", setting)
    for is_terminal, expected in ((False, in_pipe), (True, on_terminal)):
        monkeypatch.setattr(terminal, "is_terminal", lambda stream, result=is_terminal: result)
        args = [f"--color={option}"] if option else []
        with group.make_context("patchgen", [*args, "variants"]):
            assert terminal.uses_color(sys.stdout) is expected


def test_colour_is_an_option_before_and_after_the_command(patchgen, tmp_path):
    for args in (("--color=always", "config"), ("config", "--color", "always")):
        assert "\x1b[" in patchgen(*args, cwd=tmp_path).out
    assert "\x1b[" not in patchgen("--color=always", "config", "--color=never", cwd=tmp_path).out


DIFF = """\
diff --git a/x b/x
index 1..2 100644
--- a/x
+++ b/x
@@ -1,3 +1,3 @@ int f(void)
 a
--- removed
+++ added
 b
--- a/y
+++ b/y
"""


def test_a_diff_has_the_colours_of_git(capsys):
    """A removed line that begins with "-- " is not the name of a file."""
    with group.make_context("patchgen", ["--color=always", "variants"]):
        Printer().diff(DIFF)
    assert capsys.readouterr().out.splitlines() == [
        "\x1b[1mdiff --git a/x b/x\x1b[0m",
        "\x1b[1mindex 1..2 100644\x1b[0m",
        "\x1b[1m--- a/x\x1b[0m",
        "\x1b[1m+++ b/x\x1b[0m",
        "\x1b[36m@@ -1,3 +1,3 @@\x1b[0m int f(void)",
        " a",
        "\x1b[31m--- removed\x1b[0m",
        "\x1b[32m+++ added\x1b[0m",
        " b",
        "\x1b[1m--- a/y\x1b[0m",
        "\x1b[1m+++ b/y\x1b[0m",
    ]


def test_a_diff_has_the_colours_that_git_is_configured_to_use(capsys, monkeypatch, tmp_path, git):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.chdir(tmp_path)
    for slot, color in (("new", "bold blue"), ("func", "yellow"), ("old", "no-such-colour")):
        git(tmp_path, "config", "--global", f"color.diff.{slot}", color)
    with group.make_context("patchgen", ["--color=always", "variants"]):
        Printer().diff(DIFF)
    lines = capsys.readouterr().out.splitlines()
    assert lines[4] == "\x1b[36m@@ -1,3 +1,3 @@\x1b[0m\x1b[33m int f(void)\x1b[0m"
    assert lines[6:8] == ["\x1b[31m--- removed\x1b[0m", "\x1b[1;34m+++ added\x1b[0m"]


@pytest.mark.parametrize("folders", [["toy"], [".", "", "toy"], ["toy/arch", ".."]])
def test_a_folder_is_entered_as_git_does(folders, patchgen, toy):
    (toy / "a.cocci").write_text("@r@\n@@\n-early_set_memory_decrypted\n+f\n (...)\n")
    options = [text for folder in folders for text in ("-C", folder)]
    result = patchgen(*options, "run", "a.cocci", "arch", "--quiet", cwd=toy.parent)
    assert result.code == 0 and "+++ b/arch/x86/kernel/sev.c" in result.out, result.err


def test_a_folder_that_cannot_be_entered_is_a_usage_error(patchgen, tmp_path):
    result = patchgen("-C", "missing", "config", cwd=tmp_path)
    assert result.code == 2 and "cannot enter missing: No such file or directory" in result.err


@pytest.mark.parametrize("error", [KeyboardInterrupt, RefusedError("no")])
def test_a_command_that_fails_shows_its_output_first(error, capsys, monkeypatch, paged):
    """An interrupt ends the command, so its output is not paged then."""
    monkeypatch.setattr(terminal, "is_terminal", lambda stream: True)
    monkeypatch.setattr(terminal, "_fits_screen", lambda text: False)
    monkeypatch.setenv("PATCHGEN_PAGER", f"cat >{paged}")
    with group.make_context("patchgen", ["run"]) as ctx:
        with pytest.raises((KeyboardInterrupt, RefusedError)), terminal.paged_output(ctx, write):
            terminal.collect_output(ctx)
            Printer().line("one")
            assert capsys.readouterr().out == ""
            raise error
        shown = capsys.readouterr().out
    if error is KeyboardInterrupt:
        assert shown == "one\n" and not paged.exists()
    else:
        assert shown == "" and paged.read_text() == "one\n"


LONG = "a-semantic-patch-with-a-name-that-is-much-too-long-for-a-terminal-of-eighty-columns.cocci"


@pytest.mark.parametrize("output", ["", ">out"])
def test_a_progress_bar_fits_the_screen_and_leaves_nothing_on_it(output, toy):
    """With its output in a file, a command prints its notes next to the bar."""
    (toy / LONG).write_text("@r@\n@@\n-early_set_memory_decrypted\n+f\n (...)\n")
    command = f"{sys.executable} -m patchgen --no-pager run {LONG} {output}"
    shown = run_on_terminal(["sh", "-c", command], cwd=toy)
    assert shown.code == 0
    lines = re.split(r"[\r\n]", click.unstyle(shown.text))
    titled = [line for line in lines if "…" in line]
    assert titled and max(map(len, titled)) <= 80
    assert all(re.search(r"━ +\d+/\S+ +\d+ files/s", line) for line in titled)
    screen = pyte.Screen(80, 60)
    pyte.Stream(screen).feed(shown.text.replace("\n", "\r\n"))
    lines = [line.rstrip() for line in screen.display]
    printed = "\n".join(lines).rstrip().split("\n")
    assert not any("━" in line or "files/s" in line for line in lines)
    assert printed[0].startswith("diff --git" if not output else LONG[:80])
    assert not output or "" not in printed


def test_a_status_line_is_removed(tmp_path):
    code = (
        "from patchgen.cli.printer import Printer, echo\n"
        "with Printer().activity() as show:\n"
        "    show('building [red] x')\n"
        "    echo('note', err=True)\n"
        "echo('end')\n"
    )
    shown = run_on_terminal([sys.executable, "-c", code], cwd=tmp_path)
    assert "building [red] x" in shown.text
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(shown.text.replace("\n", "\r\n"))
    assert [line.strip() for line in screen.display[:3]] == ["note", "end", ""]


def test_a_reroll_names_what_it_is_doing(patchgen, pvops):
    command = ("reroll", "patchgen/pvops-v4", "--dry-run")
    shown = patchgen_on_terminal("--no-pager", *command, cwd=pvops).text
    titles = re.findall(r"^([a-z][a-z0-9 ]+?) +━", click.unstyle(shown.replace("\r", "\n")), re.M)
    assert list(dict.fromkeys(titles)) == [
        "reading the series",
        "planning v5",
        "making v5",
        "carrying edits over",
        "preparing the mails",
        "comparing the versions",
    ]
    screen = pyte.Screen(80, 24)
    pyte.Stream(screen).feed(shown.replace("\n", "\r\n"))
    assert not any("━" in line for line in screen.display)
    assert "━" not in patchgen(*command, cwd=pvops).err


def test_slow_commands_say_what_they_do(patchgen, pvops, tmp_path):
    args = ("new", tmp_path / "mine", "--rename", "old_call=new_call", "--on", "nosuch.c")
    shown = patchgen_on_terminal(*map(str, args), cwd=pvops).text
    assert "searching the tree for old_call and new_call" in shown
    shown = patchgen_on_terminal("send", "patchgen/pvops-v4", "--dry-run", cwd=pvops).text
    assert "planning the mails" in shown and "checking patchgen/pvops-v4" in shown
    shutil.rmtree(tmp_path / "mine")
    assert "searching" not in patchgen(*args, cwd=pvops).err


def test_the_progress_of_an_earlier_stage_is_dropped(tmp_path):
    code = (
        "from patchgen.cli.printer import Printer\n"
        "with Printer().stages() as begin:\n"
        "    first = begin('one')\n"
        "    first(2, 3)\n"
        "    begin('two')(5, 7)\n"
        "    first(3, 3)\n"
    )
    shown = run_on_terminal([sys.executable, "-c", code], cwd=tmp_path)
    assert shown.code == 0 and "two" in shown.text and "5/7" in shown.text
    assert "Traceback" not in shown.text and "3/3" not in shown.text


def test_output_that_is_cut_to_a_screen_is_complete_in_a_pipe(patchgen, pvops):
    people = [f"person-{number:02}@example.org" for number in range(60)]
    args = [f"--cc={person}" for person in people]
    command = ("send", "patchgen/pvops-v4", "--dry-run", "--skip-checks", *args)
    shown = patchgen_on_terminal("--no-pager", *command, cwd=pvops).text
    # The next command repeats the options.
    mails, _, command_to_send = shown.partition("Send them")
    assert "more" in mails and people[-1] not in mails and people[-1] in command_to_send
    assert "--verbose shows everything" in mails
    printed = patchgen(*command, cwd=pvops).out
    assert "more" not in printed and "--verbose" not in printed
    assert all(person in printed for person in people)
