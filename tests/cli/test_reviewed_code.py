# SPDX-License-Identifier: GPL-2.0-or-later
"""Review tags on code that its reviewers have not seen: `patchgen verify` reports them."""

from __future__ import annotations

import json

import pytest

V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
FAST = [f"--skip={check}" for check in ("checkpatch", "am", "sections", "build", "code")]
KVM = "arch/x86/kernel/kvm.c"
REVIEWED = "Reviewed-by: Bea <bea@example.org>"


@pytest.fixture
def reviewed(pvops, git):
    """Return the toy tree with v4, whose last patch has a review tag."""
    git(pvops, "checkout", "-q", V4)
    message = git(pvops, "log", "-1", "--format=%B").rstrip()
    git(pvops, "commit", "-q", "--amend", "-m", f"{message}\n{REVIEWED}")
    return pvops


def send(patchgen, tree, revision: str) -> None:
    args = ("--series", f"patchgen/pvops-v{revision}", "-v", revision)
    result = patchgen("import", "--tree", tree, f"patchgen/pvops-v{revision}", *args)
    assert result.code == 0, result.err


def edit_code(tree, git) -> None:
    path = tree / KVM
    path.write_text(path.read_text() + "/* by hand */\n")
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")


def list_remarks(patchgen, tree, branch: str) -> list[str]:
    result = patchgen("verify", branch, "--tree", tree, *FAST, "--json")
    commits = json.loads(result.out)["commits"]
    findings = [finding for commit in commits for finding in commit["findings"]]
    return [finding["text"] for finding in findings if "Reviewed-by of" in finding["text"]]


def test_a_tag_of_a_version_that_was_sent(patchgen, reviewed, git):
    send(patchgen, reviewed, "4")
    assert list_remarks(patchgen, reviewed, V4) == []
    edit_code(reviewed, git)
    [remark] = list_remarks(patchgen, reviewed, V4)
    assert remark.startswith("the code differs from v4, the last version that was sent, but ")
    # The version was sent, so the next one is made.
    assert remark.endswith(f"; `patchgen reroll {V4}` drops such tags")
    assert "the patch still has Reviewed-by of Bea <bea@example.org>;" in remark


def test_a_tag_on_a_draft_after_it(patchgen, reviewed, git):
    send(patchgen, reviewed, "4")
    assert patchgen("reroll", "--tree", reviewed, V4).code == 0
    git(reviewed, "checkout", "-q", V5)
    assert REVIEWED in git(reviewed, "log", "-1", "--format=%B")
    assert list_remarks(patchgen, reviewed, V5) == []
    edit_code(reviewed, git)
    assert len(list_remarks(patchgen, reviewed, V5)) == 1
    git(reviewed, "checkout", "-q", "master")
    assert patchgen("reroll", "--tree", reviewed, V5, "-v", "5").code == 0
    assert REVIEWED not in git(reviewed, "log", "-1", "--format=%B", V5).partition("\n---\n")[0]
    assert list_remarks(patchgen, reviewed, V5) == []


def test_nothing_is_known_about_a_series_that_was_not_sent(patchgen, reviewed, git):
    edit_code(reviewed, git)
    assert list_remarks(patchgen, reviewed, V4) == []
