# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trailers` on a branch of the toy tree."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest

from patchgen.mail import parse_mail, read_message_id
from patchgen.model.series import Mail
from tests.conftest import MakeSeries
from tests.support import TOP
from tests.support.checks import snapshot

V4 = "patchgen/pvops-v4"
BEA = "Bea Bärtsch <bea@example.org>"
REVIEWED = f"Reviewed-by: {BEA}"


@pytest.fixture
def posted(pvops_on: MakeSeries) -> list[str]:
    """Put v4 onto the toy tree, and return the message-ids of its mails."""
    mails = [Mail(path, Path(path).read_bytes()) for path in pvops_on("--signoff")["mails"]]
    return [read_message_id(parse_mail(mail)) for mail in mails]


def answer(to: str, body: str, sender: str = BEA) -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["Subject"] = "Re: [PATCH v4 9/9] what was it"
    message["Message-ID"] = f"<{abs(hash((to, body)))}@example.org>"
    message["In-Reply-To"] = f"<{to}>"
    message.set_content(body, cte="quoted-printable")
    return message.as_bytes()


def mbox(*mails: bytes) -> bytes:
    return b"".join(b"From x Mon Sep 17 00:00:00 2001\n" + mail + b"\n" for mail in mails)


def message(git, tree: Path, revision: str) -> str:
    return git(tree, "show", "-s", "--format=%B", revision).rstrip()


def test_tags_get_to_their_patches(patchgen, toy, git, posted, tmp_path):
    box = tmp_path / "box"
    box.write_bytes(
        mbox(
            answer(posted[2], f"Fine.\n\n{REVIEWED}\n"),
            answer(posted[0], "Tested-by: Cy <cy@example.org>\n", "Cy <cy@example.org>"),
            answer(posted[1], "Acked-by: Boss <boss@example.org>\n"),
        )
    )
    before = snapshot(toy, without=V4)
    authors = git(toy, "log", "--format=%an %ae %ad", V4)
    tree = git(toy, "rev-parse", f"{V4}^{{tree}}")
    result = patchgen("trailers", "--tree", toy, V4, box, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert [(tag["patch"], tag["trailer"]) for tag in document["applied"]] == [
        (2, REVIEWED),
        *((number, "Tested-by: Cy <cy@example.org>") for number in (1, 2, 3, 4)),
    ]
    [left] = document["not_applied"]
    assert left["reason"] == "the mail is from bea@example.org" and left["patch"] == 1
    text = message(git, toy, f"{V4}~2")
    assert text.endswith(f">\n{REVIEWED}\nTested-by: Cy <cy@example.org>")
    assert message(git, toy, f"{V4}~4").endswith("}")
    assert snapshot(toy, without=V4) == before
    assert git(toy, "log", "--format=%an %ae %ad", V4) == authors
    assert git(toy, "rev-parse", f"{V4}^{{tree}}") == tree
    tip = git(toy, "rev-parse", V4)
    again = json.loads(patchgen("trailers", "--tree", toy, V4, box, "--json").out)
    assert again["applied"] == [] and len(again["not_applied"]) == 6
    assert git(toy, "rev-parse", V4) == tip


def test_a_tag_on_one_patch_leaves_those_below_as_they_are(patchgen, toy, git, posted, tmp_path):
    below = git(toy, "rev-parse", f"{V4}~1")
    folder = tmp_path / "maildir"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "new" / "1.host").write_bytes(answer(posted[4], REVIEWED))
    result = patchgen("trailers", "--tree", toy, V4, folder)
    assert f"  + {REVIEWED}" in result.out and f"Added 1 tag to {V4}." in result.out
    assert git(toy, "rev-parse", f"{V4}~1") == below


def test_the_branch_may_be_checked_out_and_mails_come_by_a_pipe(toy, git, posted):
    git(toy, "checkout", "-q", V4)
    args = [sys.executable, "-m", "patchgen", "trailers", "-"]
    result = subprocess.run(
        args,
        cwd=toy,
        input=answer(posted[3], REVIEWED),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert result.returncode == 0, result.stderr
    assert REVIEWED in message(git, toy, "HEAD~1")
    assert git(toy, "status", "--porcelain", "--untracked-files=no") == ""


def test_dry_run_writes_nothing(patchgen, toy, posted, tmp_path):
    box = tmp_path / "box"
    box.write_bytes(answer(posted[1], REVIEWED))
    before = snapshot(toy, without="none")
    result = patchgen("trailers", "--tree", toy, V4, box, "--dry-run")
    assert f"Would add 1 tag to {V4}." in result.out
    assert snapshot(toy, without="none") == before


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        ([V4, "none"], 1, "none cannot be read"),
        ([V4, "empty"], 1, "empty has no mails"),
        (["none", "box"], 1, "branch 'none' does not exist"),
        ([V4, "box", "more"], 2, "one branch and one source"),
        ([], 2, "Missing argument"),
    ],
)
def test_an_error_states_what_is_wrong(patchgen, toy, posted, tmp_path, args, code, problem):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "box").write_bytes(answer(posted[1], REVIEWED))
    result = patchgen("trailers", "--tree", toy, *args, cwd=tmp_path)
    assert result.code == code and problem in result.err, result.err


