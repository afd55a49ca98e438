# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that are printed as next steps work where the user is."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgen.cli.next_steps import format_verify, repeat_options
from patchgen.cli.send import command as send_command
from tests.conftest import Finished, Patchgen
from tests.support.kernels import commit_all

V4 = "patchgen/pvops-v4"
# Options that let a printed command finish at once.
FAST_CHECKS = [f"--skip={check}" for check in ("checkpatch", "sections", "build", "code")]
HARMLESS = {"send": ["--dry-run"], "reroll": ["--dry-run"]}
# How a user in the folder above names the tree.
NAMED = [("-C", "toy"), ("--tree", "toy")]


def read_steps(output: str) -> list[list[str]]:
    """Return the arguments of each printed command."""
    lines = re.findall(r"^  ((?:patchgen|git) .*)$", output, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.fixture(params=NAMED, ids=lambda named: named[0])
def work(request: pytest.FixtureRequest, patchgen: Patchgen, toy: Path) -> Callable[..., Finished]:
    """Run a command on the toy tree from the folder above, and then each step that it prints.

    Return the result of the command.
    """
    option, name = request.param

    def run(*args: str, steps: tuple[str, ...]) -> Finished:
        command, *others = args
        named = [option, name, command] if option == "-C" else [command, option, name]
        result = patchgen(*named, *others, cwd=toy.parent)
        printed = read_steps(result.out)
        verbs = [step[3] if step[1] == "-C" else step[1] for step in printed]
        assert tuple(verbs) == steps, result.out + result.err
        for verb, step in zip(verbs, printed, strict=True):
            if step[0] == "git":
                assert subprocess.check_output(step, cwd=toy.parent)
            else:
                done = patchgen(*step[1:], *HARMLESS.get(verb, []), cwd=toy.parent)
                assert done.code == 0, done.err
        return result

    return run


def test_after_a_series_was_made(work, toy):
    result = work("apply", "pvops", "--signoff", steps=("verify", "log", "send"))
    alternative = re.search(r"# or: (git send-email .*)$", result.out, re.MULTILINE)
    assert alternative is not None
    # The shell expands the pattern.
    listed = subprocess.check_output(
        ["sh", "-c", f"ls {alternative[1].removeprefix('git send-email')}"],
        cwd=toy.parent,
        text=True,
    )
    assert len(listed.splitlines()) == 5
    work("format", V4, steps=("verify", "log", "send"))
    work("reroll", V4, steps=("verify", "send"))
    work("send", V4, "--dry-run", steps=("send",))
    work("import", str(toy / "outgoing/pvops-v4"), steps=("log",))


@pytest.mark.parametrize(
    "chosen",
    [
        ["--only", "0"],
        ["--reflect", "--skip-checks"],
        ["--to", "list@example.org", "--cc", "a@example.org", "--cc", "b b <b@example.org>"],
        ["--cc-cover", "chief@example.org", "--in-reply-to", "<id@example.org>"],
    ],
    ids=lambda chosen: chosen[0],
)
def test_the_command_after_a_dry_run_sends_what_was_shown(patchgen, pvops, chosen):
    """Without --only, it would send all mails."""
    others = ["--dry-run", "--verbose", "--yes", "--color", "never"]
    shown = patchgen("send", V4, *others, *chosen, cwd=pvops)
    [step] = read_steps(shown.out)
    assert step[:3] == ["patchgen", "send", V4]
    assert sorted(step[3:]) == sorted(chosen)
    again = patchgen(*step[1:], *others, cwd=pvops)
    assert again.code == 0 and again.out == shown.out


def test_no_option_is_lost_in_a_next_step():
    """All are repeated but --tree, which the command has anyway, and those to be dropped."""
    given = {"arrived": "1", "again": "2", "tree": "toy", "get_maintainer": "sh"}
    args = []
    for option in send_command.params:
        # The group adds --color, which is about the output only.
        if option.param_type_name == "option" and option.name not in ("help", "color"):
            name = option.opts[-1]
            args += [name] if option.is_flag else [name, given.get(option.name, "x@example.org")]
    ctx = send_command.make_context("send", list(args))
    with ctx:
        repeated = repeat_options("dry_run", "yes")
        program = str(ctx.params["get_maintainer"])
    expected = [arg for arg in args if arg not in ("--dry-run", "--yes", "--tree", "toy")]
    assert repeated == [program if arg == "sh" else arg for arg in expected]


def test_verify_skips_only_the_checks_whose_files_the_base_lacks(git, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/checkpatch.pl").write_text("")
    commit_all(tmp_path, "base")
    build = "--skip sections --skip build --skip code"
    assert format_verify(tmp_path, "HEAD", "x") == f"patchgen verify --tree {tmp_path} x {build}"
    (tmp_path / "Kconfig").write_text("")
    git(tmp_path, "add", "Kconfig")
    git(tmp_path, "commit", "-q", "-m", "Kconfig")
    assert format_verify(tmp_path, "HEAD", "x") == f"patchgen verify --tree {tmp_path} x"
    lacking = format_verify(tmp_path, "HEAD:scripts", "x")
    assert lacking == f"patchgen verify --tree {tmp_path} x --skip checkpatch {build}"


def test_after_a_check(work, pvops):
    work("verify", V4, *FAST_CHECKS, steps=("send",))


def test_after_a_check_of_what_is_not_a_branch(work, git, pvops):
    """A range or an mbox cannot be sent; a folder can, if patchgen made its mails."""
    folder = pvops / "outgoing/pvops-v4"
    work("verify", str(folder), *FAST_CHECKS, steps=("send",))
    mbox = pvops.parent / "all.mbox"
    mails = [path.read_bytes() for path in sorted(folder.iterdir())]
    mbox.write_bytes(b"".join(b"From x Mon Sep 17 00:00:00 2001\n" + mail for mail in mails))
    base = git(pvops, "merge-base", V4, "HEAD").strip()
    for name in (f"{base}..{V4}", f"{V4}~2..{V4}", str(mbox)):
        work("verify", name, *FAST_CHECKS, steps=())
    git(pvops, "checkout", "-q", "-b", "own", base)
    (pvops / "new.txt").write_text("Text\n")
    git(pvops, "add", "new.txt")
    git(pvops, "commit", "-q", "-s", "-m", "doc: Add a text\n\nIt is new.")
    work("verify", "own", *FAST_CHECKS, steps=())
    git(pvops, "format-patch", "-q", "-o", pvops.parent / "plain mails", base)
    work("verify", str(pvops.parent / "plain mails"), *FAST_CHECKS, steps=())


def test_after_a_check_failed(patchgen, git, pvops):
    git(pvops, "checkout", "-q", "-b", "own", f"{V4}~3")
    (pvops / "new.txt").write_text("Text\n")
    git(pvops, "add", "new.txt")
    git(pvops, "commit", "-q", "-s", "-m", "doc: Adding a text\n\nIt is new.")
    base = git(pvops, "merge-base", V4, "master").strip()
    for name, steps in (("own", ["rebase", "format", "verify"]), (f"{base}..own", [])):
        result = patchgen("verify", name, *FAST_CHECKS, cwd=pvops)
        assert result.code == 1
        assert [step[1] for step in read_steps(result.out)] == steps, result.out


def test_after_tags_were_added(work, pvops):
    mail = next(pvops.glob("outgoing/pvops-v4/v4-0001-*")).read_text()
    headers = dict(re.findall(r"^([\w-]+): (.*)$", mail.partition("\n\n")[0], re.MULTILINE))
    (pvops.parent / "reply.eml").write_text(
        f"From: Bea <bea@example.org>\nSubject: Re: {headers['Subject']}\n"
        f"Message-ID: <reply@example.org>\nIn-Reply-To: {headers['Message-ID']}\n\n"
        "Reviewed-by: Bea <bea@example.org>\n"
    )
    work("trailers", V4, str(pvops.parent / "reply.eml"), steps=("reroll",))


def test_after_a_test_passed(patchgen, toy, tmp_path):
    for command in ("test", "show"):
        steps = read_steps(patchgen(command, "strscpy", cwd=toy).out)
        assert steps == [["patchgen", "run", "strscpy"]]
    folder = tmp_path / "my rules"
    folder.mkdir()
    (folder / "a.cocci").write_text("@r@\n@@\n-f();\n+g();\n")
    (folder / "a.c").write_text("void h(void)\n{\n\tf();\n}\n")
    (folder / "a.res").write_text("void h(void)\n{\n\tg();\n}\n")
    [step] = read_steps(patchgen("test", "a.cocci", cwd=folder).out)
    assert step == ["patchgen", "run", str(folder / "a.cocci")]
    assert patchgen(*step[1:], "--tree", toy).code == 0
    [from_tree] = read_steps(patchgen("test", "../my rules/a.cocci", cwd=toy).out)
    assert from_tree == step


def test_nothing_is_printed_for_a_script(patchgen, toy):
    for option in ("--quiet", "--json"):
        result = patchgen("apply", "pvops", "--tree", toy, "--force", option)
        assert result.code == 0 and read_steps(result.out) == []
