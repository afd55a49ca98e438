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

import pytest

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
    "patchgen status --onto v6.9": ["patchgen", "status", "--onto", "v6.99"],
    "patchgen status topic/o": ["patchgen", "status", "topic/one"],
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
    monkeypatch.setenv("_PATCHGEN_COMPLETE", "zsh_complete")
    result = patchgen(*args, cwd=tmp_path)
    assert result.err == ""
    items = [line.split("\t") for line in result.out.splitlines()]
    values = [value if kind == "plain" else kind.upper() for kind, value, _ in items]
    assert expected is None or values == expected
