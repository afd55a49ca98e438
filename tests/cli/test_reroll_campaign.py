# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen reroll` on a campaign runs the rule again and carries over what people added."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.call_rule import format_function, format_rule
from tests.support.campaign_tree import BRANCH, make_campaign_tree
from tests.support.checks import snapshot

V2 = "patchgen/call-v2"
ACKED = "Acked-by: Fay <fay@example.org>"
Git = Callable[..., str]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "linux"
    make_campaign_tree(folder)
    return folder


def run(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    """Make the campaign, and return what --json shows of it."""
    rule = tree.parent / "call.cocci"
    done = patchgen(
        "run", rule, "--tree", tree, "--json", "-o", tree.parent / "out", *args, "--split"
    )
    assert done.code == 0, done.err
    return json.loads(done.out)["series"]


def reroll(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    done = patchgen("reroll", BRANCH, "--tree", tree, "--json", "-o", tree.parent / "out2", *args)
    assert done.code == 0, done.err + done.out
    return json.loads(done.out)


def message(git: Git, tree: Path, revision: str) -> str:
    return git(tree, "show", "-s", "--format=%B", revision)


def convert(git: Git, tree: Path, *names: str) -> str:
    """Make the change in some files, as their maintainer would do, and return the commit."""
    for name in names:
        text = (tree / name).read_text()
        (tree / name).write_text(text.replace("old_call()", "new_call()"))
    git(tree, "commit", "-qam", f"net: Convert {' '.join(names)}")
    return git(tree, "rev-parse", "--short=12", "HEAD").strip()


def amend(git: Git, tree: Path, number: int, change: Callable[[], str | None]) -> None:
    """Rewrite a patch of the campaign, from 1: check it out, change it, and pick those above."""
    commits = git(tree, "rev-list", "--reverse", f"master..{BRANCH}").split()
    git(tree, "checkout", "-q", "--detach", commits[number])
    text = change()
    args = ["-m", text] if text is not None else ["--no-edit"]
    git(tree, "commit", "-qa", "--amend", *args)
    for oid in commits[number + 1 :]:
        git(tree, "cherry-pick", oid)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")


def acknowledge(git: Git, tree: Path, number: int) -> None:
    def tag() -> str:
        return message(git, tree, "HEAD").replace("\n---\n", f"\n\n{ACKED}\n---\n")

    amend(git, tree, number, tag)


def replace_cover(git: Git, tree: Path, text: str) -> None:
    """Give the commit of the cover letter, below three patches, another message."""
    oid = git(tree, "commit-tree", "-p", "master", "-m", text, "master^{tree}").strip()
    git(tree, "checkout", "-q", "--detach", oid)
    git(tree, "cherry-pick", f"{BRANCH}~3..{BRANCH}")
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")


def edit_f(tree: Path) -> None:
    """Change a line of a patch by hand."""
    path = tree / "fs/f/f.c"
    path.write_text(path.read_text().replace("new_call()", "new_call( )"))


def test_applied_patches_are_dropped_and_new_places_are_added(patchgen, git, tree, monkeypatch):
    run(patchgen, tree)
    acknowledge(git, tree, 1)
    applied = convert(git, tree, "drivers/net/a.c", "drivers/net/b.c")
    (tree / "lib/m.c").write_text(format_function("m"))
    (tree / "kernel").mkdir()
    (tree / "kernel/k.c").write_text(format_function("k"))
    git(tree, "add", "-A")
    # The person who pulls from all trees does not maintain these files.
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "torvalds@linux-foundation.org")
    git(tree, "commit", "-qm", "more")
    document = reroll(patchgen, tree, "--onto", "master")
    assert document["branch"] == V2 and document["dropped_tags"] == []
    assert document["patches"] == [
        "f: Use new_call(), which takes a lock",
        "treewide: Use new_call(), which takes a lock",
    ]
    assert document["remarks"] == [
        f'dropped, the base has it, by {applied} ("net: Convert drivers/net/a.c drivers/net/b.c"): '
        '"net: Use new_call(), which takes a lock"'
    ]
    names = git(tree, "show", "--format=", "--name-only", V2).split()
    assert names == ["kernel/k.c", "lib/l.c", "lib/m.c"]
    assert "It changes 3 places in 3 files." in message(git, tree, V2)
    cover = message(git, tree, f"{V2}~2")
    assert "A semantic patch changes 4 files, in 2 patches" in cover
    text, _, notes = cover.partition("--- b4-submit-tracking")[0].partition("Changes in v2:\n")
    assert "drivers/net" not in text
    items = " ".join(notes.split())
    assert (
        f'- Drop "net: Use new_call(), which takes a lock": the base has it, by {applied} '
        '("net: Convert drivers/net/a.c drivers/net/b.c")'
    ) in items and items.startswith("- Regenerate the series on ")


def test_a_partly_applied_patch_is_reported_as_smaller(patchgen, git, tree):
    run(patchgen, tree)
    applied = convert(git, tree, "drivers/net/a.c")
    document = reroll(patchgen, tree, "--onto", "master")
    assert document["patches"][0] == "net: Use new_call(), which takes a lock"
    assert document["remarks"] == [
        f'smaller, the base has the change of drivers/net/a.c, by {applied} ("net: Convert '
        'drivers/net/a.c"): "net: Use new_call(), which takes a lock"'
    ]
    assert git(tree, "show", "--format=", "--name-only", f"{V2}~2").split() == ["drivers/net/b.c"]


def test_only_unchanged_patches_keep_their_tags(patchgen, git, tree):
    run(patchgen, tree)
    for number in (2, 3):
        acknowledge(git, tree, number)
    convert(git, tree, "drivers/net/a.c")
    (tree / "fs/f/g.c").write_text(format_function("g"))
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "one more file")
    document = reroll(patchgen, tree, "--onto", "master")
    assert document["dropped_tags"] == [f'{ACKED} ("f: Use new_call(), which takes a lock")']
    assert ACKED in message(git, tree, V2)
    assert ACKED not in message(git, tree, f"{V2}~1").partition("\n---\n")[0]


