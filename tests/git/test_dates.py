# SPDX-License-Identifier: GPL-2.0-or-later
"""Dates that git does not read as they stand, from SOURCE_DATE_EPOCH or the clock."""

from __future__ import annotations

import subprocess
from pathlib import PurePosixPath

import pytest

from patchgen.mail import format_mails
from patchgen.model.series import CommitDraft, Cover, FileEdit
from patchgen.odb import Quarantine, Repository
from patchgen.pipeline.prepare import warn_of_date
from patchgen.series import Tracking
from tests.support.checks import snapshot

DATES = {
    "0": "Thu, 1 Jan 1970 00:00:00 +0000",
    "1": "Thu, 1 Jan 1970 00:00:01 +0000",
    "20260101": "Sun, 23 Aug 1970 11:48:21 +0000",
    "99999999": "Sat, 3 Mar 1973 09:46:39 +0000",
    "4102444799": "Thu, 31 Dec 2099 23:59:59 +0000",
    "4294967296": "Sun, 7 Feb 2106 06:28:16 +0000",
}


@pytest.mark.parametrize(("epoch", "date"), DATES.items())
def test_any_source_date_epoch_dates_commits_and_mails(tmp_path, git, monkeypatch, epoch, date):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    git(tmp_path, "init", "-q", "-b", "master")
    (tmp_path / "file").write_text("a\n")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "base")
    repository = Repository(tmp_path)
    signatures = repository.read_signatures()
    base = repository.resolve_commit("HEAD")
    edit = FileEdit(PurePosixPath("file"), "100644", b"a\n", b"b\n")
    with Quarantine(repository) as quarantine:
        draft = CommitDraft("x86: Do it\n\nWhy.\n", (edit,))
        [tip] = quarantine.write_commits(base, [draft], signatures)
        cover, tracking = Cover("x86: Do", "It.\n"), Tracking("c-0123456789ab", 1)
        sender = signatures.committer
        mails = format_mails(quarantine, base, base, tip, cover, tracking, sender)
        shown = quarantine.run("show", "-s", "--format=%ad%n%cd", "--date=rfc2822", tip)
    repository.close()
    assert [f"\nDate: {date}\n".encode() in mail.content for mail in mails] == [True, True]
    assert shown.stdout.decode().splitlines() == [date, date]
    applied = subprocess.run(
        ["git", "-C", tmp_path, "am", "-q"],
        input=mails[1].content,
        capture_output=True,
        check=False,
    )
    # The user hears of it where git itself does not read the mail's date.
    assert (applied.returncode != 0) == bool(warn_of_date(signatures.committer))


@pytest.mark.parametrize("epoch", ["-1", "1e9", "tomorrow", "4" * 12, "1.5"])
def test_what_is_not_a_date_is_refused_before_the_work(patchgen, toy, monkeypatch, epoch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    before = snapshot(toy, without="none")
    result = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert (result.code, result.out) == (2, "")
    first, hint = result.err.splitlines()
    assert f"SOURCE_DATE_EPOCH is '{epoch}' [environment-variable]" in first
    assert hint.startswith("hint: set it to a number of seconds")
    assert snapshot(toy, without="none") == before
