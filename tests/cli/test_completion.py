# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in real shells: commands, options, revisions, names, and files with spaces."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from patchgen.cli.complete_values import completes_metavar
from patchgen.cli.main import patchgen as main_command
from patchgen.cli.shell_scripts import SCRIPTS
from tests.support import TOP
from tests.support.programs import install_patchgen
from tests.support.required import skip

# Each shell shows this prompt when it is ready.
PROMPT = "ready> "
_START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"PS1='{PROMPT}'; . ./script"),
    "zsh": (["zsh", "-f", "-i"], f"autoload -U compinit; compinit -u; . ./script; PS1='{PROMPT}'"),
    "fish": (
        ["fish", "--no-config", "-i"],
        f"source ./script; function fish_prompt; printf '{PROMPT}'; end",
    ),
}
_LONGEST_WAIT_S = 20.0


class Shell:
    """An interactive shell that completes command lines of patchgen."""

    def __init__(self, name: str, folder: Path, env: Mapping[str, str]):
        self._argv, setup = _START[name]
        (folder / "script").write_text(SCRIPTS[name])
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(self._argv[0], self._argv, {**env, "TERM": "xterm"})
        self._send(f" {setup}; printf '%s%s\\n' set up\n")
        self._read_until("setup")

    def complete(self, line: str) -> list[str]:
        """Return the arguments of a command line after its completion, as the shell splits them."""
        # Ctrl-E and Ctrl-A also close the list of a menu.
        self._send(f"{line}\t")
        self._send("\x05\x01printf '[%s]' begin \x05 end; echo\n")
        shown = self._read_until("[end]")
        printed = re.findall(r"\[([^\]]*)\]", shown.rpartition("[begin]")[2])
        return printed[: printed.index("end")]

    def close(self) -> None:
        self._send("\x03\nexit\n")
        os.close(self._terminal)
        os.waitpid(self._pid, 0)

    def _send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _read_until(self, end: str) -> str:
        shown = ""
        limit = time.monotonic() + _LONGEST_WAIT_S
        while end not in shown:
            ready, _, _ = select.select([self._terminal], [], [], limit - time.monotonic())
            assert ready, f"{self._argv[0]} does not print {end!r}: {shown!r}"
            shown += os.read(self._terminal, 1 << 16).decode(errors="replace")
        return shown


MANIFEST = """
[variant]
backends = ["one"]

[variables.order]
type = "choice"
choices = ["first", "last"]

[variables.strict]
type = "boolean"

[variables."bad\\u0007name"]
type = "string"
"""


def write_manifest(folder: Path) -> None:
    """Write a variant `sample`, with the variables of its manifest and of a backend's."""
    variant = folder / "semantic-patches/sample"
    (variant / "backends/one").mkdir(parents=True)
    (variant / "manifest.toml").write_text(MANIFEST)
    (variant / "backends/one/manifest.toml").write_text('[variables.name]\ntype = "string"\n')


@pytest.fixture(params=SCRIPTS)
def shell(request: pytest.FixtureRequest, toy: Path, git) -> Iterator[Shell]:  # type: ignore[no-untyped-def]
    """Return a shell in a tree with a branch, a tag, and files with odd names."""
    name = request.param
    if shutil.which(name) is None:
        skip("shells", f"apt-get install {name}")
    git(toy, "branch", "topic/one")
    git(toy, "tag", "v6.99")
    for file in ("my rule.cocci", "don't.cocci", "$x.cocci"):
        (toy / file).write_text("")
    (toy / "mails").mkdir()
    write_manifest(toy)
    (toy.parent / "bin").mkdir()
    install_patchgen(toy.parent / "bin/patchgen")
    path = f"{toy.parent / 'bin'}:{os.environ['PATH']}"
    shell = Shell(name, toy, {**os.environ, "PATH": path, "HISTFILE": "/dev/null"})
    yield shell
    shell.close()


