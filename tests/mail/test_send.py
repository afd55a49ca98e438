# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen send` to a real SMTP server: what arrives, also after faults."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.checks import apply_mails
from tests.support.smtp import PASSWORD, USER, Received, Server, serve

V4 = "patchgen/pvops-v4"
SUBJECT = "x86: Ändere alles, was Umlaute hat, und noch viel mehr davon"
BODY = "Grüße.\n\nSigned-off-by: Zoë <zoe@example.org>"
ROOT = Path(__file__).parents[2]


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


def send(patchgen: Patchgen, tree: Path, *args: str | Path):
    return patchgen("send", "--tree", tree, V4, "--yes", *args)


def test_a_series_is_sent_where_options_must_precede_files(patchgen, series, server, monkeypatch):
    """POSIXLY_CORRECT makes git send-email read an option after a file name as a revision."""
    monkeypatch.setenv("POSIXLY_CORRECT", "1")
    result = patchgen("send", "--tree", series, V4, "--dry-run")
    assert server.received == [], "the mails of a dry run were sent"
    assert result.code == 0, result.err
    assert send(patchgen, series).code == 0
    assert len(ids(server.received)) == 5


def ids(received: list[Received]) -> list[str]:
    return [str(parse(mail)["Message-ID"]) for mail in received]


def parse(mail: Received):
    return email.message_from_bytes(mail.content, policy=email.policy.default)


