# SPDX-License-Identifier: GPL-2.0-or-later
"""Series rerolled from one real kernel to another: with a hand edit, and half made there."""

from __future__ import annotations

import email
import email.policy
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.mail.test_send import as_files, delivered_once
from tests.support.checks import apply_mails
from tests.support.kernels import clone_bare
from tests.support.smtp import serve

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

Git = Callable[..., str]
V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
TDX = "arch/x86/coco/tdx/tdx.c"
COMMENT = b"\n/* By hand. */\n"
FOLDERS = ("drivers/leds", "drivers/rpmsg")
CAMPAIGN, NEXT = "patchgen/sysfs-emit-v1", "patchgen/sysfs-emit-v2"


def amend_tip(repository: Path, branch: str, path: str, index: Path) -> None:
    """Put a comment at the end of a file in the last commit of a branch, without a work tree."""
    git = ["git", "-C", str(repository)]

    def run(*args: str, content: bytes | None = None) -> str:
        env = {**os.environ, "GIT_INDEX_FILE": str(index)}
        result = subprocess.run(
            [*git, *args], input=content, capture_output=True, check=True, env=env
        )
        return result.stdout.decode().strip()

    before = subprocess.run([*git, "show", f"{branch}:{path}"], capture_output=True, check=True)
    blob = run("hash-object", "-w", "--stdin", content=before.stdout + COMMENT)
    run("read-tree", branch)
    run("update-index", "--cacheinfo", f"100644,{blob},{path}")
    message = run("show", "-s", "--format=%B", branch).encode()
    commit = run("commit-tree", run("write-tree"), "-p", f"{branch}~1", content=message)
    run("update-ref", f"refs/heads/{branch}", commit)


def clone_both(older: Path, newer: Path, git: Git, folder: Path) -> tuple[Path, str]:
    """Return a repository with two kernels, the newer one as a branch, and that one's commit."""
    repository = clone_bare(older, folder / "linux.git")
    with (repository / "objects/info/alternates").open("a") as alternates:
        alternates.write(f"{newer / '.git/objects'}\n")
    commit = git(newer, "rev-parse", "HEAD").strip()
    git(repository, "update-ref", "refs/heads/newer", commit)
    return repository, commit


def test_from_6_1_to_6_12(
    patchgen: Patchgen, kernel_6_1: Path, kernel_6_12: Path, git, tmp_path: Path
):
    repository, newer = clone_both(kernel_6_1, kernel_6_12, git, tmp_path)
    result = patchgen(
        "apply", "--variant", "pvops", "--tree", repository, "--base", "master", "--signoff",
        "-o", tmp_path / "out", "--quiet",
    )  # fmt: skip
    assert result.code == 0, result.err
    amend_tip(repository, V4, TDX, tmp_path / "index")
    args = ("reroll", "--tree", repository, V4, "--onto", newer, "-o", tmp_path / "v5", "--json")
    result = patchgen(*args)
    assert result.code == 0, result.err + result.out
    document = json.loads(result.out)
    assert document["branch"] == V5 and document["dropped_tags"] == []
    edited = git(repository, "show", f"{V5}:{TDX}").encode()
    assert edited.endswith(COMMENT)
    verified = patchgen(
        "verify", V5, "--tree", repository, "--skip", "build", "--skip", "code", "--json"
    )
    assert verified.code == 0, verified.out
    with serve(tmp_path) as server:
        for key, value in (("smtpServer", "127.0.0.1"), ("smtpServerPort", str(server.port))):
            git(repository, "config", f"sendemail.{key}", value)
        result = patchgen("send", "--tree", repository, V5, "--yes", "--skip-checks")
        assert result.code == 0, result.err
        delivered_once(server.received)
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", "--shared", "--no-checkout", repository, clone)
        git(clone, "sparse-checkout", "set", "--no-cone", "/arch/x86/")
        files = as_files(server.received[1:], tmp_path / "in")
        tree = git(repository, "rev-parse", f"{V5}^{{tree}}").strip()
        assert apply_mails(clone, "origin/newer", files) == tree


def write_acks(mails: list[Path], target: Path) -> None:
    """Write a mailbox with an Acked-by in reply to each mail."""
    replies = []
    for number, path in enumerate(mails, 1):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        person = f"R{number} <r{number}@example.org>"
        replies.append(
            f"From x@y Thu Jan  1 00:00:00 1970\nFrom: {person}\nMessage-ID: <r{number}@x>\n"
            f"In-Reply-To: {mail['Message-ID']}\nSubject: Re: {mail['Subject']}\n"
            f"Date: Mon, 30 Nov 2026 10:00:00 +0000\n\nAcked-by: {person}\n\n"
        )
    target.write_text("".join(replies))


def test_a_campaign_that_mainline_has_half_made(
    patchgen: Patchgen, kernel_6_1: Path, kernel_6_12: Path, git, tmp_path: Path
):
    """Files of leds have the change in 6.12, those of rpmsg are as they were in 6.1."""
    repository, newer = clone_both(kernel_6_1, kernel_6_12, git, tmp_path)
    run = ("run", "sysfs-emit", *FOLDERS, "--tree", repository)
    made = patchgen(*run, "--base", "master", "--split", "-o", tmp_path / "v1", "--json")
    assert made.code == 0, made.err
    series = json.loads(made.out)["series"]
    leds, rpmsg = (patch["files"] for patch in series["patches"])
    write_acks([Path(mail) for mail in series["mails"][1:]], tmp_path / "replies.mbox")
    replies = tmp_path / "replies.mbox"
    tagged = patchgen("trailers", CAMPAIGN, replies, "--tree", repository, "--json")
    assert tagged.code == 0 and len(json.loads(tagged.out)["applied"]) == 2, tagged.err
    args = ("--tree", repository, "--onto", newer, "--json")
    status = json.loads(patchgen("status", CAMPAIGN, *args).out)
    files = {file["path"]: file for file in status["patches"][0]["files"]}
    applied = {path for path, file in files.items() if file["state"] == "applied"}
    assert applied and applied < set(leds) and status["patches"][1]["state"] == "needed"
    done = patchgen("reroll", CAMPAIGN, *args, "-o", tmp_path / "v2")
    assert done.code == 0, done.err + done.out
    document = json.loads(done.out)
    subjects = [patch["subject"] for patch in series["patches"]]
    assert document["patches"] == subjects
    assert document["dropped_tags"] == [f'Acked-by: R1 <r1@example.org> ("{subjects[0]}")']
    assert "Acked-by: R2 <r2@example.org>" in git(repository, "show", "-s", "--format=%B", NEXT)
    [remark] = [line for line in document["remarks"] if subjects[0] in line]
    assert remark.startswith("smaller, the base has the change of drivers/leds/")
    changed = set(git(repository, "diff", "--name-only", newer, NEXT).split())
    assert not changed & applied and set(rpmsg) <= changed
    # No place is lost, and none is there that the rule does not change.
    whole = patchgen(*run, "--base", newer)
    assert whole.out.count("diff --git ") == len(changed)
    assert git(repository, "diff", newer, NEXT).count("\n+") == whole.out.count("\n+")
