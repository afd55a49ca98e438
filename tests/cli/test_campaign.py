# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run --split`: a treewide change as a series, on a small tree with a history."""

from __future__ import annotations

import email
import email.policy
import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.call_rule import format_function, format_rule
from tests.support.kernels import commit_all

RULE = format_rule("// Options: --include-headers\n")
MAINTAINERS = """\
ACME NETWORKING
M:	Ada Acme <acme@example.org>
L:	netdev@example.org
F:	drivers/net/

OTHER NETWORKING
M:	Ada Acme <acme@example.org>
F:	include/net/

FILESYSTEM F
M:	Fay <fay@example.org>
F:	fs/f/
"""
FILES = ("drivers/net/a.c", "drivers/net/sub/b.c", "include/net/n.h", "fs/f/f.c", "lib/l.c")


@pytest.fixture
def tree(tmp_path: Path, git) -> Path:
    folder = tmp_path / "linux"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(format_function(Path(name).stem))
    (folder / "MAINTAINERS").write_text(MAINTAINERS)
    commit_all(folder, "start")
    for subject, name in [
        ("net: acme: Speed up", "drivers/net/a.c"),
        ("net: acme: Slow down", "drivers/net/sub/b.c"),
        ("f: Sort", "fs/f/f.c"),
        ("f: Sort again", "fs/f/f.c"),
    ]:
        with (folder / name).open("a") as file:
            file.write(f"/* {subject} */\n")
        git(folder, "commit", "-qam", subject)
    return folder


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "call.cocci"
    path.write_text(RULE)
    return path


def run(patchgen, tree: Path, rule: Path, *args: str | Path) -> dict:
    done = patchgen(
        "run", rule, "--tree", tree, "--json", "-o", tree.parent / "out", "--split", *args
    )
    assert done.code == 0, done.err
    series = json.loads(done.out)["series"]
    assert isinstance(series, dict)
    return series


def test_a_patch_for_each_maintainer_with_the_prefix_of_their_log(patchgen, git, tree, rule):
    before = git(tree, "status", "--porcelain"), git(tree, "rev-parse", "HEAD")
    series = run(patchgen, tree, rule, "maintainer")
    assert [(patch["subject"], patch["files"]) for patch in series["patches"]] == [
        ("net: acme: Use new_call(), which takes a lock", list(FILES[:3])),
        ("f: Use new_call(), which takes a lock", ["fs/f/f.c"]),
        ("lib: Use new_call(), which takes a lock", ["lib/l.c"]),
    ]
    assert (git(tree, "status", "--porcelain"), git(tree, "rev-parse", "HEAD")) == before
    message = git(tree, "log", "-1", "--format=%B", series["patches"][0]["commit"])
    assert "    - old_call();\n    + new_call();" in message
    assert "The callers all hold it." in message
    # Nothing of the machine that it was made on.
    assert "`patchgen run call.cocci`" in message.replace("\n", " ")
    assert str(tree.parent) not in message
    assert [Path(mail).name[:4] for mail in series["mails"]] == ["0000", "0001", "0002", "0003"]


def test_the_message_names_each_option_that_the_result_depends_on(patchgen, git, tree, rule):
    macros = tree.parent / "mine.h"
    macros.write_text("#define mine\n")
    options = ("--no-style", "--no-headers", "--macros", "none", "-I", "include")
    series = run(patchgen, tree, rule, "none", *options, "--macro-file", macros)
    message = git(tree, "log", "-1", "--format=%B", series["patches"][0]["commit"])
    shown = " ".join(message.split())
    assert (
        "`patchgen run call.cocci --macro-file FILE -I include --macros none "
        "--no-headers --no-style`"
    ) in shown
    assert "mine.h" not in message


def test_the_names_that_are_printed_are_those_of_the_mails(patchgen, tree, rule):
    """MAINTAINERS names Fay; a configuration takes her out and adds Gil."""
    args = ("run", rule, "--tree", tree, "--split", "maintainer", "-o", tree.parent / "out")
    out = patchgen(*args).out
    assert "\n      Fay\n" in out and "\nCc: Fay <fay@example.org>\n" in out
    config = '[recipients]\nignore = ["fay@example.org"]\nto = ["Gil <gil@example.org>"]\n'
    (tree / ".patchgen.toml").write_text(config)
    assert patchgen("trust", "--tree-config", "--tree", tree).code == 0
    out = patchgen(*args, "--force").out
    assert "Fay" not in out
    assert "\n      Gil\n" in out and "\nTo: Gil <gil@example.org>\n" in out