def as_files(received: list[Received], folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = []
    for number, mail in enumerate(received):
        paths.append(folder / f"{number:04}.eml")
        # A mailbox has the ends of lines of its system.
        paths[-1].write_bytes(mail.content.replace(b"\r\n", b"\n"))
    return paths


def delivered_once(received: list[Received]) -> None:
    """Assert that everybody got what is his once."""
    got = Counter(
        (str(parse(mail)["Message-ID"]), to) for mail in received for to in mail.recipients
    )
    assert got and set(got.values()) == {1}


def test_what_arrives_is_the_series(patchgen, series, git, server, tmp_path):
    result = send(patchgen, series)
    assert result.code == 0, result.err
    assert "All 5 mails were sent. The tag sent/" in result.out
    mails = [parse(mail) for mail in server.received]
    assert [mail["Subject"][:14] for mail in mails] == [f"[PATCH v4 {n}/4]" for n in range(5)]
    first = mails[0]["Message-ID"]
    assert mails[0]["In-Reply-To"] is None
    assert {mail["In-Reply-To"] for mail in mails[1:]} == {first}
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", series, clone)
    tree = git(series, "rev-parse", f"{V4}^{{tree}}").strip()
    files = as_files(server.received[1:], tmp_path / "in")
    assert apply_mails(clone, "origin/master", files) == tree
    for mail, received in zip(mails, server.received, strict=True):
        named = [who.addr_spec for key in ("To", "Cc") for who in mail[key].addresses]
        assert sorted(named) == sorted(received.recipients)


def test_a_version_is_sent_once_and_recorded_for_b4_and_patchgen(patchgen, series, git, server):
    assert send(patchgen, series).code == 0
    tag, other = git(series, "tag", "--list").split()
    # For b4 0.12.
    assert other == f"sent/{V4}-v4"
    content = git(series, "cat-file", "-p", tag)
    base = git(series, "rev-parse", "master").strip()
    assert f"\n---\nbase-commit: {base}\nchange-id: " in content
    assert content.count("\nmessage-id: ") == 5
    commits = git(series, "rev-list", f"master..{tag}").split()
    assert len(commits) == 4  # without the cover letter
    assert git(series, "rev-parse", f"{tag}^{{tree}}") == git(series, "rev-parse", f"{V4}^{{tree}}")
    again = send(patchgen, series)
    assert again.code == 1 and f"was sent already ({tag})" in again.err
    assert len(server.received) == 5
    rerolled = patchgen("reroll", "--tree", series, V4)
    assert rerolled.code == 0, rerolled.err
    cover = git(series, "show", "-s", "--format=%B", "patchgen/pvops-v5~4")
    first = str(parse(server.received[0])["Message-ID"]).strip("<>")
    assert f"- Link to v4: https://lore.kernel.org/r/{first}" in cover
    assert f'"v4": [\n        "{first}"' in cover


@pytest.mark.parametrize(
    "fault",
    [
        "451",
        *(pytest.param(fault, marks=pytest.mark.slow) for fault in ("550", "drop", "no recipient")),
    ],
)
def test_after_a_fault_the_rest_is_sent_once(patchgen, series, git, server, fault):
    server.faults[2] = fault
    result = send(patchgen, series)
    assert result.code == 1
    assert len(server.received) == 2
    assert git(series, "tag", "--list") == ""
    if fault == "drop":
        assert "mail 2 may have arrived, or not" in result.err
        stopped = send(patchgen, series, "--resume")
        assert (
            stopped.code == 1
            and f"--resume --arrived 2` or `patchgen send {V4} --resume --again 2`" in stopped.err
        )
        result = send(patchgen, series, "--resume", "--again", "2")
    else:
        assert "mail 2 was not accepted: " in result.err and "(sent: 0, 1)" in result.err
        answer = {"no recipient": "550 no such user"}.get(fault, f"{fault} not now")
        assert answer in result.err
        refused = send(patchgen, series)
        assert (
            refused.code == 1
            and "2 of 5 mails of this version have been sent already" in refused.err
        )
        result = send(patchgen, series, "--resume")
    assert result.code == 0, result.err
    assert len(server.received) == 5
    delivered_once(server.received)
    first = ids(server.received)[0]
    assert {str(parse(mail)["In-Reply-To"]) for mail in server.received[1:]} == {first}


@pytest.mark.slow
def test_a_mail_that_was_taken_without_an_answer_is_not_sent_again(patchgen, series, server):
    server.faults[2] = "take and drop"
    assert send(patchgen, series).code == 1
    result = send(patchgen, series, "--resume", "--arrived", "2")
    assert result.code == 0, result.err
    assert len(server.received) == 5
    delivered_once(server.received)


@pytest.mark.slow
def test_a_server_that_does_not_listen_gets_all_mails_later(patchgen, series, git, server):
    git(series, "config", "sendemail.smtpServerPort", "1")
    result = send(patchgen, series)
    assert result.code == 1 and "nothing was sent" in result.err
    git(series, "config", "sendemail.smtpServerPort", str(server.port))
    assert send(patchgen, series).code == 0
    delivered_once(server.received)


@pytest.mark.slow
@pytest.mark.parametrize("during", [False, True], ids=["between two mails", "during a mail"])
def test_killed(patchgen, series, server, during):
    if during:
        server.faults[2] = "hang"
    args = [
        sys.executable,
        "-m",
        "patchgen",
        "send",
        "--tree",
        series,
        V4,
        "--yes",
        "--skip-checks",
    ]
    process = subprocess.Popen(
        args,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    if during:
        for _ in range(5000):
            if server.attempts == 3:
                break
            time.sleep(0.02)
    else:
        assert any("sent 1" in line for line in process.stdout)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    # The process of a mail in flight completes it, and writes its outcome.
    for _ in range(100):
        result = send(patchgen, series, "--resume")
        if "is sending this version right now" not in result.err:
            break
        time.sleep(0.1)
    assert result.code == 0, result.err
    assert len(server.received) == 5
    delivered_once(server.received)


def test_what_went_out_must_not_change_before_the_rest_does(patchgen, series, git, server):
    server.faults[2] = "451"
    assert send(patchgen, series).code == 1
    commits = git(series, "rev-list", "--reverse", f"master..{V4}").split()
    git(series, "checkout", "-q", "--detach", commits[0])
    git(series, "cherry-pick", "--no-commit", commits[1])
    git(series, "commit", "-q", "-m", "x86: Another message", "-m", "Signed-off-by: A <a@b>")
    for oid in commits[2:]:
        git(series, "cherry-pick", oid)
    git(series, "update-ref", f"refs/heads/{V4}", "HEAD")
    result = send(patchgen, series, "--resume")
    assert result.code == 1 and "was sent, and has changed since" in result.err
    assert len(server.received) == 2


@pytest.mark.slow
def test_tls_and_a_login(patchgen, pvops, git, tmp_path):
    with serve(tmp_path, secure=True) as server:
        for key, value in {
            "smtpServer": "127.0.0.1",
            "smtpServerPort": str(server.port),
            "smtpEncryption": "tls",
            "smtpSSLCertPath": str(server.certificate),
            "smtpUser": USER,
            "smtpPass": PASSWORD,
        }.items():
            git(pvops, "config", f"sendemail.{key}", value)
        result = send(patchgen, pvops)
        assert result.code == 0, result.err
        assert len(server.received) == 5 and server.logins == 5
        delivered_once(server.received)
        journals = list((pvops / ".git/patchgen/send").iterdir())
        assert journals
        for path in journals:
            assert PASSWORD.encode() not in path.read_bytes()
            assert b"AUTH" not in path.read_bytes()


def test_a_wrong_password_sends_nothing(patchgen, pvops, git, tmp_path):
    with serve(tmp_path, secure=True) as server:
        for key, value in {
            "smtpServer": "127.0.0.1",
            "smtpServerPort": str(server.port),
            "smtpEncryption": "tls",
            "smtpSSLCertPath": str(server.certificate),
            "smtpUser": USER,
            "smtpPass": "wrong",
        }.items():
            git(pvops, "config", f"sendemail.{key}", value)
        result = send(patchgen, pvops)
        assert result.code == 1 and "535" in result.err and "nothing was sent" in result.err
        assert "wrong" not in result.err and server.received == []


def test_a_password_is_asked_for_once(patchgen, pvops, git, tmp_path):
    asked = tmp_path / "asked"
    helper = tmp_path / "helper"
    helper.write_text(f'#!/bin/sh\necho "$1" >> {asked}\necho "password={PASSWORD}"\n')
    helper.chmod(0o755)
    with serve(tmp_path, secure=True) as server:
        for key, value in {
            "sendemail.smtpServer": "127.0.0.1",
            "sendemail.smtpServerPort": str(server.port),
            "sendemail.smtpEncryption": "tls",
            "sendemail.smtpSSLCertPath": str(server.certificate),
            "sendemail.smtpUser": USER,
            "credential.helper": str(helper),
        }.items():
            git(pvops, "config", key, value)
        result = send(patchgen, pvops)
        assert result.code == 0, result.err
        assert asked.read_text().split().count("get") == 1
        assert len(server.received) == 5


def test_a_command_takes_the_mails(patchgen, series, git, tmp_path):
    program = tmp_path / "take"
    box = tmp_path / "box"
    program.write_text(
        f'#!/bin/sh\nn=$(ls {box} | wc -l)\n[ "$n" = 3 ] && [ ! -e {tmp_path}/on ] && exit 75\n'
        f'cat > {box}/$n; echo "$@" > {tmp_path}/words\n'
    )
    program.chmod(0o755)
    box.mkdir()
    git(series, "config", "--unset", "sendemail.smtpServer")
    git(series, "config", "sendemail.sendmailCmd", str(program))
    result = send(patchgen, series)
    assert result.code == 1 and "mail 3 was not accepted" in result.err
    (tmp_path / "on").touch()
    result = send(patchgen, series, "--resume")
    assert result.code == 0, result.err
    assert len(list(box.iterdir())) == 5


def test_bytes_that_mail_does_not_like(patchgen, series, git, server, tmp_path):
    git(series, "checkout", "-q", V4)
    odd = {
        "long.c": b"/* " + b"x" * 1500 + b" */\n",
        "latin.c": "/* M\u00fcller */\n".encode("latin-1"),
        "crlf.c": b"int a;\r\nint b;\r\n",
        "utf8.c": "/* \u00fcber */\n".encode(),
        "dot.c": b".\n..\nFrom here\n",
    }
    for name, content in odd.items():
        (series / name).write_bytes(content)
    git(series, "add", "-A", "-f", *odd)
    who = "--author=Zoë Ångström-Łukasiewicz <zoe@example.org>"
    git(series, "commit", "-q", who, "-m", SUBJECT, "-m", BODY)
    git(series, "checkout", "-q", "master")
    result = send(patchgen, series, "--skip-checks")
    assert result.code == 0, result.err
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", series, clone)
    tree = git(series, "rev-parse", f"{V4}^{{tree}}").strip()
    files = as_files(server.received[1:], tmp_path / "in")
    assert apply_mails(clone, "origin/master", files) == tree
    content = git(clone, "log", "-1", "--format=%an|%s|%b", "am")
    assert content.startswith(f"Zoë Ångström-Łukasiewicz|{SUBJECT}|Grüße.\n")


def test_reflect_sends_to_the_user_only(patchgen, series, git, server):
    result = send(patchgen, series, "--reflect", "--skip-checks")
    assert result.code == 0, result.err
    assert len(server.received) == 5
    assert {tuple(mail.recipients) for mail in server.received} == {("ada@example.org",)}
    assert parse(server.received[1])["X-Original-To"] == "x86@example.org"
    assert git(series, "tag", "--list") == ""
    server.received.clear()
    assert send(patchgen, series).code == 0
    assert len(server.received) == 5


def test_people_that_are_added(patchgen, series, git, server):
    git(series, "config", "sendemail.cc", "Boss <boss@example.org>")
    git(series, "config", "sendemail.bcc", "me@example.org")
    git(series, "config", "sendemail.ccCmd", "echo guess@example.org #")
    git(series, "config", "sendemail.suppresscc", "all")
    args = ("--to", "list@example.org", "--cc-cover", "chief@example.org")
    shown = patchgen("send", "--tree", series, V4, "--dry-run", "--verbose", *args)
    assert "Cc: Boss <boss@example.org>" in shown.out and "Bcc of all mails: me@" in shown.out
    result = send(patchgen, series, *args)
    assert result.code == 0, result.err
    everybody = [set(mail.recipients) for mail in server.received]
    for recipients in everybody:
        assert {
            "list@example.org",
            "boss@example.org",
            "me@example.org",
            "x86@example.org",
        } <= recipients
        assert not recipients & {"guess@example.org", "ada@example.org"}
    assert ["chief@example.org" in recipients for recipients in everybody] == [True] + [False] * 4


def test_checks_come_first(patchgen, series, git, server):
    git(series, "checkout", "-q", V4)
    git(series, "commit", "-q", "--amend", "-m", "No area here", "-m", "Text.")
    result = send(patchgen, series)
    assert result.code == 1 and "does not pass lint [checks-failed]" in result.err
    assert "the subject has no subsystem prefix" in result.err and "(patch 4)\n" in result.err
    assert server.received == []


def test_a_dry_run_refuses_what_is_not_signed_off_and_names_a_command_that_mends_it(
    patchgen, pvops_on, toy, git
):
    pvops_on()
    args = ("send", "--tree", toy, V4, "--dry-run")
    result = patchgen(*args)
    assert result.code == 1 and "does not pass lint [checks-failed]" in result.err
    assert "5 mails, " in result.out and "Send them:" not in result.out
    assert patchgen(*args, "--skip-checks").code == 0
    command = re.search(r"missing \(git (.+)\) \(patch 1, 2, 3, 4\)\n", result.err)
    assert command is not None, result.err
    git(toy, *shlex.split(command[1]))
    result = patchgen(*args)
    assert result.code == 0 and "Send them:" in result.out, result.err
    assert "note: checkpatch: the base has no checkpatch.pl\n" in result.out


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        (["none", "--yes"], 1, "no such folder or branch: none [branch-unknown]"),
        (["../none", "--yes"], 1, "no such folder or branch: ../none [branch-unknown]"),
        ([V4], 2, "without a terminal"),
        ([V4, "--skip-checks"], 2, "without a terminal"),
        (["none"], 1, "no such folder or branch: none [branch-unknown]"),
        ([], 2, "master is not a series; name one of these [branch-not-named]"),
        ([V4, "--yes", "--arrived", "1"], 2, "require --resume"),
        ([V4, "--yes", "--resume"], 1, "nothing to resume"),
        (["master", "--yes"], 1, "cannot tell where the series on master starts"),
    ],
)
def test_an_error_states_what_is_wrong(patchgen, series, server, args, code, problem):
    result = patchgen("send", "--tree", series, *args)
    assert result.code == code and problem in result.err, result.err
    assert server.received == []


