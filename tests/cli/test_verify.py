# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify` on the toy tree: which series is meant, its form, its mails, and bad input.

What needs a compiler is tested on a real kernel, in tests/kernel/test_verify.py.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from tests.conftest import Finished
from tests.support.terminal import patchgen_on_terminal

FAST = ("--skip", "build", "--skip", "checkpatch")


@pytest.fixture
def series(pvops_on, tmp_path) -> Path:
    """Put pvops onto the toy tree: the branch `made`, mails in `mails`."""
    pvops_on("--branch", "made", "-o", "{mails}", "--signoff", "--backend", "sev")
    return tmp_path / "mails"


def verify(patchgen, toy, *args) -> tuple[int, dict]:
    result = patchgen("verify", *args, "--tree", toy, "--json", *FAST)
    assert result.out, result.err
    return result.code, json.loads(result.out)


def reword(git, toy, message: str) -> None:
    """Give the last commit of `made` another message, in a branch of its own."""
    tree = git(toy, "rev-parse", "made^{tree}").strip()
    tip = git(toy, "commit-tree", tree, "-p", "made~", "-m", message).strip()
    git(toy, "branch", "reworded", tip)


def test_a_branch_a_range_mails_and_an_mbox_are_the_same_series(patchgen, toy, series, tmp_path):
    mbox = tmp_path / "series.mbox"
    mbox.write_bytes(b"\n".join(path.read_bytes() for path in sorted(series.glob("*.patch"))))
    subjects = []
    for name in ("made", "master..made", str(series), str(mbox)):
        code, document = verify(patchgen, toy, name)
        assert (code, document["passed"]) == (0, True), name
        assert document["checks"] == ["lint", "am", "sections"]
        subjects.append([commit["subject"] for commit in document["commits"]])
    assert subjects[0][0].startswith("x86/paravirt: ") and len(subjects[0]) == 4
    assert subjects.count(subjects[0]) == 4


def test_the_table_and_the_findings(patchgen, toy, series, git):
    result = patchgen("verify", "made", "--tree", toy, *FAST)
    assert (result.code, result.err) == (0, "")
    assert "4 commits passed lint, am, sections (" in result.out and result.out.count(" ok ") >= 8
    reword(git, toy, "x86/kvm: Added what is wrong\n\nBecause.\n\nSigned-off-by: B <b@c.d>")
    result = patchgen("verify", "reworded", "--tree", toy, "--base", "master", *FAST)
    assert result.code == 1
    tip = git(toy, "rev-parse", "--short=12", "reworded").strip()
    assert f"4/4 {tip} x86/kvm: Added what is wrong\n" in result.out
    assert '  lint: the subject is not in imperative mood: "Added"\n' in result.out
    assert "  lint: the last Signed-off-by is B <b@c.d>, but the sender is Ada" in result.out
    assert f"first failing commit: {tip} x86/kvm: Added" in result.out


def test_against_a_posted_series(patchgen, toy, series, git):
    assert verify(patchgen, toy, "made", "--against", series)[0] == 0
    reword(git, toy, "x86/kvm: Say it otherwise\n\nBecause.\n\nSigned-off-by: B <b@c.d>")
    code, document = verify(patchgen, toy, "made", "--base", "master", "--against", series)
    assert code == 0
    args = ("--skip", "lint", "--base", "master", "--against", series)
    code, document = verify(patchgen, toy, "reworded", *args)
    [finding] = document["series_findings"]
    assert code == 1 and finding["check"] == "against"
    assert "Say it otherwise" in finding["text"]


def test_verify_does_not_change_the_repository_of_the_user(patchgen, toy, series, git):
    before = git(toy, "for-each-ref"), git(toy, "status", "--porcelain"), git(toy, "count-objects")
    verify(patchgen, toy, series, "--against", "made")
    assert before == (
        git(toy, "for-each-ref"),
        git(toy, "status", "--porcelain"),
        git(toy, "count-objects"),
    )