@pytest.mark.parametrize(
    ("split", "count"),
    [("maintainer", 3), ("subsystem", 4), ("directory", 5), ("file", 5), ("none", 1)],
)
def test_each_patch_applies_alone_and_all_are_the_whole(patchgen, git, tree, rule, split, count):
    whole = patchgen("run", rule, "--tree", tree).out
    series = run(patchgen, tree, rule, split)
    assert len(series["patches"]) == count
    assert len({patch["subject"] for patch in series["patches"]}) == count
    for mail in series["mails"][1:]:
        git(tree, "apply", "--check", mail)
    (tree.parent / "whole").write_text(whole)
    git(tree, "apply", "--index", tree.parent / "whole")
    assert (
        git(tree, "write-tree").strip()
        == git(tree, "rev-parse", f"{series['patches'][-1]['commit']}^{{tree}}").strip()
    )


def test_patches_are_joined_up_to_a_limit(patchgen, tree, rule):
    series = run(patchgen, tree, rule, "file", "--max-patches", "2")
    assert [patch["files"] for patch in series["patches"]] == [
        ["drivers/net/a.c", "drivers/net/sub/b.c", "lib/l.c"],
        ["fs/f/f.c", "include/net/n.h"],
    ]


def test_it_is_the_same_each_time(patchgen, git, tree, rule, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = run(patchgen, tree, rule, "maintainer")
    mails = [Path(mail).read_bytes() for mail in first["mails"]]
    again = run(patchgen, tree, rule, "maintainer", "--force")
    assert again["patches"] == first["patches"]
    assert [Path(mail).read_bytes() for mail in again["mails"]] == mails


def test_it_can_be_sent_and_explained(patchgen, git, tree, rule):
    series = run(patchgen, tree, rule, "maintainer", "-v", "2", "--subject", "Call the new one")
    assert series["branch"] == "patchgen/call-v2"
    explained = patchgen("explain", series["branch"], "--tree", tree)
    assert explained.code == 0, explained.err
    assert "call.cocci" in explained.out and str(rule.parent) not in explained.out
    subject = git(tree, "log", "-1", "--format=%s", series["tip"])
    assert "Call the new one" in subject


def test_the_users_program_chooses_the_recipients_of_each_patch(patchgen, tree, rule):
    program = tree.parent / "who"
    program.write_text(
        "#!/usr/bin/perl\n"
        "open(F, $ARGV[-1]); while (<F>) { $w = 1 if m{^diff .*b/drivers/net}; }\n"
        'print $w ? "Ada <ada\\@example.org> (maintainer:X)" : "l\\@example.org (open list)";\n'
    )
    program.chmod(0o755)
    series = run(patchgen, tree, rule, "directory", "--get-maintainer", program)
    heads = [Path(mail).read_text().partition("\n\n")[0] for mail in series["mails"][1:]]
    assert ["To: Ada <ada@example.org>" in head for head in heads] == [True, True] + [False] * 3
    assert ["l@example.org" in head for head in heads] == [False, False] + [True] * 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--max-patches", "3"], "--max-patches requires --split"),
        (["--subject", "x"], "--subject requires --split"),
        (["-v", "2"], "-v requires --split"),
        (["--split", "maintainer", "--mode", "report"], "has no report mode"),
        (["--split", "sideways"], "sideways"),
    ],
)
def test_options_that_make_no_series_are_usage_errors(patchgen, git, tree, rule, args, message):
    done = patchgen("run", rule, "--tree", tree, *args)
    assert done.code == 2 and message in done.err
    assert git(tree, "branch", "--list", "patchgen/*") == ""


def test_a_folder_of_semantic_patches_is_refused(patchgen, tree, rule):
    (rule.parent / "other.cocci").write_text(RULE)
    done = patchgen("run", rule.parent, "--tree", tree, "--split", "file")
    assert done.code == 2 and "one semantic patch" in done.err


