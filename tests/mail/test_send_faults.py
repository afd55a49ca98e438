# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send` with faults: each mail is sent once, or the user is asked whether it arrived."""

from __future__ import annotations

import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.mail.test_send import V4, as_files, delivered_once, ids, parse, send
from tests.support.checks import apply_mails
from tests.support.killing import DATE, KILLS, Campaign, read_refs
from tests.support.smtp import PASSWORD, USER, Server, serve
from tests.support.terminal import patchgen_on_terminal

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path) as running:
        yield running


@pytest.fixture
def series(pvops: Path, git, server: Server) -> Path:
    """Return the toy tree with v4, configured for the server."""
    git(pvops, "config", "sendemail.smtpServer", "127.0.0.1")
    git(pvops, "config", "sendemail.smtpServerPort", str(server.port))
    return pvops


def start(tree: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "patchgen", "send", "--tree", tree, V4, "--yes", "--skip-checks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )


def descendants(pid: int) -> list[tuple[int, str]]:
    """Return the descendants of a process: their ids and command lines."""
    rows = subprocess.run(
        ["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
    )
    children, parents = [], [pid]
    table = [line.split(None, 2) for line in rows.stdout.splitlines()[1:]]
    for parent in parents:
        for child, its_parent, arguments in table:
            if int(its_parent) == parent:
                parents.append(int(child))
                children.append((int(child), arguments))
    return children


def begun(server: Server, count: int) -> None:
    """Wait until the server has that many mails, answered or not."""
    for _ in range(5000):
        if server.attempts >= count:
            return
        time.sleep(0.02)
    raise AssertionError("the mail never came")


def resume(patchgen: Patchgen, tree: Path, server: Server):
    """Resume until nothing is left, and look at what the server has where patchgen asks to."""
    arguments: tuple[str, ...] = ()
    for _ in range(200):
        result = send(patchgen, tree, "--skip-checks", "--resume", *arguments)
        arguments = ()
        if result.code == 0:
            return result
        if "is sending this version right now" in result.err:
            time.sleep(0.1)
        elif "may have arrived, or not" in result.err:
            hint = re.search(r"^hint: look for (\S+) .*--arrived (\d+)`", result.err, re.MULTILINE)
            assert hint, result.err
            message_id, number = hint.groups()
            arrived = f"<{message_id}>" in ids(server.received)
            arguments = ("--arrived" if arrived else "--again", number)
        else:
            assert "was not accepted" in result.err, result.err
    raise AssertionError("it never ended")


@pytest.mark.parametrize("target", ["git", "everything"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_mail_whose_program_is_killed_is_sent_once(patchgen, series, server, target, number):
    server.faults[2] = "hang"
    process = start(series)
    begun(server, 3)
    for pid, arguments in [*descendants(process.pid), (process.pid, "")]:
        if target == "everything" or "perl" in arguments:
            # It may have ended with one of the others.
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    process.communicate()
    # git send-email ends with 0 when it gets SIGTERM.
    assert process.returncode != 0
    # The server may take the mail all the same, or not.
    time.sleep(3.5)
    resume(patchgen, series, server)
    delivered_once(server.received)
    assert len(server.received) == 5


def check_killed(campaign: Campaign, patchgen, server: Server, when: int | float) -> None:
    """Kill it at an event or after a time, resume, and check what arrived and what is left."""
    server.received.clear()
    campaign.copy()
    if isinstance(when, int):
        campaign.run(when, whole_group=when % 2 == 0)
    else:
        campaign.run(whole_group=when > 1, kill_after_s=when)
    assert read_refs(campaign.tree) in (campaign.before, campaign.after), when
    result = send(patchgen, campaign.tree, "--skip-checks")
    if result.code != 0 and "was sent already" not in result.err:
        assert "have been sent already" in result.err and " --resume`" in result.err, result.err
        resume(patchgen, campaign.tree, server)
    delivered_once(server.received)
    assert len(server.received) == 5
    assert read_refs(campaign.tree) == campaign.after
    assert list(campaign.tmp.iterdir()) == []


@pytest.fixture
def campaign(series, server, tmp_path, monkeypatch) -> Campaign:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DATE)
    args = ("send", V4, "--yes", "--skip-checks")
    campaign = Campaign(series, args, "was sent already", tmp_path)
    monkeypatch.setenv("TMPDIR", str(campaign.tmp))
    return campaign


def test_killed_between_mails_and_before_the_tag(patchgen, campaign, server):
    for number in (len(campaign.whole.events) // 2, campaign.whole.moves_refs):
        check_killed(campaign, patchgen, server, number)


@pytest.mark.torture
def test_killed_at_random_moments(patchgen, campaign, server):
    moments = random.Random(20210820)
    for _ in range(KILLS):
        after_s = moments.uniform(0.01, 1.05) * campaign.whole.seconds
        check_killed(campaign, patchgen, server, after_s)


def test_many_faults_one_after_the_other(patchgen, series, git, server):
    server.faults = dict(enumerate(["451", "", "take and drop", "550", "drop", "", "451", "drop"]))
    server.faults[9] = "no recipient"
    first = send(patchgen, series)
    assert first.code == 1 and "nothing was sent" in first.err
    # The command of the hint works, although no mail was sent yet.
    assert f"patchgen send {V4} --resume`" in first.err
    resume(patchgen, series, server)
    delivered_once(server.received)
    assert len(server.received) == 5
    assert len(git(series, "tag", "--list").split()) == 2


def test_ctrl_c_waits_for_the_mail(patchgen, series, server):
    server.faults[2] = "hang"
    process = start(series)
    begun(server, 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "sent 2 " in out and "sent 3 " not in out
    assert f"`patchgen send {V4} --resume` sends the remaining mails" in err
    assert len(server.received) == 3
    result = send(patchgen, series, "--skip-checks", "--resume")
    assert result.code == 0, result.err
    delivered_once(server.received)


def test_ctrl_c_twice_does_not_wait(patchgen, series, server):
    server.faults[2] = "hang"
    process = start(series)
    begun(server, 3)
    begin = time.monotonic()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    process.communicate()
    assert process.returncode == 130 and time.monotonic() - begin < 2.5
    resume(patchgen, series, server)
    delivered_once(server.received)
    assert len(server.received) == 5


def test_three_at_once(patchgen, series, server):
    running = [start(series) for _ in range(3)]
    outputs = [process.communicate()[1] for process in running]
    assert sorted(process.returncode for process in running) == [0, 1, 1], outputs
    delivered_once(server.received)
    assert len(server.received) == 5


def test_an_address_that_git_does_not_take_stops_it_before_the_first_mail(patchgen, series, server):
    result = send(patchgen, series, "--skip-checks", "--cc", "ada@localhost")
    assert (
        result.code == 1 and "unable to extract a valid address from: ada@localhost" in result.err
    )
    assert server.received == []
    shown = patchgen("send", "--tree", series, V4, "--dry-run", "--cc", "ada@localhost")
    assert shown.code == 1 and "ada@localhost" in shown.err


def test_a_hook_of_the_user_stops_it_before_the_first_mail(patchgen, series, server):
    hook = series / ".git/hooks/sendemail-validate"
    hook.write_text('#!/bin/sh\ngrep -q "PATCH v4 3/4" "$1" || exit 0\necho No way. >&2\nexit 1\n')
    hook.chmod(0o755)
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 1 and "refuses v4-0003-" in result.err and "No way." in result.err
    assert server.received == []


def test_mails_to_the_user_are_sent_like_all_others(patchgen, series, git, server):
    git(series, "config", "sendemail.suppressCc", "self")
    result = send(patchgen, series, "--skip-checks", "--cc", "Ada Übergang <ada@example.org>")
    assert result.code == 0, result.err
    assert ["ada@example.org" in mail.recipients for mail in server.received] == [True] * 5


def test_settings_that_would_change_mails_do_not(patchgen, series, git, server, tmp_path):
    for key, value in {
        "thread": "false",
        "chainReplyTo": "true",
        "confirm": "always",
        "annotate": "true",
        "transferEncoding": "base64",
        "assume8bitEncoding": "latin1",
        "toCover": "true",
        "ccCover": "true",
        "toCmd": "echo guess@example.org #",
        "suppressFrom": "false",
        "signedOffByCc": "true",
        "envelopeSender": "bounces@example.org",
    }.items():
        git(series, "config", f"sendemail.{key}", value)
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 0, result.err
    first = ids(server.received)[0]
    assert {parse(mail)["In-Reply-To"] for mail in server.received[1:]} == {first}
    assert {parse(mail)["References"] for mail in server.received[1:]} == {first}
    assert {mail.sender for mail in server.received} == {"bounces@example.org"}
    for mail in server.received:
        message = parse(mail)
        named = [a.addr_spec for key in ("To", "Cc") for a in message[key].addresses]
        assert sorted(named) == sorted(mail.recipients)
        assert len(message.get_all("Message-ID")) == 1


@pytest.mark.parametrize("sender", ["Ada Work <work@example.com>", None])
def test_another_sender_does_not_change_the_author(patchgen, series, git, server, tmp_path, sender):
    git(series, "checkout", "-q", V4)
    git(series, "commit", "-q", "--amend", "--no-edit", "--author=Örjan <o@example.org>")
    git(series, "checkout", "-q", "master")
    if sender is None:
        # git send-email's sender is the author, the mails' the committer.
        git(series, "config", "author.email", "other@example.org")
        git(series, "config", "author.name", "Other")
    else:
        git(series, "config", "sendemail.from", sender)
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 0, result.err
    expected = sender or "Ada Übergang <ada@example.org>"
    assert {str(parse(mail)["From"]) for mail in server.received} == {expected}
    assert not server.received[0].content.partition(b"\r\n\r\n")[2].startswith(b"From:")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", series, clone)
    tree = git(series, "rev-parse", f"{V4}^{{tree}}").strip()
    files = as_files(server.received[1:], tmp_path / "in")
    assert apply_mails(clone, "origin/master", files) == tree
    authors = git(clone, "log", "-4", "--format=%an <%ae>", "am").splitlines()
    assert authors == ["Örjan <o@example.org>"] + ["Ada Übergang <ada@example.org>"] * 3


@pytest.mark.parametrize("length", [997, 998])
def test_a_line_that_is_just_too_long_or_not(patchgen, series, git, server, tmp_path, length):
    git(series, "checkout", "-q", V4)
    # A diff has one more character in front.
    (series / "long.c").write_bytes(b"x" * (length - 1) + b"\n\x0c\n.\n From here\nFrom there\n")
    git(series, "add", "-f", "long.c")
    git(series, "commit", "-q", "-m", "x86: Be long")
    git(series, "checkout", "-q", "master")
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 0, result.err
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", series, clone)
    tree = git(series, "rev-parse", f"{V4}^{{tree}}").strip()
    files = as_files(server.received[1:], tmp_path / "in")
    assert apply_mails(clone, "origin/master", files) == tree
    assert max(map(len, server.received[-1].content.split(b"\r\n"))) <= 998


def test_people_of_the_first_run_get_the_rest(patchgen, series, server):
    server.faults[2] = "451"
    arguments = (
        "--to",
        "list@example.org, Bea <bea@example.org>",
        "--cc-cover",
        "chief@example.org",
    )
    assert send(patchgen, series, *arguments, "--in-reply-to", "<v3@example.org>").code == 1
    result = send(patchgen, series, "--resume", "--to", "another@example.org")
    assert result.code == 1 and "was sent, and has changed since" in result.err
    result = send(patchgen, series, "--resume")
    assert result.code == 0, result.err
    delivered_once(server.received)
    for mail in server.received:
        assert {"list@example.org", "bea@example.org"} <= set(mail.recipients)
    assert parse(server.received[0])["In-Reply-To"] == "<v3@example.org>"


@pytest.mark.parametrize("given", ["<v3@example.org>", "https://lore.kernel.org/r/v3@example.org/"])
def test_an_answer_to_an_older_version(patchgen, series, server, given):
    result = send(patchgen, series, "--reflect", "--skip-checks", "--in-reply-to", given)
    assert result.code == 0, result.err
    assert parse(server.received[0])["In-Reply-To"] == "<v3@example.org>"


@pytest.mark.parametrize("given", ["v3", "a@b\nBcc: c@d.org", "ä@b"])
def test_what_no_mail_can_answer(patchgen, series, server, given):
    result = send(patchgen, series, "--skip-checks", "--in-reply-to", given)
    assert result.code == 2 and "is not a message-id" in result.err
    assert server.received == []


def test_a_journal_that_is_not_understood_stops_it(patchgen, series, server):
    server.faults[2] = "451"
    assert send(patchgen, series).code == 1
    [journal] = (series / ".git/patchgen/send").glob("*.json")
    empty = '{"format": 1, "wishes": {}, "mails": []}'
    whole = journal.read_text()
    for text in ("", "{}", "[]", '{"format": 2, "mails": []}', empty, whole[:-20], None):
        if text is None:
            journal.unlink()
            journal.mkdir()
        else:
            journal.write_text(text)
        for arguments in ((), ("--resume",)):
            result = send(patchgen, series, "--skip-checks", *arguments)
            assert result.code == 1 and "cannot be read" in result.err, (text, result.err)
    assert len(server.received) == 2


def test_mails_of_a_folder_that_are_no_version(patchgen, series, server):
    folder = series / "outgoing" / "pvops-v4"
    cover = next(folder.glob("*-0000-*"))
    good = cover.read_bytes()
    for before, after, problem in (
        (b"change-id: ", b"change-id: ../../", "is not a change-id"),
        (b"Message-ID: ", b"X-No: ", "do not form a thread"),
        (b"change-id: ", b"no-id: ", "has no change-id"),
    ):
        cover.write_bytes(good.replace(before, after))
        result = patchgen("send", "--tree", series, folder, "--yes", "--skip-checks")
        assert result.code == 1 and problem in result.err
    assert server.received == []


def test_a_command_that_is_killed_may_have_the_mail(patchgen, series, git, tmp_path):
    program = tmp_path / "take"
    program.write_text(
        f"#!/bin/sh\ncat > {tmp_path}/mail\n"
        f"[ -e {tmp_path}/on ] || kill -9 $$\necho >> {tmp_path}/n\n"
    )
    program.chmod(0o755)
    git(series, "config", "--unset", "sendemail.smtpServer")
    git(series, "config", "sendemail.sendmailCmd", str(program))
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 1 and "mail 0 may have arrived, or not" in result.err
    (tmp_path / "on").touch()
    result = send(patchgen, series, "--skip-checks", "--resume", "--arrived", "0")
    assert result.code == 0, result.err
    assert len((tmp_path / "n").read_text()) == 4


def test_a_command_that_is_not_there(patchgen, series, git, tmp_path):
    git(series, "config", "--unset", "sendemail.smtpServer")
    git(series, "config", "sendemail.sendmailCmd", str(tmp_path / "none"))
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 1 and "was not accepted" in result.err and "not found" in result.err


def test_reflect_sends_no_bcc_and_no_cc(patchgen, series, git, server):
    git(series, "config", "sendemail.bcc", "boss@example.org")
    result = send(patchgen, series, "--reflect", "--skip-checks")
    assert result.code == 0, result.err
    assert {tuple(mail.recipients) for mail in server.received} == {("ada@example.org",)}
    server.faults[6] = "451"
    result = send(patchgen, series, "--reflect", "--skip-checks")
    assert result.code == 1 and "--resume" not in result.err


def test_a_password_is_asked_for_as_the_user_has_configured(
    patchgen, pvops, git, tmp_path, monkeypatch
):
    helper = tmp_path / "ask"
    helper.write_text(f"#!/bin/sh\necho \"$1\" >> {tmp_path}/asked\necho '{PASSWORD}'\n")
    helper.chmod(0o755)
    with serve(tmp_path, secure=True) as server:
        for key, value in {
            "smtpServer": "127.0.0.1",
            "smtpServerPort": str(server.port),
            "smtpEncryption": "tls",
            "smtpSSLCertPath": str(server.certificate),
            "smtpUser": USER,
        }.items():
            git(pvops, "config", f"sendemail.{key}", value)
        monkeypatch.setenv("GIT_ASKPASS", str(helper))
        result = send(patchgen, pvops, "--skip-checks")
        assert result.code == 0, result.err
        assert (tmp_path / "asked").read_text().count("Password") == 1
        assert len(server.received) == 5


def test_a_server_with_an_unknown_certificate_gets_no_password(patchgen, pvops, git, tmp_path):
    with serve(tmp_path, secure=True) as server:
        for key, value in {
            "smtpServer": "127.0.0.1",
            "smtpServerPort": str(server.port),
            "smtpEncryption": "tls",
            "smtpUser": USER,
            "smtpPass": PASSWORD,
        }.items():
            git(pvops, "config", f"sendemail.{key}", value)
        result = send(patchgen, pvops, "--skip-checks")
        assert result.code == 1 and "certificate verify failed" in result.err
        assert server.logins == 0 and server.received == []


def test_the_answer_on_a_terminal_decides(series, server):
    for answer, code, count in (("n\n", 1, 0), ("\n", 1, 0), ("y\n", 0, 5)):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "patchgen", "send", "--tree", series, V4, "--skip-checks"],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        os.write(ours, answer.encode())
        out, _ = process.communicate()
        os.close(ours)
        os.close(theirs)
        assert (process.returncode, len(server.received)) == (code, count), out
        assert "Send 5 mails to these recipients? [y/N]" in out


def test_the_rest_of_a_long_summary_is_shown_on_request(series, server):
    crowd = [f"--cc=person{number}@example.org" for number in range(60)]
    argv = ("send", "--tree", series, V4, "--skip-checks", *crowd)
    shown = patchgen_on_terminal(*argv, typed="v\nn\n", env={"PATCHGEN_PAGER": "cat"})
    assert shown.code == 1 and server.received == []
    first, question, rest = shown.text.partition("Send 5 mails to these recipients? [y/N, or v")
    assert question and len(first.splitlines()) <= 24
    assert max(map(len, first.splitlines())) <= 80 and " more\n" in first
    assert all(f"      Cc: person{number}@example.org\n" in rest for number in range(60))


def test_a_branch_that_changes_while_the_question_is_open(patchgen, series, git, server):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "patchgen", "send", "--tree", series, V4, "--skip-checks"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    output = b""
    while b"Send 5 mails" not in output:
        output += os.read(process.stdout.fileno(), 1000)
    git(series, "checkout", "-q", V4)
    git(series, "commit", "-q", "--amend", "-m", "x86/kvm: Another", "-m", "Text.")
    os.write(ours, b"y\n")
    rest, _ = process.communicate()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 1 and b"has changed meanwhile" in rest
    assert server.received == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((V4, "--json"), "--json requires --yes or --dry-run"),
        ((V4, "--yes", "--reflect", "--resume"), "cannot be combined with --resume"),
        (
            ("outgoing/pvops-v4", "--yes", "--in-reply-to", "a@b"),
            "already name the mail they answer",
        ),
        ((V4, "--yes", "--to", "ä@ö.example"), "characters other than ASCII"),
    ],
)
def test_options_that_exclude_each_other_are_refused(patchgen, series, server, arguments, problem):
    result = patchgen("send", "--tree", series, *arguments, cwd=series)
    assert result.code == 2 and problem in result.err, result.err
    assert server.received == []