CASES = {
    "patchgen app": ["patchgen", "apply"],
    "patchgen run my": ["patchgen", "run", "my rule.cocci"],
    "patchgen run 'my": ["patchgen", "run", "my rule.cocci"],
    "patchgen run my\\ r": ["patchgen", "run", "my rule.cocci"],
    "patchgen run don": ["patchgen", "run", "don't.cocci"],
    "patchgen run strs": ["patchgen", "run", "strscpy"],
    "patchgen show strs": ["patchgen", "show", "strscpy"],
    "patchgen show sam": ["patchgen", "show", "sample"],
    "patchgen status --onto v6.9": ["patchgen", "status", "--onto", "v6.99"],
    "patchgen status topic/o": ["patchgen", "status", "topic/one"],
    "patchgen verify --config no-p": ["patchgen", "verify", "--config", "no-paravirt"],
    "patchgen verify --config ./my": ["patchgen", "verify", "--config", "./my rule.cocci"],
    "patchgen apply sample -D order=fi": ["patchgen", "apply", "sample", "-D", "order=first"],
    # No space follows `order=`, so the second completion is that of its value.
    "patchgen apply sample -D ord\tla": ["patchgen", "apply", "sample", "-D", "order=last"],
    "patchgen apply sample --define=order=la": [
        "patchgen",
        "apply",
        "sample",
        "--define=order=last",
    ],
    "patchgen run x --color=alw": ["patchgen", "run", "x", "--color=always"],
    "patchgen -C arch/x86 run x mm/mem_e": [
        *("patchgen", "-C", "arch/x86", "run", "x", "mm/mem_encrypt.c"),
    ],
}


@pytest.mark.slow
def test_a_shell_completes(shell: Shell):
    assert {line: shell.complete(line) for line in CASES} == CASES


def test_only_the_command_that_is_completed_is_imported(tmp_path):
    """Names of commands, variants and branches have to come at once."""
    for args, absent in (
        (["a"], ("pydantic", "patchgen.cli.apply", "patchgen.spec")),
        (["run", "strs"], ("pydantic", "patchgen.cli.apply")),
        (["config", "job"], ("pydantic", "patchgen.cli.apply")),
    ):
        code = (
            "import atexit, sys; from patchgen.__main__ import main;"
            f"atexit.register(lambda: print([name for name in {absent} if name in sys.modules]));"
            "main()"
        )
        env = {**os.environ, "_PATCHGEN_COMPLETE": "zsh_complete"}
        argv = [sys.executable, "-c", code, *args]
        result = subprocess.run(argv, capture_output=True, text=True, env=env, check=True)
        *items, modules = result.stdout.splitlines()
        assert any(item.startswith("plain\t") for item in items) and modules == "[]"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["apply", "--sig"], ["--signoff"]),
        (["apply", "pvo"], ["pvops"]),
        (["apply", "pvops", "--backend", "s"], ["sev"]),
        (["apply", "../lm"], ["DIR"]),
        (["apply", "--variant", "../lm"], ["DIR"]),
        (["check", "./m"], ["DIR"]),
        (["compare", "pvops", "mine"], ["DIR"]),
        (["-C", "../li"], ["DIR"]),
        (["-C", "tree", "-C", "ar"], ["arch/"]),
        (["audit", "--diff", "v1..HE"], ["v1..HEAD"]),
        (["audit", "--diff", "HE"], ["HEAD.."]),
        (["apply", "--backend", "s", "--variant", "pvops", "--backend", ""], ["sev", "tdx"]),
        (["verify", "--skip", "a"], ["am"]),
        (["verify", "--config", "no-"], ["no-amd-mem-encrypt", "no-paravirt"]),
        (["verify", "--config", "all"], ["allmodconfig", "allmodconfig-arm64"]),
        (["verify", "--config", "./x"], ["FILE"]),
        (["apply", "sample", "-D", ""], ["order=", "strict=", "name="]),
        (["apply", "--variant", "sample", "--define", "o"], ["order="]),
        (["apply", "sample", "-D", "order="], ["order=first", "order=last"]),
        (["apply", "sample", "-D", "strict=t"], ["strict=true"]),
        (["apply", "sample", "-D", "name="], []),
        (["apply", "-D", ""], []),
        (["reroll", "--variant", "sample", "-D", "s"], ["strict="]),
        (["run", "sample", "-D", "n"], ["name="]),
        (["test", "sample", "-D", "n"], ["name="]),
        (["run", "rule.cocci", "-D", ""], ["patch", "report", "loud", "NEW="]),
        (["run", "rules", "-D", ""], ["loud"]),
        (["new", "x", "--on", "rul"], ["FILE"]),
        (["run", "--macros", ""], ["tree", "none", "FILE"]),
        (["run", "--tree", "tree", "x", "a"], ["arch/"]),
        (["run", "--tree", "tree", "x", "arch/x"], ["arch/x86/"]),
        (["config", "recipients.c"], ["recipients.cc", "recipients.cc_cover"]),
        (["-C", "tree", "run", "x", "arch/x86/m"], ["arch/x86/mm/"]),
        (["-C", "missing", "run", "--mode", "pa"], ["patch"]),
        (["no-such-command", ""], None),
    ],
)
def test_values_are_completed(args, expected, patchgen, tmp_path, monkeypatch):
    (tmp_path / "tree").symlink_to(TOP / "tests/tree")
    write_manifest(tmp_path)
    rule = "virtual patch, report\nvirtual loud\n@@ identifier virtual.NEW; @@\n-a();\n+NEW();\n"
    (tmp_path / "rule.cocci").write_text(rule)
    (tmp_path / "rules").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"rules/{name}.cocci").write_text("virtual loud\n@@@@\n-a();\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/aarch64-linux-gnu-gcc").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin")
    monkeypatch.setenv("_PATCHGEN_COMPLETE", "zsh_complete")
    assert expected is None or complete(patchgen, tmp_path, *args) == expected