def test_a_folder_is_refused_even_if_only_one_of_its_semantic_patches_can_run(
    patchgen, git, tree, rule
):
    (rule.parent / "other.cocci").write_text(f"{RULE}\n@script:python@\n@@\nprint(1)\n")
    done = patchgen("run", rule.parent, "--tree", tree, "--split", "file")
    assert done.code == 2 and "one semantic patch" in done.err
    assert git(tree, "branch", "--list", "patchgen/*") == ""


def test_nothing_is_written_if_nothing_changes(patchgen, git, tree, rule):
    rule.write_text(RULE.replace("old_call", "no_call"))
    done = patchgen("run", rule, "--tree", tree, "--split", "file", "-o", tree.parent / "out")
    assert (
        done.code == 0 and done.out == "The semantic patch changes nothing: no file has no_call.\n"
    )
    assert git(tree, "branch", "--list", "patchgen/*") == ""
    assert not (tree.parent / "out").exists()
    done = patchgen("run", rule, "--tree", tree, "--split", "file", "--json")
    assert done.code == 0 and json.loads(done.out)["series"] is None


def test_the_words_without_which_no_file_can_match_are_named(patchgen, tree, rule):
    """The rule removes a word that the tree has; that another word is missing is the reason."""
    text = "@@\nexpression e;\n@@\n- old_call(e, NO_FLAG)\n+ new_call(NO_FLAG, e)\n"
    rule.write_text(f"// Options: --no-includes\n{text}")
    done = patchgen("run", rule, "--tree", tree, "--split", "file")
    why = "no file can match: no searched .c or .h file has NO_FLAG"
    assert done.out == f"The semantic patch changes nothing: {why}.\n"
    # A file has all words, so why nothing matches is uncertain.
    rule.write_text(text.replace("NO_FLAG", "1, 2, 3"))
    done = patchgen("run", rule, "--tree", tree, "--split", "file")
    assert done.out == "The semantic patch changes nothing.\n"


def test_an_existing_branch_is_not_changed(patchgen, git, tree, rule):
    run(patchgen, tree, rule, "file")
    tip = git(tree, "rev-parse", "patchgen/call-v1")
    args = ("run", rule, "--tree", tree, "-o", tree.parent / "other", "--split", "none")
    done = patchgen(*args)
    assert done.code == 1 and "patchgen/call-v1" in done.err
    assert git(tree, "rev-parse", "patchgen/call-v1") == tip
    assert not (tree.parent / "other").exists()
    assert patchgen(*args, "--force").code == 0


@pytest.mark.parametrize(("split", "is_stated"), [("none", False), ("tree", True)])
def test_only_a_series_of_several_patches_states_that_each_applies_alone(
    patchgen, git, tree, rule, split, is_stated
):
    count = len(run(patchgen, tree, rule, split)["patches"])
    cover = " ".join(git(tree, "show", "-s", "--format=%B", f"patchgen/call-v1~{count}").split())
    assert ("Each patch applies independently" in cover) == is_stated


def test_patches_with_a_changed_declaration_may_need_one_another(patchgen, git, tree, rule):
    header = tree / "include/net/n.h"
    header.write_text("int old_call(int x);\n")
    git(tree, "commit", "-qam", "declare")
    rule.write_text(
        "/// Rename old_call()\n@@\n@@\n- int old_call(int x);\n+ int new_call(int x);\n\n"
        "@@\n@@\n- old_call\n+ new_call\n"
    )
    args = ("run", rule, "--tree", tree, "-o", tree.parent / "out", "--force", "--split")
    done = patchgen(*args, "maintainer")
    assert (
        "warning: include/net/n.h is changed outside of functions: a patch may not build without "
        "the others; --split none makes one patch\n"
    ) in done.err
    cover = " ".join(git(tree, "show", "-s", "--format=%B", "patchgen/call-v1~3").split())
    assert "split by maintainer. Each patch applies without the others. net: " in cover
    assert "changed outside of functions" not in patchgen(*args, "none").err


def test_a_tree_without_maintainers_is_split_by_folders(patchgen, git, tree, rule):
    git(tree, "rm", "-q", "MAINTAINERS")
    git(tree, "commit", "-qm", "none")
    assert len(run(patchgen, tree, rule, "maintainer")["patches"]) == 5


