# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of the cover letter that patchgen generates mentions the work by hand, or lint asks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from patchgen.audit import summary
from tests.support.small_variant import make_small_tree

V4 = "patchgen/pvops-v4"
FAST = [f"--skip={check}" for check in ("checkpatch", "am", "sections", "build", "code")]
KVM = "arch/x86/kernel/kvm.c"


def list_findings(patchgen, tree, branch: str) -> list[dict[str, str]]:
    result = patchgen("verify", branch, "--tree", tree, *FAST, "--json")
    return json.loads(result.out)["series_findings"]


def list_notes(patchgen, tree) -> list[str]:
    texts = [finding["text"] for finding in list_findings(patchgen, tree, V4)]
    return [text for text in texts if "since it was generated" in text]


def list_wrong_places(patchgen, tree, branch: str) -> list[dict[str, str]]:
    findings = list_findings(patchgen, tree, branch)
    return [finding for finding in findings if "in the tree with all patches: " in finding["text"]]


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
    assert note.startswith("1 patch edited, 1 patch dropped, 1 patch added since it was generated,")
    assert f"not those of this series; `patchgen reroll {V4} -v 4` makes them again" in note
    sending = patchgen("send", V4, "--tree", pvops, "--dry-run")
    assert f"note: lint: cover letter: {note}\n" in sending.out
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    assert list_notes(patchgen, pvops) == []


def read_letter(git, tree, branch: str) -> str:
    """Return the cover letter, without the data below it."""
    oid = git(tree, "rev-list", "--reverse", f"master..{branch}").split()[0]
    return git(tree, "show", "-s", "--format=%B", oid).partition("--- b4")[0]


def check_places(git, tree, letter: str, branch: str) -> int:
    """Check that each place in the letter is in its function; return the number of places."""
    places = re.findall(r"(\S+\.[ch]):(\d+) (\w+)\(\)", letter)
    for path, line, function in places:
        lines = git(tree, "show", f"{branch}:{path}").split("\n")[: int(line)]
        header = next(text for text in reversed(lines[:-1]) if re.match(r"[a-z].*\(", text))
        assert f"{function}(" in header and lines[-1].startswith("\t"), (path, line, function)
    return len(places)


def add_lines_above(git, tree, path: str) -> None:
    """Amend the newest commit: what it has in a file is further below then."""
    text = (tree / path).read_text()
    (tree / path).write_text("/* 1 */\n/* 2 */\n/* 3 */\n" + text)
    git(tree, "commit", "-q", "-a", "--amend", "--no-edit")


@pytest.mark.parametrize("work", ["drop", "edit", "add"])
def test_cited_calls_are_those_of_the_series_with_work_by_hand(patchgen, pvops, git, work):
    before = check_places(git, pvops, read_letter(git, pvops, V4), V4)
    git(pvops, "checkout", "-q", "--detach", f"{V4}~1" if work == "drop" else V4)
    if work != "drop":
        add_lines_above(git, pvops, KVM)
    if work == "add":
        git(pvops, "reset", "-q", "--soft", V4)
        git(pvops, "commit", "-q", "-m", "x86/kvm: Add lines\n\nBecause.\n")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    letter = read_letter(git, pvops, V4)
    # The calls of __bss_decrypted and of the direct hypercall are in the patch that was dropped.
    assert check_places(git, pvops, letter, V4) == before - (2 if work == "drop" else 0)
    assert (
        ("Direct calls" in letter) == ("On SEV the callback issues" in letter) == (work != "drop")
    )
    assert ("These numbers do not include later edits by hand." in join(letter)) == (work == "edit")
    # The next version has the same letter, and edits of a letter that cites the calls are kept.
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    assert read_letter(git, pvops, V4) == letter


VARIANTS = {"pvops": 4, "sev-hypercall": 1, "vmmcall-default": 1, "x86-platform": 1}


@pytest.mark.parametrize(("variant", "version"), VARIANTS.items())
def test_the_places_of_a_generated_letter_exist(patchgen, toy, git, variant, version):
    assert patchgen("apply", "--variant", variant, "--tree", toy).code == 0
    branch = f"patchgen/{variant}-v{version}"
    assert re.search(r"\.[ch]:\d+ \w+\(\)", read_letter(git, toy, branch))
    assert list_wrong_places(patchgen, toy, branch) == []


def test_places_that_moved_are_reported_until_the_lists_are_made_again(patchgen, pvops, git):
    letter = git(pvops, "show", "-s", "--format=%B", f"{V4}~4").split("\n")
    place = re.compile(rf"{re.escape(KVM)}:\d+ (\w+)\(\)")
    listed = {
        number: match for number, line in enumerate(letter, 1) if (match := place.search(line))
    }
    git(pvops, "checkout", "-q", "--detach", V4)
    path = pvops / KVM
    path.write_text("/* x */\n" * 200 + path.read_text())
    git(pvops, "commit", "-q", "-a", "--amend", "--no-edit")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    findings = list_wrong_places(patchgen, pvops, V4)
    assert [f["where"] for f in findings] == [f"cover letter:{number}" for number in listed]
    for finding, match in zip(findings, listed.values(), strict=True):
        assert finding["text"].startswith(f"{match[0]} is not in the tree with all patches: line ")
        assert (
            f" is not in {match[1]}(); correct it, or let `patchgen reroll {V4} -v 4` make"
            in (finding["text"])
        )
        assert not finding["failure"]
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    assert list_wrong_places(patchgen, pvops, V4) == []


