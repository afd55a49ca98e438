# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of a tree, which may be anybody's, are not run by commands that only read it."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from patchgen.mail import parse_mail, read_message_id
from patchgen.model.series import Mail

SCRIPTS = ("get_maintainer.pl", "checkpatch.pl", "config", "spdxcheck.py", "tags.sh", "coccicheck")
ASHISH, SEAN = "Ashish Kalra <ashish.kalra@amd.com>", "Sean Christopherson <seanjc@google.com>"
ASHISH, SEAN = "Ashish Kalra <ashish.kalra@amd.com>", "Sean Christopherson <seanjc@google.com>"
V4 = "patchgen/pvops-v4"


@pytest.fixture
def canary(tmp_path: Path, toy: Path, git) -> Path:
    """Return a file that each program of the toy tree would write."""
    file = tmp_path / "canary"
    for path in [toy / "scripts" / name for name in SCRIPTS] + [toy / ".get_maintainer.conf"]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho $0 $* >>{file}\n")
        path.chmod(0o755)
    with (toy / "Makefile").open("a") as makefile:
        makefile.write(f"\n$(shell echo make >>{file})\n")
    with (toy / "MAINTAINERS").open("a") as maintainers:
        maintainers.write(f"F:\t$(touch {file})\nN:\t(?{{`touch {file}`}})\n")
    (toy / "run.c").write_text("void f(void)\n{\n\told_one();\n}\n")
    git(toy, "add", "-f", "-A")
    git(toy, "commit", "-qm", "programs")
    return file


def test_commands_that_read_a_tree_run_no_program_of_it(patchgen, toy, canary, tmp_path):
    def run(*words: str | Path, code: int = 0) -> str:
        done = patchgen(*words, "--tree", toy)
        assert done.code == code, (words, done.err)
        assert not canary.exists(), (words, canary.read_text())
        return done.out

    run("apply", "--variant", "pvops", "--dry-run")
    document = json.loads(run("apply", "--variant", "pvops", "--signoff", "--json"))
    assert any("MAINTAINERS" in warning for warning in document["warnings"])
    rule = tmp_path / "x.cocci"
    rule.write_text("@@\n@@\n- old_one();\n+ new_one();\n")
    run("run", rule)
    run("run", rule, "--split", "maintainer", "-o", tmp_path / "split")
    run("status", V4)
    run("explain", V4)
    reply = EmailMessage()
    reply["From"], reply["Message-ID"] = "Bea <bea@example.org>", "<1@example.org>"
    mail = Path(document["mails"][1])
    reply["In-Reply-To"] = f"<{read_message_id(parse_mail(Mail('x', mail.read_bytes())))}>"
    reply["Subject"] = "Re: x"
    reply.set_content("Acked-by: Bea <bea@example.org>\n")
    (tmp_path / "box").write_bytes(b"From x Mon Sep 17 00:00:00 2001\n" + reply.as_bytes())
    run("trailers", V4, tmp_path / "box")
    run("import", mail.parent, "--series", V4)
    run("reroll", V4)
    # The toy tree has no boot code to audit, which is known when all of it was read.
    run("audit", code=1)


def test_a_program_of_the_user_is_run_in_place_of_maintainers(patchgen, toy, canary, tmp_path):
    program = tmp_path / "who"
    program.write_text('#!/bin/sh\necho "Zed <zed@example.org> (maintainer:ALL)"\n')
    program.chmod(0o755)
    words = ("--variant", "pvops", "--tree", toy, "--quiet", "--get-maintainer")
    done = patchgen("apply", *words, program)
    assert done.code == 0, done.err
    words = ("--dry-run", "--skip-checks", "--json", "--get-maintainer")
    done = patchgen("send", V4, "--tree", toy, *words, program)
    mails = json.loads(done.out)["mails"]
    people = {who for mail in mails for who in mail["to"] + mail["cc"]}
    # The variant itself names two participants of its discussion.
    assert people - {ASHISH, SEAN} == {"Zed <zed@example.org>"}
    assert not canary.exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not exist"),
        ("#!/bin/sh\nexit 3\n", "failed with exit code 3"),
        ("#!/bin/sh\nprintf 'E\\033ve <e@b.org> (maintainer:X)\\n'\n", "control characters"),
        ("#!/bin/sh\necho 'Foo x@y (maintainer:X)'\n", "is not an address"),
    ],
)
def test_a_program_that_is_no_help_is_an_error_and_nothing_is_written(
    patchgen, toy, git, tmp_path, text, problem
):
    program = tmp_path / "who"
    if text:
        program.write_text(text)
        program.chmod(0o755)
    done = patchgen("apply", "--variant", "pvops", "--tree", toy, "--get-maintainer", program)
    assert done.code == 1 and problem in done.err and "\x1b" not in done.err, done.err
    assert V4 not in git(toy, "branch", "--list") and not (toy / "outgoing").exists()


@pytest.mark.parametrize("command", ["verify", "compare", "send"])
def test_the_help_of_a_command_that_runs_programs_of_the_tree_says_so(patchgen, command):
    assert "This runs" in " ".join(patchgen(command, "--help").out.split())