def test_a_folder_that_cannot_be_made(patchgen, git, tree, rule):
    done = patchgen("run", rule, "--tree", tree, "--split", "file", "-o", rule / "out")
    assert done.code == 1 and str(rule) in done.err
    assert git(tree, "branch", "--list", "patchgen/*") == ""


def test_a_cover_letter_may_be_longer_than_an_argument(patchgen, git, tree, rule):
    """Linux takes no argument, nor a variable, of over 128 KiB (execve(2))."""
    (tree / "deep").mkdir()
    for number in range(400):
        name = f"{'x' * 180}{number}"
        (tree / f"deep/{name}.c").write_text(format_function(f"f{number}"))
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "many")
    series = run(patchgen, tree, rule, "file", "--subject", 'Call "\\new"')
    cover = Path(series["mails"][0]).read_text()
    assert len(series["patches"]) == 405 and len(cover) > 150_000
    assert 'Subject: [PATCH 000/405] treewide: Call "\\new"' in cover


def test_the_printed_commands_work_from_where_run_was_called(patchgen, tree, rule):
    done = patchgen(
        "run", rule, "--tree", tree, "--split", "maintainer", "--signoff", "-o", tree.parent / "out"
    )
    assert done.code == 0, done.err
    _, _, printed = done.out.partition("Read them, then send them:\n")
    read, send = (shlex.split(line, comments=True) for line in printed.splitlines())
    log = subprocess.run(read, capture_output=True, text=True, check=True, cwd=tree.parent).stdout
    assert log.count("\ncommit ") == 3 and "+\tnew_call();" in log
    sent = patchgen(*send[1:], "--dry-run", "--to", "list@example.org")
    assert sent.code == 0, sent.err
    assert "new_call()" in sent.out


CHECKPATCH = r"""
my $file = $ARGV[-1];
open(my $mail, '<', $file) or die;
while (<$mail>) { print "$file:$.: ERROR:NAME: not this name\n" if /^\+.*new_call/; }
"""


def test_a_fault_of_the_code_is_mended_in_the_semantic_patch(patchgen, git, tree, rule):
    (tree / "scripts").mkdir()
    (tree / "scripts/checkpatch.pl").write_text(CHECKPATCH)
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "scripts: Add checkpatch")
    series = run(patchgen, tree, rule, "none")
    args = ("--tree", tree, "--skip", "build")
    done = patchgen("verify", series["branch"], *args, cwd=tree.parent)
    assert done.code == 1
    _, _, printed = done.out.partition(
        "Edit call.cocci, make the series again, then check again:\n"
    )
    again, check = (shlex.split(line, comments=True) for line in printed.splitlines())
    rule.write_text(rule.read_text().replace("new_call", "newer_call"))
    assert patchgen(*again[1:], cwd=tree.parent).code == 0
    done = patchgen(*check[1:], "--skip", "build", cwd=tree.parent)
    # What is left is about the message: Signed-off-by.
    assert "checkpatch:" not in done.out
    # git would add it below the ---, to the notes.
    assert "Signed-off-by is missing (add it above the ---)" in done.out
    title = "Edit the commit, write the mails again, then check again:\n"
    _, _, printed = done.out.partition(title)
    edit, write, check = (shlex.split(line, comments=True) for line in printed.splitlines())
    assert edit[3:5] == ["rebase", "--interactive"]
    for step in (write, check):
        assert patchgen(*step[1:], cwd=tree.parent).code == (step is check)


TREES = """\
ACME NETWORKING
M:	Ada Acme <acme@example.org>
L:	netdev@example.org
T:	git git://git.example.org/net.git
F:	drivers/net/
F:	include/net/

SUB
M:	Sub <sub@example.org>
T:	git git://git.example.org/sub.git
F:	drivers/net/sub/b.c

FILESYSTEM F
M:	Fay <fay@example.org>
T:	git git://git.example.org/f.git
F:	fs/f/
"""


def with_trees(git, tree: Path) -> None:
    (tree / "MAINTAINERS").write_text(TREES)
    git(tree, "commit", "-qam", "MAINTAINERS: Add trees")


