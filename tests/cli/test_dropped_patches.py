# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that a person has dropped: the texts that go out do not silently describe it."""

from __future__ import annotations

import json

import pytest

V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
FAST = [f"--skip={check}" for check in ("checkpatch", "am", "sections", "build", "code")]
MM = "x86/mm: Notify page encryption status changes through pv_ops"


def list_notes(patchgen, tree, branch: str) -> list[str]:
    result = patchgen("verify", branch, "--tree", tree, *FAST, "--json")
    findings = json.loads(result.out)["series_findings"]
    return [finding["text"] for finding in findings if finding["where"] == "cover letter"]


@pytest.fixture
def dropped(patchgen, pvops, git):
    """Return the toy tree with v4, which was sent, and whose second patch was then dropped."""
    assert patchgen("import", "--tree", pvops, V4, "--series", V4, "-v", "4").code == 0
    assert list_notes(patchgen, pvops, V4) == []
    git(pvops, "checkout", "-q", "--detach", f"{V4}~3")
    for commit in (f"{V4}~1", V4):
        git(pvops, "cherry-pick", commit)
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    return pvops


def test_verify_says_to_read_the_cover_letter_again(patchgen, dropped, git):
    [note] = list_notes(patchgen, dropped, V4)
    assert note.startswith(f'read it again, since the series does not have "{MM}" any more: ')
    assert "early_set_memory_and_notify" in note and "only that patch has pv_ops" in note
    # The reroll generates the letter again, but its prose is that of the whole variant.
    assert patchgen("reroll", "--tree", dropped, V4).code == 0
    [note] = list_notes(patchgen, dropped, V5)
    assert "early_set_memory_and_notify" in note and "only that patch has pv_ops" in note
