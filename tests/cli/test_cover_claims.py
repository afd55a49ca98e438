# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of the cover letter that patchgen generates mentions the work by hand, or lint asks."""

from __future__ import annotations

import json

from tests.support.small_variant import make_small_tree

V4 = "patchgen/pvops-v4"
FAST = [f"--skip={check}" for check in ("checkpatch", "am", "sections", "build", "code")]
KVM = "arch/x86/kernel/kvm.c"


def list_notes(patchgen, tree) -> list[str]:
    result = patchgen("verify", V4, "--tree", tree, *FAST, "--json")
    findings = json.loads(result.out)["series_findings"]
    return [finding["text"] for finding in findings if finding["text"].startswith("it lists")]


def test_work_by_hand_is_mentioned_after_a_reroll(patchgen, pvops, git):
    assert list_notes(patchgen, pvops) == []
    git(pvops, "checkout", "-q", "--detach", f"{V4}~4")
    for commit in (f"{V4}~3", f"{V4}~1", V4):
        git(pvops, "cherry-pick", commit)
    path = pvops / KVM
    path.write_text(path.read_text() + "/* by hand */\n")
    git(pvops, "commit", "-q", "-a", "--amend", "--no-edit")
    path.write_text(path.read_text() + "/* mine */\n")
    git(pvops, "commit", "-q", "-a", "-m", "x86/kvm: Add mine\n\nBecause.\n")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    [note] = list_notes(patchgen, pvops)
    assert (
        f"since: 1 patch edited, 1 patch dropped, 1 patch added; `patchgen reroll {V4} -v 4`"
        in note
    )
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    assert list_notes(patchgen, pvops) == []


def test_a_list_of_patches_with_a_former_subject(patchgen, tmp_path, git):
    tree = make_small_tree(tmp_path, git)
    branch = "patchgen/free-v1"
    args = ("--split", "file", "--subject", "Use it")
    assert patchgen("run", tmp_path / "free.cocci", "--tree", tree, *args).code == 0
    git(tree, "checkout", "-q", branch)
    git(tree, "commit", "-q", "--amend", "-m", "x: Use the other\n\nBecause.\n")
    git(tree, "checkout", "-q", "master")

    def find_note() -> bool:
        return "1 patch renamed;" in patchgen("verify", branch, "--tree", tree, *FAST).out

    assert find_note()
    warning = "warning: the cover letter: it lists what patchgen made"
    done = patchgen("format", branch, "--tree", tree)
    assert done.code == 0 and warning in done.err
    assert f"1 patch renamed; `patchgen reroll {branch} -v 1` generates the list again" in done.err
    assert patchgen("reroll", "--tree", tree, branch, "-v", "1").code == 0
    assert not find_note()
    assert warning not in patchgen("format", branch, "--tree", tree).err
    cover, _ = git(tree, "log", "-1", "--format=%B", f"{branch}~2").split("--- b4")
    assert "x: Use the other" in cover