def complete(patchgen, folder: Path, *args: str) -> list[str]:  # type: ignore[no-untyped-def]
    """Return the completions of the last argument; those of files are their kind in capitals."""
    result = patchgen(*args, cwd=folder)
    assert result.err == ""
    items = [line.split("\t") for line in result.out.splitlines() if line]
    return [value if kind == "plain" else kind.upper() for kind, value, _ in items]


def test_names_of_a_series_are_completed(patchgen, toy, monkeypatch):
    assert patchgen("apply", "pvops", "--branch", "topic", cwd=toy).code == 0
    monkeypatch.setenv("_PATCHGEN_COMPLETE", "zsh_complete")
    for args, expected in (
        (("send", "topic", "--only", "c"), ["cover", "callers"]),
        (
            ("send", "topic", "--only", "op,sev,cover,"),
            ["op,sev,cover,callers", "op,sev,cover,hypercall"],
        ),
        (("send", "--only", ""), []),
        (("reroll", "topic", "--changes", "c"), ["cover=", "callers="]),
        (("reroll", "topic", "--backend", ""), ["sev", "tdx"]),
        (("reroll", "topic", "-D", "li"), ["link="]),
        (("reroll", "none", "-D", ""), []),
        (("apply", "pvops", "--branch", "t"), ["topic"]),
        (("send", "topic", "--resume", "--arrived", ""), []),
    ):
        assert complete(patchgen, toy, *args) == expected


# Parameters whose values cannot be listed: any text or number, and names among too many.
OPEN_KINDS = {
    *("N", "NUMBER", "SECONDS", "TEXT", "ADDRESS", "MESSAGE-ID"),
    # The functions of a kernel, words of C, and variables of make.
    *("FUNCTION", "OLD=NEW", "NAME=VALUE"),
}


def test_each_parameter_with_a_closed_set_of_values_is_completed():
    root = click.Context(main_command)
    without = {}
    for name in main_command.list_commands(root):
        command = main_command.get_command(root, name)
        assert command is not None
        for param in command.params:
            is_flag = isinstance(param, click.Option) and (param.is_flag or param.count)
            is_listed = isinstance(param.type, click.Choice | click.Path) or completes_metavar(
                param
            )
            has_own = param._custom_shell_complete is not None
            if not (is_flag or is_listed or has_own) and param.metavar not in OPEN_KINDS:
                without[f"{name} {param.opts[-1]}"] = param.metavar
    assert without == {}