def test_hand_edits_texts_and_people_are_carried_over(patchgen, git, tree):
    cover = tree.parent / "cover"
    cover.write_text("Remove the old call\n\nIt has been wrong for years.\n")
    run(patchgen, tree, "--cover", cover, "--subject", "Call the new one", "--signoff",
        "--cc", "Zoe <zoe@example.org>")  # fmt: skip

    def by_hand() -> str:
        edit_f(tree)
        return message(git, tree, "HEAD").replace("takes a lock", "takes the lock")

    (tree.parent / "call.cocci").unlink()
    cover.unlink()
    amend(git, tree, 2, by_hand)
    (tree / "lib/l.c").write_text("/* newer */\n" + (tree / "lib/l.c").read_text())
    git(tree, "commit", "-qam", "newer")
    document = reroll(patchgen, tree, "--onto", "master", "--changes", "treewide=Say so")
    assert document["patches"] == [
        "net: Call the new one", "f: Call the new one", "treewide: Call the new one"
    ]  # fmt: skip
    assert "new_call( );" in git(tree, "show", f"{V2}:fs/f/f.c")
    edited = " ".join(message(git, tree, f"{V2}~1").split())
    assert "The result was then edited by hand." in edited
    letter = message(git, tree, f"{V2}~3")
    assert letter.startswith("Remove the old call\n\nIt has been wrong for years.\n")
    assert "These patches were edited by hand afterwards:\n\n  f: Call the new one\n" in letter
    assert "Each patch applies independently" not in letter
    assert "Changes in v2:\n- treewide: Say so\n" in letter
    assert "Signed-off-by: Ada" in message(git, tree, V2)
    assert all("zoe@example.org" in Path(mail).read_text() for mail in document["mails"])


def read_heads(text: str) -> list[list[str]]:
    """Return the pairs of ids in a range-diff, without those of a commit that one side lacks."""
    heads = [line.split() for line in text.splitlines() if re.match(r" *(\d+|-): ", line)]
    return [[words[1], words[4]] for words in heads]


