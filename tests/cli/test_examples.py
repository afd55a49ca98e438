# SPDX-License-Identifier: GPL-2.0-or-later
"""Each example in a command's help works, in a tree that has what the example names."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.support.commands import read_commands
from tests.support.prepared import Prepared

COMMANDS = read_commands()
EXAMPLES = [line for command in COMMANDS.values() for line in command.examples]
# The parser reads these, too, but they do not run.
NOT_RUN = {
    "patchgen audit --rev v6.1": "the toy tree has no start_kernel()",
    "patchgen audit --why start_kernel": "the toy tree has no start_kernel()",
    "patchgen compare pvops x86-platform": "it compiles",
    "patchgen compare pvops sev-hypercall vmmcall-default --base v6.1 -j 2": "it compiles",
    "patchgen send patchgen/pvops-v4 --only 0-2": "it sends mails",
    "patchgen verify": "it compiles",
    "patchgen verify v6.1..HEAD --config x86_64 --skip code": "it compiles",
}
RULE = "@drop@\nexpression E;\n@@\n-old(E);\n+new(E);\n"
CODE = "void f(int a)\n{\n\told(a);\n}\n"
REPORT = "virtual report\n\n@r depends on report@\nposition p;\n@@\nold@p(...);\n\n"
REPORT += "@script:python depends on report@\np << r.p;\n@@\nprint(p[0].line)\n"
REPLY = """\
From x@y Thu Jan  1 00:00:00 1970
From: Mem Maintainer <mem@example.org>
Message-ID: <reply@example.org>
In-Reply-To: {id}
Subject: Re: [PATCH v4 1/4] x86/paravirt: Add an op for page encryption status changes
Date: Mon, 30 Nov 2026 10:00:00 +0000

If you reword the comment: Reviewed-by: Mem Maintainer <mem@example.org>
"""


@pytest.fixture
def tree(prepared: Prepared, git: Callable[..., str], tmp_path: Path) -> Path:
    """Return a copy of the toy tree with what the examples name; its series is checked out."""

    def make(folder: Path) -> None:
        prepared.copy_series(folder / "linux", ("--signoff",))
        add_files(folder / "linux", git)

    source = prepared.make_once("examples", make)
    subprocess.run(["cp", "-a", source / "linux", tmp_path], check=True)
    return tmp_path / "linux"


def add_files(tree: Path, git: Callable[..., str]) -> None:
    """Add tags, a branch, semantic patches and mails to the toy tree with a series."""
    git(tree, "tag", "v6.1", "master")
    git(tree, "switch", "-q", "-c", "newer", "master")
    (tree / "net").mkdir()
    (tree / "net" / "core.c").write_text(CODE)
    git(tree, "add", "net")
    git(tree, "commit", "-q", "-m", "newer")
    git(tree, "tag", "v6.2")
    git(tree, "switch", "-q", "patchgen/pvops-v4")
    (tree / "dev_put.cocci").write_text(RULE)
    (tree / "dev_put.c").write_text(CODE)
    (tree / "report.cocci").write_text(REPORT)
    mails = [path.read_text() for path in sorted(tree.glob("outgoing/pvops-v4/v4-*.patch"))]
    (tree / "v4.mbox").write_text("\n".join(mails))
    [id_line] = [line for line in mails[1].splitlines() if line.startswith("Message-ID: ")]
    (tree / "replies.mbox").write_text(REPLY.format(id=id_line.partition(": ")[2]))


def read_args(example: str) -> list[str]:
    """Return the arguments of an example, without the file that its output goes to."""
    name, *args = shlex.split(example.partition(" > ")[0])
    assert name == "patchgen"
    return args


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_two_examples_that_fit_a_terminal(name: str):
    assert len(COMMANDS[name].examples) >= 2
    text = COMMANDS[name].get_help(click.Context(COMMANDS[name], info_name=f"patchgen {name}"))
    assert text.index("\nExamples:\n") > text.index("\nOptions:\n")
    for example, effect in COMMANDS[name].examples.items():
        assert read_args(example)[0] == name
        assert f"\n  {example}\n      {effect}" in text
        assert effect.endswith(".")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("example", [line for line in EXAMPLES if line not in NOT_RUN])
def test_an_example_works(example: str, tree, git, patchgen):
    args = read_args(example)
    if args[0] == "apply":
        git(tree, "switch", "-q", "master")
        git(tree, "branch", "-q", "-D", "patchgen/pvops-v4")
        shutil.rmtree(tree / "outgoing")
    elif args[0] == "run":
        git(tree, "switch", "-q", "newer")
    result = patchgen(*args, cwd=tree)
    assert (result.code, bool(result.out)) == (0, True), result.err


@pytest.mark.parametrize("example", NOT_RUN)
def test_an_example_that_does_not_run_has_valid_arguments(example: str):
    assert example in EXAMPLES
    name, *args = read_args(example)
    COMMANDS[name].make_context(name, args).close()
