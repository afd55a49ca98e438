# SPDX-License-Identifier: GPL-2.0-or-later
"""`run --split`: the texts that people write about a campaign, and its dry run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.call_rule import format_function, format_rule
from tests.support.campaign_tree import MAINTAINERS
from tests.support.kernels import commit_all
from tests.support.terminal import Shown, patchgen_on_terminal

RULE = format_rule()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "linux"
    for name in ("drivers/net/a.c", "drivers/net/b.c", "fs/f/f.c"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(format_function(Path(name).stem))
    with (folder / "fs/f/f.c").open("a") as file:
        file.write("/* see old_call() */\n#define CALL() old_call()\n")
    (folder / "MAINTAINERS").write_text(MAINTAINERS)
    commit_all(folder, "start")
    (tmp_path / "call.cocci").write_text(RULE)
    return folder


def run(patchgen, tree: Path, *args: str | Path):
    rule = tree.parent / "call.cocci"
    return patchgen("run", rule, "--tree", tree, "-o", tree.parent / "out", *args, "--split")


def message(git, tree: Path, number: int) -> str:
    return git(tree, "log", "-1", "--format=%B", f"patchgen/call-v1~{2 - number}")


def test_the_users_message_replaces_that_of_the_semantic_patch(patchgen, git, tree):
    written = tree.parent / "message"
    written.write_text(
        "Call the new one\n\nThe old one goes away.\n\n  indented   code\n\n"
        "Suggested-by: Sue <sue@example.org>\n"
    )
    done = run(patchgen, tree, "--message", written, "--signoff")
    assert done.code == 0, done.err
    text = message(git, tree, 1)
    assert text.startswith("net: Call the new one\n\nThe old one goes away.\n\n  indented   code\n")
    assert "takes a lock" not in text and "    - old_call();" in text
    trailers = text.strip().split("\n\n")[-1].splitlines()
    assert trailers[0] == "Suggested-by: Sue <sue@example.org>"
    assert trailers[1].startswith("Signed-off-by: ")
    assert "--subject sets your own" not in done.err
    done = run(patchgen, tree, "--dry-run")
    assert "each subject is the first sentence of the /// text; --subject sets" in done.err


REASON = "so each subject only names the file, which `verify` refuses; --subject sets your own"
LONG = "A sentence that explains at some length what the matter is"


@pytest.mark.parametrize(
    ("purpose", "subject", "warning"),
    [
        ("Call it. It locks.", "Call it", "each subject is the first sentence of the /// text; "),
        ("", "Apply call.cocci", f"call.cocci: it has no /// lines, {REASON}"),
        (f"{LONG}.", "Apply call.cocci", f"58 characters, but a subject has room for 55, {REASON}"),
        ("Call these:\n/// - it", "Apply call.cocci", f"the introduction of a list, {REASON}"),
    ],
)
def test_a_subject_is_the_first_sentence_of_the_purpose(patchgen, tree, purpose, subject, warning):
    _, _, rule = RULE.partition("@")
    text = f"/// {purpose}\n" if purpose else ""
    (tree.parent / "call.cocci").write_text(f"{text}@{rule}")
    done = run(patchgen, tree, "--dry-run")
    assert done.code == 0 and f"net: {subject} (" in done.out + done.err
    assert warning in done.err


def test_a_message_without_an_empty_line_is_all_body(patchgen, git, tree):
    written = tree.parent / "message"
    written.write_text("The old one goes away,\nas nobody needs it.\n")
    done = run(patchgen, tree, "--message", written)
    assert done.code == 0, done.err
    assert message(git, tree, 1).startswith(
        "net: Use new_call(), which takes a lock\n\n"
        "The old one goes away,\nas nobody needs it.\n\nThis Coccinelle"
    )


def test_comments_of_the_semantic_patch_do_not_reach_the_commit_of_a_maintainer(
    patchgen, git, tree
):
    done = run(patchgen, tree, "--signoff", "--json")
    assert done.code == 0, done.err
    letter, mail, *_ = map(Path, json.loads(done.out)["series"]["mails"])
    text = letter.read_text().partition("\n---\n")[0]
    assert text.index("takes a lock") < text.index("The callers all hold it.")
    above, _, below = mail.read_text().partition("\n---\n")
    assert "The callers all hold it." in below and "The callers" not in above
    assert "Signed-off-by: " in above
    git(tree, "am", "--quiet", mail)
    applied = git(tree, "log", "-1", "--format=%B")
    assert "takes a lock" in applied and "The callers" not in applied


def test_a_message_names_the_places_that_are_changed_and_left(patchgen, git, tree):
    done = run(patchgen, tree, "--json")
    assert done.code == 0, done.err
    patches = json.loads(done.out)["series"]["patches"]
    assert [patch["places"] for patch in patches] == [2, 1]
    assert patches[0]["left"] == {}
    assert patches[1]["left"] == {"body of a macro": 1, "comment or string": 1}
    assert "It changes 2 places in 2 files.\n" in message(git, tree, 1)
    text = " ".join(message(git, tree, 2).split())
    assert (
        "It changes 1 place in 1 file, and leaves 2 places in this file: 1 in macros, "
        "1 in comments or strings." in text
    )
    cover = git(tree, "log", "-1", "--format=%B", "patchgen/call-v1~2")
    places = "It changes 3 places in 3 files, and leaves 2 places: 1 in macros, 1 in comments or"
    assert places in " ".join(cover.split())


def test_the_users_cover_letter_begins_with_their_text(patchgen, git, tree):
    written = tree.parent / "cover"
    written.write_text("Remove the old call\n\nIt has been wrong for years.\n")
    done = run(patchgen, tree, "--cover", written, "--json")
    assert done.code == 0, done.err
    text = Path(json.loads(done.out)["series"]["mails"][0]).read_text()
    assert "] Remove the old call\n" in text and "\n\nIt has been wrong for years.\n" in text
    assert "net: Use new_call()" in text and "treewide" not in text


def test_a_cover_letter_has_the_prefix_of_the_patches(patchgen, git, tree):
    done = run(patchgen, tree, "drivers/net")
    assert done.code == 0, done.err
    cover = git(tree, "log", "-1", "--format=%s", "patchgen/call-v1~1")
    assert cover == git(tree, "log", "-1", "--format=%s", "patchgen/call-v1")
    assert cover == "net: Use new_call(), which takes a lock\n"


# It reports the first long line of a message, as the kernel's program does.
CHECKPATCH = r"""
open(my $mail, "<", $ARGV[-1]); my $number = 0;
while (<$mail>) {
    chomp; $number++; last if $_ eq "---";
    next if length($_) <= 75;
    print "$ARGV[-1]:$number: WARNING:COMMIT_LOG_LONG_LINE: Possible unwrapped\n"; exit 1;
}
"""


def test_a_long_line_of_the_semantic_patch_is_named_before_and_by_checkpatch(patchgen, git, tree):
    (tree / "scripts").mkdir()
    (tree / "scripts/checkpatch.pl").write_text(CHECKPATCH)
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "checkpatch")
    rule = tree.parent / "call.cocci"
    for length, is_long in ((71, False), (72, True)):
        comment = "+// ".ljust(length, "x")
        rule.write_text(RULE.replace("+ new_call();", f"{comment}\n+ new_call();"))
        done = run(patchgen, tree, "--signoff", "--subject", "Call it", "--force")
        assert done.code == 0, done.err
        number = 1 + rule.read_text().split("\n").index(comment)
        assert (f"quote {rule}:{number} indented" in " ".join(done.err.split())) == is_long
        args = ("patchgen/call-v1", "--tree", tree, "--skip", "build", "--skip", "sections")
        checked = patchgen("verify", *args, "--json")
        assert checked.code == int(is_long), checked.err
        commits = json.loads(checked.out)["commits"]
        shown = patchgen("verify", *args, cwd=tree.parent)
        assert ("Edit call.cocci, make the series again" in shown.out) == is_long
        hints = [finding["hint"] for commit in commits for finding in commit["findings"]]
        hint = f"it is {rule.name}:{number}; wrap it there, and make the series again"
        assert hints == [hint] * (2 if is_long else 0)


SKIPPED = [f"--skip={check}" for check in ("checkpatch", "sections", "build", "code")]


def read_advice(patchgen, tree: Path, cwd: Path) -> tuple[str, list[list[str]]]:
    """Return the title and the commands of the steps that `verify` prints last."""
    verified = patchgen("verify", "patchgen/call-v1", "--tree", tree, *SKIPPED, cwd=cwd)
    assert verified.code == 1, verified.out
    title, *commands = verified.out.rpartition("\n\n")[2].splitlines()
    return title, [shlex.split(line, comments=True) for line in commands]


def test_a_fault_of_a_text_is_mended_where_the_text_is_from(patchgen, git, tree):
    rule = tree.parent / "call.cocci"
    rule.write_text(f"/// Calling it\n{RULE}")
    assert run(patchgen, tree, "--signoff").code == 0
    # The record has no path, so patchgen knows the file only in the current folder.
    title, [again, _] = read_advice(patchgen, tree, tree)
    assert title == "Edit PATH/call.cocci, make the series again, then check again:"
    assert "--semantic-patch PATH/call.cocci" in " ".join(again)
    title, [again, check] = read_advice(patchgen, tree, tree.parent)
    assert title == "Edit call.cocci, make the series again, then check again:"
    rule.write_text(f"/// Call it\n{RULE}")
    assert patchgen(*again[1:], cwd=tree.parent).code == 0
    checked = patchgen(*check[1:], *SKIPPED, cwd=tree.parent)
    assert checked.code == 0, checked.out
    # A person changes a commit that a person has changed.
    git(tree, "checkout", "-q", "patchgen/call-v1")
    git(tree, "commit", "-q", "--amend", "-s", "-m", "net: Calling it\n\nSo.")
    title, [rebase, write, _] = read_advice(patchgen, tree, tree.parent)
    assert title == "Edit the commit, write the mails again, then check again:"
    assert (rebase[3], write[1]) == ("rebase", "format")


def test_a_fault_of_a_text_that_an_option_gave_is_mended_there(patchgen, tree):
    assert run(patchgen, tree, "--signoff", "--subject", "Calling it").code == 0
    title, [check] = read_advice(patchgen, tree, tree.parent)
    assert title == (
        "Correct --subject, run the same `patchgen run call.cocci --split tree` again "
        "with --force, then check again:"
    )
    assert run(patchgen, tree, "--signoff", "--subject", "Call it", "--force").code == 0
    assert patchgen(*check[1:], *SKIPPED, cwd=tree.parent).code == 0


def test_a_line_that_git_am_would_cut_is_refused(patchgen, git, tree):
    written = tree.parent / "message"
    written.write_text("Call the new one\n\ndiff --git a/x b/x\nis not what I mean\n")
    done = run(patchgen, tree, "--message", written)
    assert done.code == 1 and "would end the message" in done.err
    assert git(tree, "branch", "--list", "patchgen/*") == ""
    written.write_bytes(b"Caf\xe9\n")
    done = run(patchgen, tree, "--message", written)
    assert done.code == 2 and "is not UTF-8" in done.err


def test_a_dry_run_shows_patches_and_recipients_and_writes_nothing(patchgen, git, tree):
    before = git(tree, "for-each-ref")
    done = run(patchgen, tree, "--dry-run")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith(
        "  1/2 net: Use new_call(), which takes a lock (2 files, +2 -2, "
    ) and lines[0].endswith(" kB)")
    assert "      git://git.example.org/net.git" in lines
    assert "      Cc: netdev@example.org" in lines
    assert "Cc: netdev@example.org" in lines
    diff = "diff --git a/drivers/net/a.c b/drivers/net/a.c"
    assert lines.index("Cc: netdev@example.org") < lines.index(diff)
    assert "    net: Use new_call(), which takes a lock" in lines
    assert git(tree, "for-each-ref") == before and not (tree.parent / "out").exists()
    assert run(patchgen, tree).code == 0
    made = json.loads(run(patchgen, tree, "--dry-run", "--json").out)["series"]
    assert made["mails"] == [] and made["diffs"].count("\ndiff --git ") == 3
    assert "\n+\tnew_call();\n" in made["diffs"]


def test_commits_without_a_sign_off_and_texts_to_be_written_are_named(patchgen, git, tree):
    done = run(patchgen, tree, "--dry-run")
    assert "warning: your Signed-off-by is missing in all messages: `send` refuses" in done.err
    assert "EDITME" not in done.err
    cover = tree.parent / "cover.txt"
    cover.write_text("net: Use new_call()\n\nEDITME: more\n")
    done = run(patchgen, tree, "--dry-run", "--signoff", "--cover", str(cover))
    assert "warning: EDITME is left in the cover letter: `send` refuses the series\n" in done.err
    assert "Signed-off-by" not in done.err


def edit(tree: Path, *args: str) -> Shown:
    """Run with --edit on a terminal, which is wide enough for each message."""
    argv = ("run", tree.parent / "call.cocci", "--tree", tree, "-o", tree.parent / "out", *args)
    return patchgen_on_terminal(*argv, "--edit", "--split", columns=400)


def write_editor(tree: Path, body: str) -> Path:
    editor = tree.parent / "my editor"
    editor.write_text(f"#!/bin/sh\n{body}\n")
    editor.chmod(0o755)
    return editor


def test_the_message_is_edited_in_the_users_editor(git, tree, monkeypatch):
    editor = write_editor(tree, 'sed -i "s/new_call()/the new one/; s/takes a/has a/" "$2"')
    monkeypatch.setenv("GIT_EDITOR", f"'{editor}' --wait")
    done = edit(tree)
    assert done.code == 0, done.text
    text = message(git, tree, 1)
    assert text.startswith("net: Use the new one, which has a lock\n\nUse the new one, which has a")
    assert ">8" not in text and "prefix" not in text
    cover = git(tree, "log", "-1", "--format=%s", "patchgen/call-v1~2")
    assert cover == "treewide: Use the new one, which has a lock\n"


def test_an_editor_that_the_tree_names_is_not_started(git, tree, monkeypatch):
    harmful = tree.parent / "harmful"
    git(tree, "config", "core.editor", f"touch '{harmful}'; false")
    monkeypatch.delenv("GIT_EDITOR", raising=False)
    editor = write_editor(tree, 'sed -i s/takes/has/ "$1"')
    monkeypatch.setenv("VISUAL", f"'{editor}'")
    done = edit(tree)
    assert done.code == 0, done.text
    assert "has a lock" in message(git, tree, 1) and not harmful.exists()


def test_the_editor_of_the_users_configuration_is_started(git, tree, monkeypatch):
    editor = write_editor(tree, 'sed -i s/takes/has/ "$1"')
    config = tree.parent / "gitconfig"
    config.write_text(f"[core]\n\teditor = \"'{editor}'\"\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    # As in a hook of git: it names the repository of the tree.
    monkeypatch.setenv("GIT_DIR", str(tree / ".git"))
    git(tree, "config", "core.editor", "false")
    monkeypatch.delenv("GIT_EDITOR", raising=False)
    done = edit(tree)
    assert done.code == 0, done.text
    assert "has a lock" in message(git, tree, 1)


@pytest.mark.parametrize(
    "body",
    [
        "printf 'No\\nsubject\\n' > \"$1\"",
        "printf 'Subject\\n\\nCaf\\351\\n' > \"$1\"",
        "printf 'Subject\\n\\ndiff --git a/a.c b/a.c\\n' > \"$1\"",
        "printf 'Subject\\n\\nText.\\n' > \"$1\"; exit 1",
    ],
)
def test_a_text_that_is_refused_is_not_lost(tree, monkeypatch, body):
    monkeypatch.setenv("GIT_EDITOR", f"'{write_editor(tree, body)}'")
    refused = edit(tree)
    assert refused.code == 1, refused.text
    saved = Path(re.search(r"your edited text is in (\S+/MESSAGE)", refused.text)[1])
    written = tree / "written"
    subprocess.run(["sh", "-c", body, "sh", written], check=False)
    assert saved.read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('> "$1"', "the text is empty"),
        ("exit 3", "failed with exit code 3"),
        ("printf 'Caf\\351\\n' > \"$1\"", "is not UTF-8"),
    ],
)
def test_nothing_is_written_without_an_edited_text(git, tree, monkeypatch, body, problem):
    monkeypatch.setenv("GIT_EDITOR", f"'{write_editor(tree, body)}'")
    done = edit(tree)
    assert done.code == 1 and problem in done.text and "nothing was written" in done.text
    assert git(tree, "branch", "--list", "patchgen/*") == ""


def test_no_editor_is_started_without_a_terminal(patchgen, git, tree, monkeypatch):
    started = tree.parent / "started"
    monkeypatch.setenv("GIT_EDITOR", f"touch '{started}'; false")
    before = git(tree, "for-each-ref")
    done = run(patchgen, tree, "--edit")
    assert done.code == 2 and "--edit cannot start an editor without a terminal" in done.err
    assert "hint: --message and --cover read the texts from files" in done.err
    assert not started.exists() and git(tree, "for-each-ref") == before
    # A file that does not exist is wrong in a terminal, too.
    missing = patchgen("run", "none.cocci", "--edit", "--split", "tree", "--tree", tree)
    assert "no such file or folder: none.cocci" in missing.err