WRONG = {
    "an unknown configuration": (("made", "--config", "x86"), 2, "unknown configuration 'x86'"),
    "no such .config": (("made", "--config", "./none"), 2, "No such file"),
    "an unknown check": (("made", "--skip", "lnt"), 2, "unknown check 'lnt'"),
    "no such branch": (("mad",), 1, "'mad' is not a file, folder, branch or commit"),
    "nothing of its own": (("master",), 1, "other refs have all of its commits"),
    "a base above it": (("master", "--base", "made"), 1, "does not build on"),
    "an empty range": (("made..made",), 1, "has no commits of its own"),
    "a folder without mails": ((".",), 1, "has no mails"),
    "nothing to compare with": (("made", "--against", "mad", *FAST), 1, "'mad' is not a file"),
}


@pytest.mark.parametrize(("args", "code", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_refused_with_its_reason(
    patchgen, toy, series, tmp_path, args, code, message
):
    empty = tmp_path / "empty"
    empty.mkdir()
    result = patchgen("verify", *args, "--tree", toy, cwd=empty)
    assert (result.code, result.out) == (code, ""), result.err
    assert message in result.err


CALLBACK = "static void __init kvm_notify(unsigned long pfn) { }\n"
STORE = "void __init kvm_hook(void)\n{\n\tpv_ops.mmu.notify = kvm_notify;\n}\n"


def sections(patchgen, toy) -> list[list[tuple[str, str]]]:
    """Return what is found of each commit above master."""
    args = ("master..HEAD", "--tree", toy, "--json", *FAST, "--skip", "lint", "--skip", "am")
    document = json.loads(patchgen("verify", *args).out)
    assert document["checks"] == ["sections"]
    return [[(f["where"], f["text"]) for f in commit["findings"]] for commit in document["commits"]]


def test_an_init_callback_that_outlives_init_is_reported(patchgen, toy, git):
    """The bug that built in all configurations: modpost does not see what code stores."""
    data = toy / "arch/x86/kernel/x86_init.c"
    data.write_text(data.read_text() + "struct x86_init_ops x86_init __initdata = {\n};\n")
    git(toy, "commit", "-q", "-a", "-m", "base")
    git(toy, "checkout", "-q", "-b", "series")
    file = toy / "arch/x86/kernel/kvm.c"
    before = file.read_text()
    plain = CALLBACK.replace("__init ", "")
    freed = STORE.replace("kvm_hook", "kvm_x").replace("pv_ops.mmu.notify", "x86_init.a")
    # Last, an object that goes away with the rest of init; the store before it is an old one.
    steps = [before + code for code in (plain + STORE, CALLBACK + STORE, CALLBACK + STORE + freed)]
    for number, text in enumerate(steps):
        file.write_text(text)
        git(toy, "commit", "-q", "-a", "-m", f"x86/kvm: Make {number}")
    (toy / "arch/x86/kernel/more.c").write_text(
        "extern void __init kvm_far(unsigned long pfn);\n"
        "void __init more(void)\n{\n\tx86_platform.b = kvm_far;\n}\n"
    )
    git(toy, "add", "-A")
    git(toy, "commit", "-q", "-m", "x86: Add a file")
    nothing, marked, legitimate, far = sections(patchgen, toy)
    assert nothing == legitimate == []
    line = steps[1][: steps[1].index("pv_ops.mmu.notify =")].count("\n") + 1
    [(where, text)] = marked
    assert where == f"arch/x86/kernel/kvm.c:{line}"
    assert text.startswith("kvm_hook() stores the address of kvm_notify() in pv_ops.mmu.notify:")
    [(where, text)] = far
    assert where == "arch/x86/kernel/more.c:4" and "kvm_far() in x86_platform.b" in text


def test_an_init_mark_added_to_a_function_stored_by_another_file_is_reported(patchgen, toy, git):
    (toy / "arch/x86/kernel/user.c").write_text(STORE)
    file = toy / "arch/x86/kernel/kvm.c"
    text = file.read_text()
    file.write_text(text + CALLBACK.replace("static void __init", "void"))
    git(toy, "add", "-A")
    git(toy, "commit", "-q", "-m", "base")
    git(toy, "checkout", "-q", "-b", "series")
    file.write_text(text + CALLBACK.replace("static ", ""))
    git(toy, "commit", "-q", "-a", "-m", "x86/kvm: Mark it")
    [[(where, text)]] = sections(patchgen, toy)
    assert where == "arch/x86/kernel/user.c:3" and "kvm_notify()" in text


def test_a_series_without_compiled_files_is_not_built(patchgen, toy, git):
    (toy / "MAINTAINERS").write_text("THE REST\n")
    git(toy, "checkout", "-q", "-b", "text")
    git(toy, "commit", "-q", "-a", "-m", "MAINTAINERS: Shorten\n\nBecause.")
    args = ("text", "--tree", toy, "--json", "--skip", "lint", "--skip", "checkpatch")
    result = patchgen("verify", *args)
    assert (result.code, json.loads(result.out)["checks"]) == (0, ["am"])


def test_names_the_mail_that_does_not_apply(patchgen, toy, series):
    mail = sorted(series.glob("*.patch"))[2]
    mail.write_bytes(mail.read_bytes().replace(b"\n ", b"\n  "))
    result = patchgen("verify", series, "--tree", toy, *FAST)
    assert result.code == 1 and f"{mail.name} does not apply to" in result.err


def test_names_the_programs_that_are_missing(patchgen, toy, series, monkeypatch, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "make", "gcc", "ld", "objdump", "perl"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(programs))
    result = patchgen("verify", "made", "--tree", toy)
    assert (result.code, result.out) == (1, "")
    assert "not installed, but needed to build: flex, bison, bc" in result.err
    assert "apt-get install flex bison bc" in result.err


def test_am_names_each_commit_whose_mail_is_at_fault(patchgen, toy, git):
    """Two faults, and what stands between them and behind them is fine."""
    file = toy / "arch/x86/kernel/kvm.c"
    quoted = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    git(toy, "checkout", "-q", "-b", "odd")
    for number, message in enumerate(("Quote:\n\n" + quoted, "Text.", None, "Text.")):
        if message is not None:
            file.write_text(file.read_text() + f"/* {number} */\n")
        args = ("-m", f"x86/kvm: Make {number}", "-m", message or "Nothing.")
        git(toy, "commit", "-q", "-a", "--allow-empty", *args)
    args = ("odd", "--tree", toy, "--base", "master", "--json", "--skip", "build")
    result = patchgen("verify", *args, "--skip", "checkpatch", "--skip", "lint")
    texts_by_commit = [
        [f["text"] for f in commit["findings"]] for commit in json.loads(result.out)["commits"]
    ]
    assert [len(texts) for texts in texts_by_commit] == [1, 0, 1, 0], texts_by_commit
    assert "0001-x86-kvm-Make-0.patch does not apply" in texts_by_commit[0][0]
    assert "hint" not in texts_by_commit[0][0]
    assert "the commit is empty" in texts_by_commit[2][0]


def test_a_commit_that_changes_nothing_has_its_mail_checked(patchgen, toy, git):
    """checkpatch and lint look at commits and mails side by side."""
    script = toy / "scripts/checkpatch.pl"
    script.parent.mkdir(exist_ok=True)
    script.write_text("exit 0;\n")
    git(toy, "add", "-A")
    git(toy, "commit", "-q", "-m", "scripts: Add checkpatch")
    git(toy, "checkout", "-q", "-b", "empty")
    git(toy, "commit", "-q", "--allow-empty", "-m", "x86: Do nothing", "-m", "Text.")
    result = patchgen("verify", "empty", "--tree", toy, "--base", "master", "--json")
    [commit] = json.loads(result.out)["commits"]
    assert result.code == 1 and "am" in {finding["check"] for finding in commit["findings"]}


def test_text_that_new_left_to_be_written_is_reported(patchgen, git, toy, tmp_path):
    rename = ("--rename", "sev_active=sev_guest", "--on", "arch/x86/kernel/*.c")
    assert patchgen("new", tmp_path / "mine", *rename, cwd=toy).code == 0
    args = ("--variant", tmp_path / "mine", "--tree", toy, "--branch", "mine", "-o")
    made = patchgen("apply", *args, tmp_path / "drafts")
    assert made.code == 0, made.err
    # As an editor of the commits counts the lines: the subject is the first one.
    marked = []
    for kind, revision in (("message", "mine"), ("cover letter", "mine~1")):
        lines = git(toy, "show", "-s", "--format=%B", revision).split("\n")
        marked += [f"{kind}:{number}" for number, line in enumerate(lines, 1) if "EDITME" in line]
    for series in ("mine", tmp_path / "drafts"):
        code, document = verify(patchgen, toy, str(series))
        [commit] = document["commits"]
        findings = [*commit["findings"], *document["series_findings"]]
        assert code == 1
        assert marked == [f["where"] for f in findings if "EDITME" in f["text"]] != []


# Like checkpatch.pl --terse: it counts the lines of the mail, and looks at those that are added.
CHECKPATCH = r"""
my $file = $ARGV[-1];
open(my $mail, '<', $file) or die;
while (<$mail>) {
    print "$file:$.: CHECK:SPACING: No space is necessary after a cast\n" while /^\+.*?\(int\) /g;
    print "$file:$.: WARNING:LONG_LINE: line length of 1$. exceeds 100 columns\n" if /^\+.*LONG/;
    print "$file:$.: WARNING:TYPO_SPELLING: 'teh' may be misspelled\n" if /teh/;
    print "$file:$.: WARNING:DEPRECATED_API: Deprecated use of $1\n" if /^\+.*?(old\w*)\(/;
    print "$file:$.: CHECK:SPACING: space required after that '$1'\n" if /^\+.*?([;,])\S/;
    print "$file:$.: WARNING:SYSFS_EMIT: formats should include a terminating newline\n"
        if /^\+.*sysfs_emit\(\w+, ".*?(?<!\\n)"/;
}
print "$file:$.: ERROR:MISSING_SIGN_OFF: Missing Signed-off-by: line(s)\n";
exit 1;
"""


@pytest.fixture
def old_code(toy, git) -> Path:
    """Return a tree with faults in its code, and a branch that renames a function there."""
    script = toy / "scripts/checkpatch.pl"
    script.parent.mkdir(exist_ok=True)
    script.write_text(CHECKPATCH)
    code = toy / "lib/code.c"
    code.parent.mkdir(exist_ok=True)
    lines = ["void f(int n)", "{", "\tg((int) n);", "\th(n); /* LONG */", "", "\tg(n);", "}", ""]
    code.write_text("\n".join(lines))
    git(toy, "add", "-A")
    git(toy, "commit", "-q", "-m", "lib: Add faults")
    git(toy, "checkout", "-q", "-b", "renamed")
    lines[2:6] = ["\tgg((int) n);", "\thh(n); /* LONG */", "", "\tgg((int) n);"]
    code.write_text("\n".join(lines))
    git(toy, "commit", "-q", "-a", "-m", "lib: Rename g", "-m", "Text with teh typo.")
    return toy


def checkpatch(patchgen, tree, *args) -> Finished:
    skipped = [arg for name in ("lint", "am", "build") for arg in ("--skip", name)]
    return patchgen("verify", "master..renamed", "--tree", tree, *skipped, *args)


def test_the_places_of_checkpatch_are_in_the_source(patchgen, old_code):
    result = checkpatch(patchgen, old_code, "--json")
    [commit] = json.loads(result.out)["commits"]
    found = {finding["where"]: finding for finding in commit["findings"]}
    places = {"message", "lib/code.c:3", "lib/code.c:4", "lib/code.c:6", None}
    assert found.keys() == places, result.out
    assert found["message"]["text"].endswith("""'teh' may be misspelled: "Text with teh typo.\"""")
    assert "Missing Signed-off-by" in found[None]["text"]


def test_faults_of_the_removed_lines_are_counted_and_are_not_failures(patchgen, old_code):
    document = json.loads(checkpatch(patchgen, old_code, "--json").out)
    findings = document["commits"][0]["findings"]
    old = [finding["where"] for finding in findings if finding["in_old_code"]]
    assert old == ["lib/code.c:3", "lib/code.c:4"]
    assert {f["where"] for f in findings if f["failure"]} == {"message", "lib/code.c:6", None}
    brief, verbose = (checkpatch(patchgen, old_code, *args).out for args in ((), ("--verbose",)))
    assert "--verbose lists the findings in old code" in brief
    assert "note: checkpatch: 2 findings in old code: the removed lines have them" in brief
    assert "lib/code.c:6: CHECK" in brief and "lib/code.c:3" not in brief
    assert "note: checkpatch: lib/code.c:3: CHECK:SPACING: No space is" in verbose
    assert "findings in old code" not in verbose


# Lines before and after, and whether what checkpatch reports about the latter is in old code.
CARRIED = {
    "another name in the text": ("old_a(n);", "old_b(n);", True),
    "a new fault": ("a(n);", "old_b(n);", False),
    "another sign": ("a(n,n);", "for (;n;)", True),
    "another fault of a broad type": ("a((int) n);", "b(n,n);", False),
    "a format as before": ('return sprintf(b, "%d", n);', 'return sysfs_emit(b, "%d", n);', True),
    "a format and a size": (
        'return scnprintf(b, PAGE_SIZE, "off");',
        'return sysfs_emit(b, "off");',
        True,
    ),
    "a new format": ('return sprintf(b, "%d\\n", n);', 'return sysfs_emit(b, "%d", n);', False),
    "a format in place of none": ("return strcpy(b, n);", 'return sysfs_emit(b, "%s", n);', False),
}


@pytest.mark.parametrize(("before", "after", "is_old"), CARRIED.values(), ids=CARRIED)
def test_a_finding_is_in_old_code_by_its_meaning(patchgen, old_code, git, before, after, is_old):
    git(old_code, "checkout", "-q", "master")
    for branch, line in (("master", before), ("renamed", after)):
        (old_code / "lib/code.c").write_text(f"void f(int n)\n{{\n\t{line}\n}}\n")
        git(old_code, "checkout", "-q", "-B", branch)
        git(old_code, "commit", "-q", "-a", "-m", "lib: Change a line")
    [commit] = json.loads(checkpatch(patchgen, old_code, "--json").out)["commits"]
    found = [f for f in commit["findings"] if f["where"] == "lib/code.c:3"]
    assert [(f["in_old_code"], f["failure"]) for f in found] == [(is_old, not is_old)]


def test_the_table_is_as_wide_as_its_texts_in_a_pipe(patchgen, old_code, git):
    subject = "lib: Rename a function to a name that is so long that no terminal can show it all"
    git(old_code, "commit", "-q", "--amend", "-m", subject)
    rows = checkpatch(patchgen, old_code).out.splitlines()
    [heading] = [row for row in rows if "subject" in row]
    assert heading.split() == ["commit", "subject", "checkpatch", "sections"]
    assert any(subject in row and row.endswith("ok") for row in rows)


@pytest.mark.parametrize(("columns", "line"), [(50, " {oid} {subject}"), (90, " {oid}  {subject}")])
def test_subjects_that_do_not_fit_are_below_the_table(old_code, git, columns, line):
    """Subjects that begin alike look alike if they are cut."""
    subject = "lib: Rename some functions in a.c"
    git(old_code, "commit", "-q", "--amend", "-m", subject)
    oid = git(old_code, "rev-parse", "--short=10", "HEAD").strip()
    skipped = [f"--skip={check}" for check in ("checkpatch", "build", "sections")]
    args = ("verify", "--tree", old_code, "master..renamed", *skipped)
    shown = click.unstyle(patchgen_on_terminal(*args, columns=columns).text)
    assert line.format(oid=oid, subject=subject) in shown


def test_an_interrupt_is_reported_before_the_running_programs_end(old_code, git, tmp_path):
    started, end = tmp_path / "started", tmp_path / "end"
    git(old_code, "checkout", "-q", "master")
    (old_code / "scripts/checkpatch.pl").write_text(
        f"$SIG{{TERM}} = 'IGNORE'; open(F, '>', '{started}'); sleep 1 until -e '{end}';"
    )
    git(old_code, "commit", "-q", "-a", "-m", "scripts: Wait")
    argv = [sys.executable, "-m", "patchgen", "verify", "renamed", "--tree", old_code]
    argv += ["--base", "master", "--skip", "build"]
    git(old_code, "rebase", "-q", "master", "renamed")
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with process:
        while not started.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first == "interrupted; waiting for the running programs to end\n"
        assert process.poll() is None
        end.touch()
        assert process.stderr.read().strip() == "patchgen: interrupted; nothing was written"
    assert process.returncode == 130