def test_replies_to_mails_of_a_branch_that_was_edited_since(patchgen, toy, git, posted, tmp_path):
    """git send-email itself sent the mails, which leaves no tag, and the last patch has changed."""
    git(toy, "checkout", "-q", V4)
    source = toy / "arch/x86/kernel/kvm.c"
    source.write_text(f"/* Changed. */\n{source.read_text()}")
    git(toy, "commit", "-q", "--amend", "--no-edit", "-a")
    git(toy, "checkout", "-q", "master")
    box = tmp_path / "box"
    tested = "Tested-by: Cy <cy@example.org>"
    box.write_bytes(
        mbox(
            answer(posted[2], f"{REVIEWED}\n"),
            answer(posted[4], f"{REVIEWED}\n"),
            answer(posted[0], f"{tested}\n", "Cy <cy@example.org>"),
        )
    )
    document = json.loads(patchgen("trailers", "--tree", toy, V4, box, "--json").out)
    applied = [(tag["patch"], tag["trailer"]) for tag in document["applied"]]
    assert applied == [(2, REVIEWED), (1, tested), (2, tested), (3, tested)]
    reasons = [tag["reason"] for tag in document["not_applied"]]
    assert len(reasons) == 2 and "which has other code" in reasons[0]


def test_a_patch_that_the_answered_version_lacks_has_not_changed(
    patchgen, toy, git, posted, tmp_path
):
    """v3 had three of the four patches; another version is known by its cover letter only."""
    tag = f"sent/{posted[0].partition('-v4-')[0]}"
    folder = tmp_path / "v3"
    folder.mkdir()
    for path in (toy / "outgoing" / "pvops-v4").glob("v4-*"):
        text = path.read_text().replace("[PATCH v4", "[PATCH v3").replace("-v4-", "-v3-")
        text = re.sub(r"^(Subject: \[PATCH v3 \d)/4\]", r"\1/3]", text, flags=re.MULTILINE)
        if "-0004-" not in path.name:
            (folder / path.name).write_text(text)
    assert patchgen("import", "--tree", toy, folder, "--series", V4).code == 0
    assert git(toy, "tag", "--list", f"{tag}*")
    box = tmp_path / "box"
    box.write_bytes(answer(posted[0].replace("-v4-", "-v3-"), REVIEWED))
    document = json.loads(patchgen("trailers", "--tree", toy, V4, box, "--json").out)
    assert [tag["patch"] for tag in document["applied"]] == [1, 2, 3]
    assert [(tag["patch"], tag["reason"]) for tag in document["not_applied"]] == [
        (4, "v3 has no patch with its subject or its change")
    ]


