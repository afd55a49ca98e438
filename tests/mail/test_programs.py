# SPDX-License-Identifier: GPL-2.0-or-later
"""The settings that `patchgen send` reads, and the programs that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from patchgen.commands.send import SendRequest, plan_sending
from patchgen.odb import Repository
from patchgen.send.settings import read_send_settings
from patchgen.send.transport import GitSendEmail
from tests.support.programs import list_programs

V4 = "patchgen/pvops-v4"


def list_rehearsals(tree):
    with list_programs() as started:
        plan = plan_sending(SendRequest(tree=tree, source=V4))
    assert [mail.file_name[:7] for mail in plan.version.mails] == [f"v4-000{n}" for n in range(5)]
    return started, [argv for argv in started if argv.startswith("git send-email ")]


def test_one_git_rehearses_all_mails(series):
    started, [rehearsal] = list_rehearsals(series)
    assert rehearsal.count("/v4-000") == 5
    # git would sleep between mails, also in a dry run.
    assert " --dry-run --batch-size=0 " in rehearsal
    assert sum(" config " in argv for argv in started) <= 5


def test_where_git_ignores_the_cc_of_headers_each_mail_is_rehearsed_with_its_cc(series, git):
    git(series, "config", "sendemail.suppressCc", "cc")
    _, rehearsals = list_rehearsals(series)
    people = [
        tuple(sorted(word for word in argv.split() if word.startswith("--cc=")))
        for argv in rehearsals
    ]
    assert len(set(people)) == len(people) > 1 and all(people)


def test_the_process_of_a_mail_imports_only_what_it_needs():
    """It starts for each mail, and importing all of patchgen takes longer than it runs."""
    code = "import sys, patchgen.send.send_one; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    ).stdout.split()
    own = {name for name in loaded if name.startswith("patchgen.")}
    assert own == {
        "patchgen.controls",
        "patchgen.errors",
        "patchgen.process",
        "patchgen.send",
        "patchgen.send.outcome",
        "patchgen.send.send_one",
    }


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, []),
        ({"sendemail.to": "a"}, ["a"]),
        ({"SendEmail.TO": "a"}, ["a"]),
        ({"sendemail.to": ""}, []),
        ({"sendemail.to": "a\nb"}, ["a\nb"]),
        ({"sendemail.identity": "My.Work", "sendemail.to": "a"}, ["a"]),
        ({"sendemail.identity": "My.Work", "sendemail.My.Work.to": "b"}, ["b"]),
        ({"sendemail.identity": "work", "sendemail.to": "a", "sendemail.work.to": "b"}, ["b"]),
        ({"sendemail.identity": "work", "sendemail.WORK.to": "b"}, []),
    ],
)
def test_a_setting_is_that_of_the_identity_else_the_general_one(toy, git, config, expected):
    for key, value in config.items():
        git(toy, "config", key, value)
    settings = read_send_settings(Repository(toy))
    assert list(settings.read_all("to")) == expected
    assert settings.read("to") == (expected[-1] if expected else None)


def test_the_last_value_of_a_setting_takes_effect(toy, git):
    for value in ("a", "b"):
        git(toy, "config", "--add", "sendemail.to", value)
    settings = read_send_settings(Repository(toy))
    assert (list(settings.read_all("to")), settings.read("to")) == (["a", "b"], "b")


@pytest.mark.parametrize("password", ["plain", "vertical\x0btab", "line\u2028separator", "\udce9"])
def test_a_password_is_read_whole(git, tmp_path, password):
    git(tmp_path, "init", "-q", "tree")
    tree = tmp_path / "tree"
    helper = tmp_path / "helper"
    helper.write_bytes(b"#!/bin/sh\nprintf 'password=%s\\n' '" + os.fsencode(password) + b"'\n")
    helper.chmod(0o755)
    git(tree, "config", "credential.helper", str(helper))
    git(tree, "config", "sendemail.smtpServer", "mail.example.org")
    git(tree, "config", "sendemail.smtpUser", "ada")
    with closing(Repository(tree)) as repository:
        transport = GitSendEmail(repository, read_send_settings(repository), by_smtp=True)
        assert transport.log_in().credentials == {"sendemail.smtpPass": password}
