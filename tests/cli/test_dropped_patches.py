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
    texts = [finding["text"] for finding in findings if finding["where"] == "cover letter"]
    return [text for text in texts if text.startswith("read it again")]


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
    assert note.endswith("any more: only that patch has pv_ops of its subject")


def read_items(git, tree, start: str) -> str:
    """Return the list of changes in the cover letter of v5."""
    letter = git(tree, "show", "-s", "--format=%B", start)
    return " ".join(letter.partition("Changes in v5:")[2].partition("Changes in v4:")[0].split())


def test_the_change_log_lists_what_reviewers_had_seen(patchgen, dropped, git):
    assert patchgen("reroll", "--tree", dropped, V4).code == 0
    assert read_items(git, dropped, f"{V5}~3") == f'- Drop "{MM}"'


def test_it_is_listed_once(patchgen, dropped, git):
    assert patchgen("reroll", "--tree", dropped, V4).code == 0
    assert patchgen("reroll", "--tree", dropped, V5, "-v", "5").code == 0
    assert read_items(git, dropped, f"{V5}~3") == f'- Drop "{MM}"'
    assert patchgen("reroll", "--tree", dropped, V5).code == 0
    letter = git(dropped, "show", "-s", "--format=%B", "patchgen/pvops-v6~3")
    assert " ".join(letter.split()).count(f'Drop "{MM}"') == 1


def test_it_is_listed_if_a_version_that_was_not_sent_describes_a_change_of_it(patchgen, pvops, git):
    assert patchgen("import", "--tree", pvops, V4, "--series", V4, "-v", "4").code == 0
    assert patchgen("reroll", "--tree", pvops, V4, "--changes", "sev=Explain it").code == 0
    subject = git(pvops, "show", "-s", "--format=%s", V5).strip()
    assert f'- "{subject}": Explain it' in read_items(git, pvops, f"{V5}~4")
    git(pvops, "update-ref", f"refs/heads/{V5}", f"{V5}~1")
    assert patchgen("reroll", "--tree", pvops, V5).code == 0
    letter = git(pvops, "show", "-s", "--format=%B", "patchgen/pvops-v6~3")
    assert f'- Drop "{subject}" ' in " ".join(letter.split())


def test_a_text_of_the_user_about_it_is_not_repeated(patchgen, dropped, git):
    text = f'Drop "{MM}", as it needs the next kernel'
    assert patchgen("reroll", "--tree", dropped, V4, "--changes", text).code == 0
    assert read_items(git, dropped, f"{V5}~3") == f"- {text}"


def test_a_patch_that_was_not_sent_is_not_in_the_change_log(patchgen, pvops, git):
    git(pvops, "update-ref", f"refs/heads/{V4}", f"{V4}~1")
    assert patchgen("reroll", "--tree", pvops, V4).code == 0
    assert "Drop" not in read_items(git, pvops, f"{V5}~3")


def test_the_change_log_names_the_patch_that_another_was_squashed_into(patchgen, pvops, git):
    assert patchgen("import", "--tree", pvops, V4, "--series", V4, "-v", "4").code == 0
    subject = git(pvops, "show", "-s", "--format=%s", V4).strip()
    into = git(pvops, "show", "-s", "--format=%s", f"{V4}~1").strip()
    git(pvops, "checkout", "-q", "--detach", f"{V4}~1")
    git(pvops, "cherry-pick", "--no-commit", V4)
    git(pvops, "commit", "-q", "--amend", "--no-edit")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    assert patchgen("reroll", "--tree", pvops, V4).code == 0
    items = read_items(git, pvops, f"{V5}~3")
    assert f'- Squash "{subject}" into "{into}"' in items and "Drop" not in items
    assert not any("read it again" in note for note in list_notes(patchgen, pvops, V5))


def test_a_reordered_or_reworded_patch_is_not_dropped(patchgen, pvops, git):
    assert patchgen("import", "--tree", pvops, V4, "--series", V4, "-v", "4").code == 0
    git(pvops, "checkout", "-q", "--detach", f"{V4}~4")
    for commit in (f"{V4}~1", f"{V4}~3", f"{V4}~2", V4):
        git(pvops, "cherry-pick", commit)
    git(pvops, "commit", "-q", "--amend", "-m", "x86/kvm: Report to the host\n\nBecause.\n")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    assert patchgen("reroll", "--tree", pvops, V4).code == 0
    assert read_items(git, pvops, f"{V5}~4") == ""