def test_each_git_tree_gets_one_patch(patchgen, git, tree, rule):
    with_trees(git, tree)
    # The log of lib has no commit besides the first.
    series = run(patchgen, tree, rule)
    assert [(patch["tree"], patch["files"]) for patch in series["patches"]] == [
        ("git://git.example.org/net.git", list(FILES[:3])),
        ("git://git.example.org/f.git", ["fs/f/f.c"]),
        (None, ["lib/l.c"]),
    ]
    subjects = [patch["subject"] for patch in series["patches"]]
    assert subjects[-1] == "treewide: Use new_call(), which takes a lock"


def apply_patch(monkeypatch, git, tree: Path, name: str, person: str, subject: str) -> None:
    """Commit a change as another person would apply it."""
    with (tree / name).open("a") as file:
        file.write(f"/* {subject} */\n")
    with monkeypatch.context() as patch:
        patch.setenv("GIT_COMMITTER_NAME", person)
        patch.setenv("GIT_COMMITTER_EMAIL", f"{person.lower()}@example.org")
        git(tree, "commit", "-qam", subject)


def test_the_checks_accept_lower_case_where_the_log_writes_it(
    patchgen, git, tree, rule, monkeypatch
):
    for number in range(3):
        apply_patch(monkeypatch, git, tree, "fs/f/f.c", "Fay", f"f: sort {number}")
    series = run(patchgen, tree, rule, "maintainer", "--signoff")
    subjects = [patch["subject"] for patch in series["patches"]]
    assert subjects[1] == "f: use new_call(), which takes a lock"
    verify = ("verify", "--tree", tree, "--skip", "build", "--skip", "checkpatch")
    done = patchgen(*verify, series["branch"])
    assert done.code == 0, done.err + done.out
    git(tree, "checkout", "-q", series["branch"])
    git(tree, "commit", "-q", "--amend", "-m", "lib: use it\n\nSigned-off-by: A <a@example.org>")
    done = patchgen(*verify)
    assert 'continues in lower case after the prefix: "use"' in done.out


def test_who_applied_patches_decides_between_two_trees(patchgen, git, tree, rule, monkeypatch):
    with_trees(git, tree)
    for number in range(3):
        apply_patch(monkeypatch, git, tree, "drivers/net/sub/b.c", "Sub", f"net: b: Count {number}")
    series = run(patchgen, tree, rule, "tree")
    trees = {patch["tree"]: patch["files"] for patch in series["patches"]}
    assert trees["git://git.example.org/sub.git"] == ["drivers/net/sub/b.c"]


def test_without_a_tree_the_log_decides_who_takes_a_patch(patchgen, git, tree, rule, monkeypatch):
    with_trees(git, tree)
    apply_patch(monkeypatch, git, tree, "lib/l.c", "Lib", "lib: Add more")
    series = run(patchgen, tree, rule, "tree")
    assert series["patches"][-1]["tree"] == "Lib <lib@example.org>"
    assert series["patches"][-1]["subject"].startswith("lib: ")
    number = len(series["patches"])
    missing = f"patch {number} is not sent to Lib <lib@example.org>, who applied most of the last"
    assert [line.startswith(missing) for line in series["warnings"]].count(True) == 1
    cover = git(tree, "log", "-1", "--format=%B", f"{series['branch']}~{len(series['patches'])}")
    assert "    1 file: git://git.example.org/f.git\n" in cover and "    1 file: Lib\n" in cover


def test_a_subject_in_the_log_may_have_any_character(patchgen, git, tree, rule, monkeypatch):
    with_trees(git, tree)
    apply_patch(monkeypatch, git, tree, "lib/l.c", "Lib", "lib: Add\u2028more\x0cand\tmore")
    series = run(patchgen, tree, rule, "tree")
    assert series["patches"][-1]["tree"] == "Lib <lib@example.org>"
    assert series["patches"][-1]["subject"].startswith("lib: ")


def test_patches_for_different_trees_are_not_joined(patchgen, git, tree, rule):
    with_trees(git, tree)
    series = run(patchgen, tree, rule, "file", "--max-patches", "1")
    assert [patch["files"] for patch in series["patches"]] == [
        list(FILES[:3]),
        ["fs/f/f.c"],
        ["lib/l.c"],
    ]
    assert any("3 patches are left, not 1" in line for line in series["warnings"])