def test_the_threads_that_b4_fetched_are_read(patchgen, toy, git, posted, tmp_path, monkeypatch):
    """A b4 that answers offline stands for the archive; the commands are run as printed."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "thread").write_bytes(mbox(answer(posted[2], f"{REVIEWED}\n")))
    # Its options are those of b4 0.12 to 0.16: mbox -o FOLDER -n NAME MESSAGE-ID.
    script = (
        f'#!/bin/sh\ntest "$1 $2 $4 $#" = "mbox -o -n 6" || exit 2\necho "$6" >> {tmp_path}/ids\n'
    )
    (programs / "b4").write_text(f'{script}exec cp {tmp_path}/thread "$3/$5"\n')
    (programs / "b4").chmod(0o755)
    missing = patchgen("trailers", "--tree", toy, V4, "--lore")
    assert missing.code == 1, missing.out
    problem, *commands = missing.err.splitlines()
    assert (
        problem == "patchgen: v4 is not recorded as sent (`git send-email` records nothing); if it "
        "was sent, fetch the replies first, then run this again [replies-not-fetched]:"
    )
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for command in commands:
        subprocess.run(command, shell=True, check=True)
    assert (tmp_path / "ids").read_text() == f"{posted[0]}\n"
    result = patchgen("trailers", "--tree", toy, V4, "--lore", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert [(tag["patch"], tag["trailer"]) for tag in document["applied"]] == [(2, REVIEWED)]
    [remark] = document["remarks"]
    assert "the thread of v4 was fetched on " in remark and remark.endswith(posted[0])
    wrong = patchgen("trailers", "--tree", toy, V4, tmp_path / "thread", "--lore")
    assert wrong.code == 2 and "at most one branch and one source" in wrong.err


def test_a_version_is_not_assumed_to_be_sent(patchgen, toy, posted):
    folder = toy / "outgoing/pvops-v4"
    assert patchgen("import", "--tree", toy, folder, "--series", V4).code == 0
    assert patchgen("reroll", "--tree", toy, V4).code == 0
    missing = patchgen("trailers", "--tree", toy, "patchgen/pvops-v5", "--lore")
    problem, command = missing.err.splitlines()
    assert problem.startswith("patchgen: fetch the replies first, ") and posted[0] in command
    fetched = toy / ".git/patchgen/lore" / re.search(r"\S+-v4\.mbx", command)[0]
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes(mbox(answer(posted[2], f"{REVIEWED}\n")))
    result = patchgen("trailers", "--tree", toy, "patchgen/pvops-v5", "--lore", "--json")
    newest, earlier = json.loads(result.out)["remarks"]
    assert newest.startswith("v5 is not recorded as sent ") and "b4 mbox" in newest
    assert earlier.startswith("the thread of v4 was fetched on ")


def test_without_a_known_thread_no_command_is_made_up(patchgen, toy, git, posted):
    git(toy, "branch", "-m", V4, "other")
    result = patchgen("trailers", "--tree", toy, "other", "--lore")
    assert result.code == 1 and "no version of other is known to be sent" in result.err


def run_on_terminal(args: list[str | Path], answer: str) -> tuple[int, str]:
    """Run patchgen on a terminal of its own; return the exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "patchgen", *map(str, args)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        # When the process has ended, Linux reports an error.
        with suppress(OSError):
            while content := os.read(ours, 1000):
                shown += content
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_tag_in_doubt_is_added_by_an_answer_on_a_terminal(toy, git, posted, tmp_path):
    box = tmp_path / "box"
    work = "Bea Bärtsch <bea@work.com>"
    box.write_bytes(
        mbox(
            answer(posted[1], "Tested-by: Cy <cy@example.org>\n", "Cy <cy@example.org>"),
            answer(posted[2], f"{REVIEWED}\n", work),
            answer(posted[3], f"If it boots: {REVIEWED}\n"),
        )
    )
    before = git(toy, "rev-parse", V4)
    args = ["trailers", "--tree", toy, V4, box]
    question = "Numbers of tags in doubt to add [none]: "
    for more in (["--yes"], ["--dry-run"], ["--json", "--dry-run"]):
        code, shown = run_on_terminal([*args, *more], "")
        assert code == 0 and question not in shown
        git(toy, "update-ref", f"refs/heads/{V4}", before.strip())
    code, shown = run_on_terminal(args, "\x04")
    assert code == 130 and "nothing was written" in shown
    assert git(toy, "rev-parse", V4) == before
    code, shown = run_on_terminal(args, "1\nx\n2, 2\n")
    assert code == 0 and f"[2] {REVIEWED}" in shown
    assert shown.count("the tags in doubt have the numbers 2, 3") == 2
    assert f"+ {REVIEWED} (patch 2)" in shown and f"Added 2 tags to {V4}." in shown
    assert REVIEWED in message(git, toy, f"{V4}~2")
    assert REVIEWED not in message(git, toy, f"{V4}~1")


def test_a_reply_without_a_tag_is_listed(patchgen, toy, git, posted, tmp_path):
    box = tmp_path / "replies.mbox"
    question = answer(posted[4], "Why is this an info?\n")
    author = git(toy, "show", "-s", "--format=%an <%ae>", V4).strip()
    box.write_bytes(
        mbox(
            answer(posted[2], f"Fine.\n\n{REVIEWED}\n"),
            question,
            question,
            answer(posted[0], "Which one first?\n", "cy@example.org"),
            answer("other@example.org", "This is about another series.\n"),
            answer(posted[1], "I do not know.\n", author),
        )
    )
    shown = patchgen("trailers", "--tree", toy, V4, box, "--dry-run")
    [asked, general] = [
        read_message_id(parse_mail(Mail("", mail)))
        for mail in (question, answer(posted[0], "Which one first?\n"))
    ]
    assert (
        "2 replies without a tag:\n"
        f"  patch 4: Bea Bärtsch, <{asked}>\n"
        f"  cover letter: cy@example.org, <{general}>\n"
    ) in shown.out, shown.out
    document = json.loads(patchgen("trailers", "--tree", toy, V4, box, "--json").out)
    assert document["without_tag"] == [
        {"patch": 4, "sender": BEA, "mail": "mail 2 of replies.mbox", "message_id": asked},
        {
            "patch": None,
            "sender": "cy@example.org",
            "mail": "mail 4 of replies.mbox",
            "message_id": general,
        },
    ]
    assert document["applied"][0]["mail"] == "mail 1 of replies.mbox"
