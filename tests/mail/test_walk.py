# SPDX-License-Identifier: GPL-2.0-or-later
"""A series from v4 to what arrived of v5: by patchgen alone, and with b4 in the middle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.mail.conftest import b4_programs
from tests.mail.test_send import as_files, delivered_once, parse
from tests.support.checks import apply_mails
from tests.support.mail_forms import write_mbox
from tests.support.required import REQUIRED
from tests.support.smtp import Server

V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
KVM = "arch/x86/kernel/kvm.c"
REVIEWED = "Reviewed-by: Bea <bea@example.org>"
Git = Callable[..., str]

pytestmark = pytest.mark.slow


def edit_last(git: Git, tree: Path) -> None:
    git(tree, "checkout", "-q", V4)
    source = tree / KVM
    text = source.read_text()
    assert text.count("kvm_sev_hypercall3(KVM_HC") == 1
    source.write_text(text.replace("kvm_sev_hypercall3(KVM_HC", "kvm_sev_hypercall3( KVM_HC"))
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")
    git(tree, "checkout", "-q", "master")


def answer_patch(tree: Path, number: int, box: Path) -> None:
    """Write an answer to a mail of v4."""
    [posted] = (tree / "outgoing" / "pvops-v4").glob(f"v4-000{number}-*")
    head = posted.read_text().partition("\n\n")[0]
    [to] = [line[12:] for line in head.splitlines() if line.startswith("Message-ID: ")]
    message = EmailMessage()
    message["From"] = "Bea <bea@example.org>"
    message["Subject"] = "Re: a patch"
    message["Message-ID"] = f"<answer-{number}@example.org>"
    message["In-Reply-To"] = to
    message.set_content(f"Good.\n\n{REVIEWED}\n")
    box.write_bytes(message.as_bytes())


def arrived_gives(git: Git, tree: Path, branch: str, server: Server, folder: Path) -> Path:
    """Assert that what arrived applies to the base and gives the branch's tree."""
    clone = folder / "clone"
    git(folder, "clone", "-q", tree, clone)
    expected = git(tree, "rev-parse", f"{branch}^{{tree}}").strip()
    files = as_files(server.received[1:], folder / "in")
    assert apply_mails(clone, "origin/master", files) == expected
    first = parse(server.received[0])["Message-ID"]
    assert {parse(mail)["In-Reply-To"] for mail in server.received[1:]} == {first}
    delivered_once(server.received)
    return clone


def test_from_v4_to_what_arrived_of_v5(patchgen, series, git, server, tmp_path):
    edit_last(git, series)
    answer_patch(series, 2, tmp_path / "box")
    result = patchgen("trailers", "--tree", series, V4, tmp_path / "box", "--json")
    assert [tag["patch"] for tag in json.loads(result.out)["applied"]] == [2], result.err
    args = ("--onto", "master", "--changes", "sev=Leave a blank", "--changes", "Rebase")
    result = patchgen("reroll", "--tree", series, V4, *args)
    assert result.code == 0, result.err
    result = patchgen("send", "--tree", series, V5, "--yes")
    assert result.code == 0, result.err
    clone = arrived_gives(git, series, V5, server, tmp_path)
    assert "kvm_sev_hypercall3( KVM_HC" in (clone / KVM).read_text()
    assert REVIEWED in git(clone, "log", "-1", "--format=%B", "am~2")
    cover = parse(server.received[0]).get_content().replace("\r\n", "\n")
    subject = "x86/kvm: Tell the host about page encryption status changes under SEV"
    items = f'Changes in v5: - Rebase - "{subject}": Leave a blank '
    assert items in " ".join(cover.split())
    assert "Changes in v4:\n" in cover
    archive = tmp_path / "archive"
    archive.write_bytes(
        write_mbox([mail.content.replace(b"\r\n", b"\n") for mail in server.received])
    )
    skipped = [word for check in ("lint", "build", "checkpatch") for word in ("--skip", check)]
    args = ("verify", V5, "--tree", series, "--against", archive)
    result = patchgen(*args, *skipped)
    # Applying the mails drops the lists of changes.
    assert result.code == 0, result.out + result.err
    last = parse(server.received[4]).get_content().replace("\r\n", "\n")
    assert "---\nChanges in v5:\n- Leave a blank\n---\n" in last
    assert "Changes in v5" not in git(clone, "log", "-1", "--format=%B", "am")