def test_a_range_diff_names_the_commits_of_the_branches(patchgen, git, tree):
    """Notes are not compared; the commits without them are not in the repository."""
    run(patchgen, tree)
    amend(git, tree, 2, lambda: edit_f(tree))
    (tree / "fs/f/f.c").write_text("/* newer */\n" + (tree / "fs/f/f.c").read_text())
    git(tree, "commit", "-qam", "newer")

    def list_ids(branch: str) -> list[str]:
        return git(tree, "rev-list", "--reverse", "--abbrev-commit", "--abbrev=12", "-3",
                   branch).split()  # fmt: skip

    old = list_ids(BRANCH)
    args = ("--onto", "master", "--changes", "Rebase")
    dry = reroll(patchgen, tree, *args, "--dry-run")["range_diff"]
    assert read_heads(dry) == [[oid, "-" * 12] for oid in old]
    document = reroll(patchgen, tree, *args)
    assert document["range_diff"].count(" ! ") and " = " in document["range_diff"]
    new = list_ids(V2)
    assert read_heads(document["range_diff"]) == list(map(list, zip(old, new, strict=True)))
    skipped = [f"--skip={check}" for check in ("checkpatch", "am", "sections", "build", "code")]
    args = ("verify", BRANCH, "--tree", tree, *skipped, "--against")
    against = patchgen(*args, V2)
    assert read_heads(against.out) == list(map(list, zip(new, old, strict=True)))
    # The commits that patchgen makes of mails cannot be looked up.
    mails = tree.parent / "out2"
    against = patchgen(*args, mails)
    assert read_heads(against.out) == [["-" * 12, oid] for oid in old]


def test_a_clone_without_reflogs_finds_the_edits(patchgen, git, tree):
    run(patchgen, tree)
    amend(git, tree, 2, lambda: edit_f(tree))
    clone = tree.parent / "clone"
    git(tree.parent, "clone", "-q", tree, clone)
    git(clone, "branch", BRANCH, f"origin/{BRANCH}")
    (clone / "fs/f/f.c").write_text("/* newer */\n" + (clone / "fs/f/f.c").read_text())
    git(clone, "commit", "-qam", "newer")
    reroll(patchgen, clone, "--onto", "master")
    content = git(clone, "show", f"{V2}:fs/f/f.c")
    assert content.startswith("/* newer */") and "new_call( );" in content


def test_a_recorded_run_makes_the_same_series_again(patchgen, git, tree):
    macros = tree.parent / "mine.h"
    macros.write_text("#define mine\n")
    rule = tree.parent / "call.cocci"
    rule.write_text("#spatch --macro-file near.h\nvirtual patch\nvirtual more\n" + format_rule())
    (tree.parent / "near.h").write_text("#define near\n")
    options = (
        "--no-style",
        "--no-headers",
        "--macros",
        "none",
        "-I",
        "fs",
        "-D",
        "more",
        "--trust",
    )
    run(patchgen, tree, *options, "--macro-file", macros, "drivers", "lib")
    rule.unlink()
    (tree.parent / "near.h").unlink()
    document = reroll(patchgen, tree, "--trust")
    assert document["range_diff"] == "" and document["remarks"] == []
    assert git(tree, "rev-parse", f"{V2}^{{tree}}") == git(tree, "rev-parse", f"{BRANCH}^{{tree}}")
    texts = [message(git, tree, branch).partition("\n---\n")[0] for branch in (V2, BRANCH)]
    assert texts[0] == texts[1]
    shown = " ".join(message(git, tree, V2).split())
    assert (
        "`patchgen run call.cocci drivers lib -D more --macro-file FILE -I fs --macros none "
        "--no-headers --no-style`"
    ) in shown


