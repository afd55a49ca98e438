# SPDX-License-Identifier: GPL-2.0-or-later
"""A command without a branch is about the branch that is checked out, if that is a series."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.checks import snapshot

V4 = "patchgen/pvops-v4"
SUBJECT = "x86: Route page encryption status changes through pv_ops"


@pytest.mark.parametrize("command", ["trailers", "send", "format", "reroll", "verify", "report"])
@pytest.mark.parametrize("head", ["master", "--detach"])
def test_the_series_are_listed_where_none_is_checked_out(patchgen, pvops, git, command, head):
    git(pvops, "checkout", "-q", head)
    # Series are made on master, so a commit on it is not a series.
    git(pvops, "commit", "-q", "--allow-empty", "-m", "newer")
    box = pvops / "box"
    box.write_text("From: B <b@example.org>\nSubject: Re: it\nMessage-ID: <a@x>\n\nHi.\n")
    before = snapshot(pvops, without="none")
    page = pvops.parent / "page.html"
    args = {"trailers": [box], "send": ["--yes"], "report": ["--html", page]}.get(command, [])
    result = patchgen(command, *args, cwd=pvops)
    reason = "master is not a series" if head == "master" else "HEAD is detached"
    assert result.code == 2, result.err
    expected = (
        f"patchgen: {reason}; name one of these [branch-not-named]:\n  {V4}  (v4, {SUBJECT})\n"
    )
    assert result.err == expected
    assert snapshot(pvops, without="none") == before


def test_the_series_that_is_checked_out_is_used(patchgen, pvops, git):
    git(pvops, "checkout", "-q", V4)
    status = patchgen("status", "--onto", "master", cwd=pvops)
    assert status.code == 0 and status.out.startswith(f"{V4} on "), status.err
    result = patchgen("format", "--force", cwd=pvops)
    assert result.code == 0 and result.out.startswith(f"{V4}, v4: 5 mails"), result.err


# U+2028 and a byte that is not UTF-8: git allows both in the name of a branch.
@pytest.mark.parametrize("name", ["line\u2028separator", "byte-\udcff"])
def test_the_name_of_any_branch_is_read(patchgen, pvops, git, name):
    git(pvops, "branch", f"patchgen/pvops-{name}", V4)
    git(pvops, "branch", name, "master")
    for args in (["status", V4], ["reroll", V4], ["format"]):
        result = patchgen(*args, cwd=pvops)
        assert "Traceback" not in result.err, result.err
    shown = name.replace("\u2028", r"\u2028").replace("\udcff", r"\xff")
    assert result.code == 2 and f"patchgen/pvops-{shown}" in result.err, result.err


def test_a_branch_without_a_cover_letter_may_be_a_series(patchgen, toy: Path, git):
    git(toy, "checkout", "-q", "-b", "fix")
    git(toy, "commit", "-q", "--allow-empty", "-m", "x86: Fix it")
    status = patchgen("status", "--onto", "master", cwd=toy)
    assert status.code == 0 and status.out.startswith("fix on "), status.err
    box = toy / "box"
    box.write_text("From: B <b@example.org>\nSubject: Re: it\nMessage-ID: <a@x>\n\nHi.\n")
    trailers = patchgen("trailers", box, cwd=toy)
    assert trailers.code == 0 and trailers.out.startswith("1/1 x86: Fix it\n"), trailers.err
    # checkpatch and the builds need files that the toy tree lacks.
    checks = ["--skip", "checkpatch", "--skip", "build"]
    verify = patchgen("verify", *checks, cwd=toy)
    assert "x86: Fix it" in verify.out, verify.err


@pytest.mark.parametrize(
    "command",
    [["format"], ["send", "--yes"], ["reroll"], ["report", "--html", "../page.html"]],
    ids=lambda command: command[0],
)
def test_a_branch_without_a_cover_letter_is_refused_where_one_is_needed(
    patchgen, toy: Path, git, command
):
    git(toy, "checkout", "-q", "-b", "fix")
    git(toy, "commit", "-q", "--allow-empty", "-m", "x86: Fix it")
    result = patchgen(*command, cwd=toy)
    assert result.code == 2, result.err
    assert "fix is not a series, and no branch has a cover letter's commit" in result.err