def test_b4_takes_over_and_hands_back(patchgen, series, git, server, b4, tmp_path):
    edit_last(git, series)
    git(series, "checkout", "-q", V4)
    info = b4(series, "prep", "--show-info")
    assert "revision: 4" in info and "cover-subject: x86: Route page encryption" in info
    editor = tmp_path / "editor"
    sed = "s/^Guests with encrypted/As b4 knows, guests with encrypted/"
    editor.write_text(f'#!/bin/sh\nsed -i "{sed}" "$1"\n')
    editor.chmod(0o755)
    b4(series, "prep", "--edit-cover", editor=str(editor))
    b4(series, "prep", "--force-revision", "7")
    git(series, "checkout", "-q", "master")
    result = patchgen("reroll", "--tree", series, V4, "--onto", "master", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    # b4 counts what is to be sent next.
    assert document["revision"] == 7 and document["branch"] == "patchgen/pvops-v7"
    cover = git(series, "show", "-s", "--format=%B", "patchgen/pvops-v7~4")
    assert "As b4 knows, guests with encrypted" in cover
    result = patchgen("send", "--tree", series, "patchgen/pvops-v7", "--yes", "--skip-checks")
    assert result.code == 0, result.err
    arrived_gives(git, series, "patchgen/pvops-v7", server, tmp_path)
    # And b4 knows what patchgen sent.
    git(series, "checkout", "-q", "patchgen/pvops-v7")
    compared = b4(series, "prep", "--compare-to", "v7")
    assert compared.count(" = ") == 4


def test_b4_makes_the_same_mails(patchgen, series, git, server, b4, tmp_path):
    git(series, "checkout", "-q", V4)
    b4(series, "send", "-o", tmp_path / "out", "--no-sign")
    theirs = sorted((tmp_path / "out").iterdir())
    ours = sorted((series / "outgoing" / "pvops-v4").iterdir())
    assert len(theirs) == len([path for path in ours if path.suffix == ".patch"]) == 5

    def body(path: Path) -> str:
        # b4 0.16 has two blanks in the mark of the cover letter's signature.
        return path.read_bytes().partition(b"\n\n")[2].decode().replace("\n--  \n", "\n-- \n")

    for ours_path, theirs_path in zip(
        (path for path in ours if path.suffix == ".patch"), theirs, strict=True
    ):
        assert body(ours_path) == body(theirs_path)


def test_b4_can_be_had() -> None:
    if "b4" in REQUIRED:
        assert all(shutil.which(program) for program in b4_programs())
    assert Path(b4_programs()[1]).is_file()


def test_made_anew_the_branch_keeps_what_b4_noted(patchgen, series, git, b4):
    git(series, "checkout", "-q", V4)
    change_id = git(series, "show", "-s", "--format=%B", f"{V4}~4").partition('"change-id": "')[2]
    b4(series, "prep", "--set-prefixes", "RFC")
    git(series, "checkout", "-q", "master")
    args = ("--variant", "pvops", "--tree", series, "--signoff", "--force", "--quiet")
    result = patchgen("apply", *args)
    assert result.code == 0, result.err
    message = git(series, "show", "-s", "--format=%B", f"{V4}~4")
    assert message.partition('"change-id": "')[2][:30] == change_id[:30]
    assert '"RFC"' in message
    mail = (series / "outgoing" / "pvops-v4" / "v4-0000-cover-letter.patch").read_text()
    assert "Subject: [PATCH RFC v4 0/4] " in mail