def test_no_server_is_configured(patchgen, series, git):
    if any(Path(path).exists() for path in ("/usr/sbin/sendmail", "/usr/lib/sendmail")):
        git(series, "config", "sendemail.smtpServer", "")
    git(series, "config", "--unset", "sendemail.smtpServer")
    result = send(patchgen, series)
    if result.code != 0:
        assert "git is not configured to send mails" in result.err


def test_a_folder_of_mails_is_sent_as_it_is(patchgen, series, server):
    result = patchgen(
        "send", "--tree", series, series / "outgoing" / "pvops-v4", "--yes", "--skip-checks"
    )
    assert result.code == 0, result.err
    assert len(server.received) == 5
    again = patchgen(
        "send", "--tree", series, series / "outgoing" / "pvops-v4", "--yes", "--skip-checks"
    )
    assert again.code == 1 and "5 of 5 mails of this version have been sent already" in again.err


def test_the_summary_has_the_notes_of_the_checks_and_a_newer_version(patchgen, series, git):
    git(series, "config", "sendemail.cc", "Boss <boss@example.org>")
    assert patchgen("import", "--tree", series, V4, "--series", V4, "-v", "5").code == 0
    result = send(patchgen, series)
    assert result.code == 0, result.err
    assert "v5 was sent already, and is newer than these mails" in result.err
    assert "note: checkpatch: the base has no checkpatch.pl\n" in result.out
    [everybody] = re.findall(r"^  all mails  Cc: (.*(?:\n {6}.*)*)", result.out, re.MULTILINE)
    assert "Boss <boss@example.org>" in everybody