def test_another_semantic_patch_can_replace_the_recorded_one(patchgen, git, tree):
    run(patchgen, tree)
    newer = tree.parent / "newer.cocci"
    newer.write_text(format_rule().replace("+ new_call();", "+ newer_call();"))
    document = reroll(patchgen, tree, "--semantic-patch", newer)
    assert len(document["patches"]) == 3
    assert "newer_call();" in git(tree, "show", f"{V2}:lib/l.c")
    assert "    + newer_call();" in message(git, tree, V2)
    log = "\n---\nChanges in v2:\n- Change the semantic patch\n\n"
    assert log in message(git, tree, f"{V2}~3")
    # A text of the user is enough, and the same rules in another file are no change.
    reroll(patchgen, tree, "--semantic-patch", newer, "--force", "--changes", "net=Say so")
    assert "\nChanges in v2:\n- net: Say so\n\n" in message(git, tree, f"{V2}~3")
    (tree.parent / "same.cocci").write_text(format_rule())
    reroll(patchgen, tree, "--semantic-patch", tree.parent / "same.cocci", "--force")
    assert "Changes in v2" not in message(git, tree, f"{V2}~3")


def test_lines_below_the_cut_follow_the_semantic_patch_unless_a_person_edited_them(
    patchgen, git, tree
):
    run(patchgen, tree)
    line = "The callers all hold it."
    amend(git, tree, 1, lambda: message(git, tree, "HEAD").replace(line, f"{line}\nMine."))
    amend(git, tree, 2, lambda: message(git, tree, "HEAD").replace(line, f"Edited: {line}"))
    rule, expected = format_rule(), ["\nMine.\n", f"\nEdited: {line}\n", ""]
    other = tree.parent / "other.cocci"
    for comment in ("", "//# Two callers\n//# do not hold it.\n"):
        other.write_text(rule.replace(f"//# {line}\n", comment))
        reroll(patchgen, tree, "--semantic-patch", other, "--force")
        for number, own in zip((2, 1, 0), expected, strict=True):
            notes = message(git, tree, f"{V2}~{number}").rpartition("\n---\n")[2]
            assert (f"\n{line}\n" in notes, own in notes) == (False, True)
            assert ("\nTwo callers do not hold it.\n" in notes) == bool(comment)
    # The same lines again: nothing is written twice.
    done = patchgen("reroll", V2, "--tree", tree, "-o", tree.parent / "out3")
    assert done.code == 0, done.err
    assert message(git, tree, "patchgen/call-v3").count("Two callers") == 1