def test_a_base_without_history_is_split_by_maintainers_only(patchgen, git, tree, rule):
    with_trees(git, tree)
    oid = git(tree, "commit-tree", "-m", "all", "HEAD^{tree}").strip()
    series = run(patchgen, tree, rule, "--base", oid)
    assert [patch["files"] for patch in series["patches"]][-1] == ["lib/l.c"]
    assert any("without history" in line for line in series["warnings"])


def test_the_first_letter_of_a_subject_is_as_in_the_log(patchgen, git, tree, rule):
    for number in range(3):
        with (tree / "fs/f/f.c").open("a") as file:
            file.write(f"/* {number} */\n")
        git(tree, "commit", "-qam", f"f: sort the {number}")
    series = run(patchgen, tree, rule, "maintainer")
    subjects = [patch["subject"] for patch in series["patches"]]
    assert [subject.partition(":")[0] for subject in subjects] == ["net", "f", "lib"]
    assert subjects[1] == "f: use new_call(), which takes a lock"


def addressees(mail: str) -> list[str]:
    """Return the addresses in To and Cc of a mail."""
    head = email.message_from_bytes(Path(mail).read_bytes(), policy=email.policy.default)
    headers = [head["To"], head["Cc"]]
    return [person.addr_spec for header in headers if header for person in header.addresses]


@pytest.mark.parametrize(
    ("who", "first", "second"),
    [
        (
            "maintainers",
            ["acme@example.org", "sub@example.org", "netdev@example.org"],
            ["fay@example.org"],
        ),
        ("lists", ["netdev@example.org"], ["fay@example.org"]),
        (
            "all",
            ["acme@example.org", "rev@example.org", "sub@example.org", "netdev@example.org"],
            ["fay@example.org"],
        ),
    ],
)
def test_maintainers_and_lists_get_their_patch(patchgen, git, tree, rule, who, first, second):
    (tree / "MAINTAINERS").write_text(TREES.replace("L:\tn", "R:\tRev <rev@example.org>\nL:\tn"))
    git(tree, "commit", "-qam", "MAINTAINERS: Add a reviewer")
    chosen = [] if who == "maintainers" else ["--recipients", who]
    series = run(patchgen, tree, rule, "tree", *chosen)
    assert addressees(series["mails"][1]) == first
    assert addressees(series["mails"][2]) == second
    everybody = {*first, *second}
    assert set(addressees(series["mails"][0])) == (
        everybody if who == "all" else {"netdev@example.org"}
    )


def test_a_person_who_gets_two_patches_gets_the_cover_letter(patchgen, git, tree, rule):
    (tree / "MAINTAINERS").write_text(TREES.replace("Fay <fay@", "Ada Acme <acme@"))
    git(tree, "commit", "-qam", "MAINTAINERS: Let Ada maintain f")
    series = run(patchgen, tree, rule, "tree")
    assert addressees(series["mails"][0]) == ["acme@example.org", "netdev@example.org"]


def test_a_mail_has_a_largest_number_of_recipients(patchgen, git, tree, rule):
    maintainers = "".join(f"M:\tP{number} <p{number}@example.org>\n" for number in range(40))
    (tree / "MAINTAINERS").write_text(TREES.replace("M:\tAda", f"{maintainers}M:\tAda"))
    git(tree, "commit", "-qam", "MAINTAINERS: Add people")
    series = run(patchgen, tree, rule, "tree", "--cc", "me@example.org")
    people = addressees(series["mails"][1])
    assert len(people) == 30 and {"netdev@example.org", "me@example.org"} <= set(people)
    assert any(
        line.startswith(
            "patch 1 is limited to 30 people and lists, and omits P28 <p28@example.org>,"
        )
        and line.endswith(" and 11 others")
        for line in series["warnings"]
    )
    series = run(patchgen, tree, rule, "tree", "--max-recipients", "2", "--force")
    assert len(addressees(series["mails"][1])) == 2


def test_a_branch_is_sent_to_the_people_whom_the_cover_letter_leaves_out(patchgen, git, tree, rule):
    with_trees(git, tree)
    series = run(patchgen, tree, rule, "tree")
    written = [addressees(mail) for mail in series["mails"]]
    done = patchgen("format", series["branch"], "--tree", tree, "--json", "-o", tree.parent / "new")
    assert done.code == 0, done.err
    formatted = sorted((tree.parent / "new").glob("*.patch"))
    assert [addressees(str(mail)) for mail in formatted] == written