def join(text: str) -> str:
    return " ".join(text.split())


def test_an_edited_letter_loses_the_calls_of_a_dropped_patch(patchgen, pvops, git):
    git(pvops, "checkout", "-q", "--detach", f"{V4}~4")
    message = git(pvops, "show", "-s", "--format=%B").replace("In the discussion", "Later", 1)
    git(pvops, "commit", "-q", "--amend", "--allow-empty", "-m", message)
    for commit in (f"{V4}~3", f"{V4}~2", f"{V4}~1"):
        git(pvops, "cherry-pick", commit)
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    for _ in range(2):
        assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
        letter = read_letter(git, pvops, V4)
        assert "Later of v3" in letter and "kvm_sev_init_platform" not in letter
        assert check_places(git, pvops, letter, V4) == 2
        # Without the generated series, it is made again.
        for ref in git(pvops, "for-each-ref", "--format=%(refname)", "refs/patchgen/made").split():
            git(pvops, "update-ref", "-d", ref)
        git(pvops, "reflog", "expire", "--expire=now", "--all")


AUDIT = """\
A call graph shows the code that can run before alternatives are patched,
in any configuration: in it, 2 places ask for pages to become shared or
private. The series routes 2 of these places through the op.

Do not notify the hypervisor on SEV:

  arch/x86/kernel/kvm.c:55 kvm_sev_init_platform():
    early_set_memory_decrypted(x)

Bypass the op:

  arch/x86/kernel/kvm.c:33 f(): g(x)

"""


def test_the_summary_of_an_audit_is_left_out_with_a_warning(patchgen, pvops, git):
    source = Path(summary.__file__).read_text()
    for text in ("A call graph shows the code that can ", "Do not notify the hy", "Bypass the op:"):
        assert text in AUDIT and f'"{text}' in source
    start = "A tool, patchgen, made"
    before = read_letter(git, pvops, V4)
    git(pvops, "checkout", "-q", "--detach", f"{V4}~4")
    message = git(pvops, "show", "-s", "--format=%B").replace(start, f"{AUDIT}Mine.\n\n{start}", 1)
    git(pvops, "commit", "-q", "--amend", "--allow-empty", "-m", message)
    for number in (3, 2, 1, 0):
        git(pvops, "cherry-pick", f"{V4}~{number}")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    done = patchgen("reroll", "--tree", pvops, V4, "-v", "4")
    assert done.code == 0 and "warning: the cover letter has no summary of an audit" in done.err
    assert read_letter(git, pvops, V4) == before.replace(start, f"Mine.\n\n{start}", 1)
    assert "audit" not in patchgen("reroll", "--tree", pvops, V4, "-v", "4").err


def test_lines_of_a_squashed_patch_are_counted(patchgen, pvops, git):
    before = read_letter(git, pvops, V4)
    [total] = re.findall(r"Of (\d+) lines that the patches add", join(before))
    semantic_patches = re.findall(r"^\* .*", before, re.MULTILINE)
    assert len(semantic_patches) > 5
    git(pvops, "checkout", "-q", "--detach", f"{V4}~1")
    git(pvops, "cherry-pick", "--no-commit", V4)
    git(pvops, "commit", "-q", "--amend", "--no-edit")
    git(pvops, "update-ref", f"refs/heads/{V4}", "HEAD")
    git(pvops, "checkout", "-q", "master")
    assert patchgen("reroll", "--tree", pvops, V4, "-v", "4").code == 0
    letter = read_letter(git, pvops, V4)
    assert f"Of {total} lines" in join(letter) and "Direct calls" in letter
    assert re.findall(r"^\* .*", letter, re.MULTILINE) == semantic_patches


def test_a_list_of_patches_with_a_former_subject(patchgen, tmp_path, git):
    tree = make_small_tree(tmp_path, git)
    branch = "patchgen/free-v1"
    args = ("--split", "file", "--subject", "Use it")
    assert patchgen("run", tmp_path / "free.cocci", "--tree", tree, *args).code == 0
    git(tree, "checkout", "-q", branch)
    git(tree, "commit", "-q", "--amend", "-m", "x: Use the other\n\nBecause.\n")
    git(tree, "checkout", "-q", "master")

    def find_note() -> bool:
        return "1 patch renamed since" in patchgen("verify", branch, "--tree", tree, *FAST).out

    assert find_note()
    warning = "warning: the cover letter: 1 patch renamed since it was generated"
    done = patchgen("format", branch, "--tree", tree)
    assert done.code == 0 and warning in done.err
    assert f"of this series; `patchgen reroll {branch} -v 1` makes them again" in done.err
    assert patchgen("reroll", "--tree", tree, branch, "-v", "1").code == 0
    assert not find_note()
    assert warning not in patchgen("format", branch, "--tree", tree).err
    cover, _ = git(tree, "log", "-1", "--format=%B", f"{branch}~2").split("--- b4")
    assert "x: Use the other" in cover