def test_the_change_log_of_each_patch_states_what_changed_in_it(patchgen, git, tree):
    """A reader would take a patch for unchanged that has only the lists of earlier versions."""
    run(patchgen, tree)
    reroll(patchgen, tree)
    assert "Changes in v2:\n(no changes since v1)\n" in message(git, tree, V2)
    (tree / "lib/m.c").write_text("void m(void)\n{\n\tother_call();\n}\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "one more place")
    wider = tree.parent / "wider.cocci"
    wider.write_text(format_rule() + "\n@@\n@@\n- other_call();\n+ new_call();\n")
    v3 = "patchgen/call-v3"
    for options, pointer in (((), ""), (("--changes", "Convert m, too"), ", see the cover letter")):
        done = patchgen("reroll", V2, "--tree", tree, "--onto", "master", "--semantic-patch", wider,
                        "-o", tree.parent / "out3", "--force", *options)  # fmt: skip
        assert done.code == 0, done.err
        changed = f"---\nChanges in v3:\n(the diff has changed since v2{pointer})\n\nChanges in v2:"
        assert changed in message(git, tree, v3)
        same = "Changes in v3:\n(the message has changed since v2, the diff has not)\n"
        assert all(same in message(git, tree, f"{v3}~{number}") for number in (1, 2))
    args = ("reroll", V2, "--tree", tree, "--onto", "master", "-o", tree.parent / "out3", "--force",
            "--semantic-patch", wider, "--changes", "treewide=Convert m, too")  # fmt: skip
    assert patchgen(*args).code == 0
    assert "---\nChanges in v3:\n- Convert m, too\n\nChanges in v2:" in message(git, tree, v3)


def test_a_second_run_is_refused_with_a_hint_to_reroll(patchgen, git, tree):
    run(patchgen, tree)
    acknowledge(git, tree, 1)
    before = snapshot(tree, without="none")
    args = ("run", tree.parent / "call.cocci", "--tree", tree, "--split", "-v", "2")
    done = patchgen(*args, "-o", tree.parent / "out2")
    assert done.code == 1 and f"`patchgen reroll {BRANCH}`" in done.err
    assert snapshot(tree, without="none") == before and not (tree.parent / "out2").exists()
    assert patchgen(*args, "-o", tree.parent / "out2", "--force").code == 0


def test_code_in_a_recorded_semantic_patch_needs_trust(patchgen, git, tree):
    rule = tree.parent / "call.cocci"
    mark = tree.parent / "ran"
    script = f"\n@script:python@\n@@\nopen({str(mark)!r}, 'w').close()\n"
    rule.write_text(format_rule() + script)
    run(patchgen, tree, "--trust")
    mark.unlink(missing_ok=True)
    before = snapshot(tree, without="none")
    done = patchgen("reroll", BRANCH, "--tree", tree)
    assert done.code == 1 and "--trust" in done.err
    # The record has no path, as paths of this machine do not belong into a series.
    assert "`patchgen trust PATH/call.cocci` trusts a file that has the text of" in done.err
    done = patchgen("reroll", BRANCH, cwd=tree)
    assert done.code == 1 and "`patchgen trust PATH/call.cocci`" in done.err
    done = patchgen("reroll", BRANCH, "--tree", tree.name, cwd=tree.parent)
    assert f"`patchgen trust call.cocci --tree {tree.name}`" in done.err
    assert snapshot(tree, without="none") == before and not mark.exists()
    assert len(reroll(patchgen, tree, "--trust")["patches"]) == 3


def test_a_missing_path_is_reported_and_the_others_are_run(patchgen, git, tree):
    run(patchgen, tree, "drivers", "lib")
    git(tree, "rm", "-rq", "lib")
    git(tree, "commit", "-qm", "gone")
    document = reroll(patchgen, tree, "--onto", "master")
    assert "lib is missing from the base" in document["warnings"]
    assert document["patches"] == ["net: Use new_call(), which takes a lock"]
    # The subject of the cover letter stays as people know it.
    cover = message(git, tree, f"{V2}~1")
    assert cover.startswith("treewide: Use new_call(), which takes a lock\n")
    assert document["remarks"] == [
        'dropped, the code that it changes is gone: "treewide: Use new_call(), which takes a lock"'
    ]


def test_options_of_a_variant_and_unknown_patches_are_usage_errors(patchgen, git, tree):
    run(patchgen, tree)
    for args, text in (
        (("--variant", "pvops"), "is a campaign, not the series of a variant"),
        (("--changes", "nosuch=X"), "the series has no patch 'nosuch'"),
    ):
        done = patchgen("reroll", BRANCH, "--tree", tree, *args)
        assert done.code == 2 and text in done.err
    assert git(tree, "branch", "--list", V2) == ""


def test_a_number_names_a_patch_in_the_change_log(patchgen, git, tree):
    run(patchgen, tree)
    # A person puts a commit below the others, so that the numbers are not those of the record.
    first, *others = git(tree, "rev-list", "--reverse", f"master..{BRANCH}").split()
    git(tree, "checkout", "-q", "--detach", first)
    (tree / "own.c").write_text("int own;\n")
    git(tree, "add", "own.c")
    git(tree, "commit", "-qm", "own: Add it")
    git(tree, "cherry-pick", *others)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")
    args = ("reroll", BRANCH, "--tree", tree, "--dry-run", "--changes")
    done = patchgen(*args, "1=Rename it")
    assert done.code == 1 and "patchgen did not make patch 1" in done.err
    done = patchgen(*args, "5=Rename it")
    listed = (
        "the series has no patch '5'; it has [changelog-patch]:\n"
        "  net (2/4 net: Use new_call(), which takes a lock)\n"
        "  f (3/4 f: Use new_call(), which takes a lock)\n"
        "  treewide (4/4 treewide: Use new_call(), which takes a lock)\n"
        "hint: cover=TEXT is for the cover letter"
    )
    assert done.code == 2 and listed in done.err
    reroll(patchgen, tree, "--changes", "3=Rename it")
    assert "\n---\nChanges in v2:\n- Rename it\n" in message(git, tree, f"{V2}~1")


def test_the_cover_letter_counts_the_files_of_a_patch_that_was_left_out(patchgen, git, tree):
    run(patchgen, tree)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1")
    assert len(reroll(patchgen, tree)["patches"]) == 2
    cover = " ".join(message(git, tree, f"{V2}~2").split())
    assert "changes 4 files, of which this series changes 3, in 2 patches" in cover
    assert "It changes 4 places in 4 files." in cover


def test_the_cover_letter_counts_the_files_that_the_patches_have(patchgen, git, tree):
    run(patchgen, tree)
    # The first patch loses a file, and gets that of the second one.
    oids = git(tree, "rev-list", "--reverse", f"master..{BRANCH}").split()
    git(tree, "checkout", "-q", "--detach", oids[1])
    git(tree, "checkout", "-q", "master", "--", "drivers/net/b.c")
    git(tree, "cherry-pick", "--no-commit", oids[2])
    git(tree, "commit", "-q", "--amend", "--no-edit")
    git(tree, "cherry-pick", oids[3])
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")
    assert len(reroll(patchgen, tree)["patches"]) == 2
    cover = " ".join(message(git, tree, f"{V2}~2").split())
    assert "changes 4 files, of which this series changes 3, in 2 patches" in cover
    assert "2 files: git://git.example.org/net.git, git://git.example.org/f.git" in cover


def test_the_message_counts_the_places_of_a_patch_that_was_squashed_into_it(patchgen, git, tree):
    run(patchgen, tree)
    first, second, *others = git(tree, "rev-list", "--reverse", f"master..{BRANCH}").split()[1:]
    git(tree, "checkout", "-q", "--detach", first)
    git(tree, "cherry-pick", "--no-commit", second)
    git(tree, "commit", "-q", "--amend", "--no-edit")
    git(tree, "cherry-pick", *others)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", "HEAD")
    git(tree, "checkout", "-q", "master")
    reroll(patchgen, tree)
    oid = git(tree, "rev-list", "--reverse", f"master..{V2}").split()[1]
    count = len(git(tree, "show", "--format=", "--name-only", oid).split())
    assert count > 1
    assert f"It changes {count} places in {count} files" in message(git, tree, oid)


def test_a_semantic_patch_that_only_reports_is_refused(patchgen, git, tree):
    run(patchgen, tree)
    reports = tree.parent / "report.cocci"
    reports.write_text("virtual report\n\n@depends on report@\n@@\n* old_call();\n")
    done = patchgen("reroll", BRANCH, "--tree", tree, "--semantic-patch", reports)
    assert done.code == 2 and "runs in report mode, which does not change files" in done.err
    assert git(tree, "branch", "--list", V2) == ""


def test_a_base_that_has_everything_is_refused(patchgen, git, tree):
    run(patchgen, tree)
    convert(git, tree, "drivers/net/a.c", "drivers/net/b.c", "fs/f/f.c", "lib/l.c")
    done = patchgen("reroll", BRANCH, "--tree", tree, "--onto", "master")
    assert done.code == 1 and "has the whole series" in done.err
    assert git(tree, "branch", "--list", V2) == ""


def test_a_rule_that_matches_nothing_does_not_mean_that_the_base_has_the_series(
    patchgen, git, tree
):
    run(patchgen, tree)
    other = tree.parent / "other.cocci"
    other.write_text(format_rule().replace("- old_call();", "- misspelt_call();"))
    args = ("reroll", BRANCH, "--tree", tree, "--dry-run")
    done = patchgen(*args, "--semantic-patch", other)
    base = git(tree, "rev-parse", "--short=12", "master").strip()
    reason = f"other.cocci changes nothing in {base}; no file has misspelt_call"
    assert done.code == 1 and f"no patch is left: {reason} [no-patch-left]" in done.err
    # The base has one of the patches, and the code of the others is gone.
    convert(git, tree, "lib/l.c")
    git(tree, "rm", "-rq", "drivers", "fs")
    git(tree, "commit", "-qm", "gone")
    done = patchgen(*args, "--onto", "master")
    base = git(tree, "rev-parse", "--short=12", "master").strip()
    reason = f"call.cocci changes nothing in {base}; no file has old_call"
    assert done.code == 1 and f"no patch is left: {reason} [no-patch-left]" in done.err
    assert "`patchgen status` shows the state of each patch" in done.err


def test_a_version_of_dropped_patches_only_is_refused_with_the_reasons(patchgen, git, tree):
    run(patchgen, tree)
    git(tree, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~2")
    git(tree, "rm", "-rq", "drivers")
    git(tree, "commit", "-qm", "gone")
    done = patchgen("reroll", BRANCH, "--tree", tree, "--onto", "master")
    assert done.code == 1 and "[no-patch-left]" in done.err
    reason = 'dropped, the code that it changes is gone: "net: Use new_call(), which takes a lock"'
    assert reason in done.err and 'left out, as on the branch: "f: Use new_call()' in done.err


def test_a_record_of_an_older_patchgen_is_refused(patchgen, git, tree):
    run(patchgen, tree)
    text = message(git, tree, f"{BRANCH}~3")
    head, _, section = text.partition("purposes.\n")
    document = json.loads(section)
    del document["patchgen"]["run"]
    replace_cover(git, tree, f"{head}purposes.\n{json.dumps(document)}")
    done = patchgen("reroll", BRANCH, "--tree", tree)
    assert done.code == 1 and "its record does not contain the options of the run" in done.err
    assert "patchgen run PATH/call.cocci --base REV --split tree -v 2 --force" in done.err
    assert git(tree, "branch", "--list", V2) == ""


def test_a_second_run_is_refused_after_b4_has_sent_the_first(patchgen, git, tree):
    """b4 writes the next version into the branch of the version that it sent."""
    run(patchgen, tree)
    text = message(git, tree, f"{BRANCH}~3")
    replace_cover(git, tree, text.replace('"revision": 1,', '"revision": 2,', 1))
    done = patchgen("run", tree.parent / "call.cocci", "--tree", tree, "--split", "-v", "2")
    assert done.code == 1 and f"{BRANCH} is version 1 of this series" in done.err


def test_a_conflict_waits_for_a_person_and_is_resumed(patchgen, git, tree):
    run(patchgen, tree)
    amend(git, tree, 2, lambda: edit_f(tree))
    newer = tree.parent / "newer.cocci"
    newer.write_text(format_rule().replace("+ new_call();", "+ newer_call();"))
    args = ("reroll", BRANCH, "--tree", tree, "--semantic-patch", newer)
    done = patchgen(*args, "-o", tree.parent / "out2", "--json")
    assert done.code == 1
    [conflict] = json.loads(done.out)["conflicts"]
    Path(conflict).write_text("static inline void f(void)\n{\n\tnewer_call( );\n}\n")
    resumed = patchgen("reroll", "--continue", "--tree", tree, "--json", cwd=tree)
    assert resumed.code == 0, resumed.err
    assert "newer_call( );" in git(tree, "show", f"{V2}:fs/f/f.c")
    assert "newer_call();" in git(tree, "show", f"{V2}:lib/l.c")


def test_a_config_is_named_again_and_hand_edits_are_found_in_the_reflog(patchgen, git, tree):
    lines = {"": "core-y := fs/", "fs": "obj-y := f/", "fs/f": "obj-$(CONFIG_F) := f.o"}
    for folder, line in lines.items():
        (tree / folder / "Makefile").write_text(f"{line}\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "Makefiles")
    config = tree.parent / "config"
    config.write_text("CONFIG_F=y\n")
    series = run(patchgen, tree, "--only-built", config)
    assert [patch["files"] for patch in series["patches"]] == [["fs/f/f.c"]]
    amend(git, tree, 1, lambda: edit_f(tree))
    done = patchgen("reroll", BRANCH, "--tree", tree)
    assert done.code == 1 and "--only-built" in done.err
    (tree / "fs/f/f.c").write_text("/* newer */\n" + (tree / "fs/f/f.c").read_text())
    git(tree, "commit", "-qam", "newer")
    document = reroll(patchgen, tree, "--only-built", config, "--onto", "master")
    assert len(document["patches"]) == 1 and document["remarks"] == []
    content = git(tree, "show", f"{V2}:fs/f/f.c")
    assert content.startswith("/* newer */") and "new_call( );" in content
