# SPDX-License-Identifier: GPL-2.0-or-later
"""The form of messages and series, as the tip tree wants it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.verify.lint import (
    check_commit,
    check_cover_subject,
    check_declarations,
    check_series,
)

SENDER = "Ada <ada@example.org>"
SIGNED = f"Signed-off-by: {SENDER}"
KNOWN = {"0123456789ab": "x86/kvm: Add what was wrong"}


def commit(message: str, oid: str = "1") -> Commit:
    files = (PurePosixPath("a.c"),)
    return Commit(Oid(oid), Oid("2"), SENDER, SENDER, message, files)


def list_problems(message: str) -> list[str]:
    return [f.text for f in check_commit(commit(message), KNOWN.get, SENDER) if f.failure]


def body(*trailers: str, text: str = "Because.") -> str:
    return "\n".join(["x86/kvm: Do it", "", text, "", *trailers]) + "\n"


@pytest.mark.parametrize(
    "message",
    [
        body(SIGNED),
        body('Fixes: 0123456789ab ("x86/kvm: Add what was wrong")', SIGNED),
        body("Reported-by: B <b@c>", "Closes: https://x/1", "Reported-by: D <d@c>", SIGNED),
        body("Co-developed-by: B <b@c>", "Signed-off-by: B <b@c>", SIGNED, "Reviewed-by: D <d@c>"),
        body(SIGNED, "Reviewed-by: D <d@c>", "Acked-by: E <e@c>", "Tested-by: F <f@c>"),
        body(SIGNED, text="    " + "a quoted line " * 8),
        body(SIGNED, text="https://example.org/" + "x" * 80),
        body("Signed-off-by: B <b@c>", SIGNED),
        "x86: kvm: Feed it\n\nBecause.\n\n" + SIGNED + "\n",
        "coccinelle: Apply isomorphisms to a.cocci\n\nBecause.\n\n" + SIGNED + "\n",
    ],
)
def test_accepts(message):
    assert list_problems(message) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (body().rstrip() + "\n", "Signed-off-by is missing"),
        (body("Signed-off-by: B <b@c>"), "the last Signed-off-by is B <b@c>, but the sender is"),
        (body(SIGNED, 'Fixes: 0123456789ab ("x86/kvm: Add what was wrong")'), "comes after"),
        (body("Reviewed-by: D <d@c>", SIGNED), "Signed-off-by: Ada <ada@example.org> comes after"),
        (body("Fixes: 0123", SIGNED), "12 digits of the commit id"),
        (body('Fixes: ba9876543210 ("x")', SIGNED), "is not a commit in the history of the base"),
        (body('Fixes: 0123456789ab ("x86: y")', SIGNED), 'has the subject "x86/kvm: Add what'),
        (body(SIGNED, text="word " * 16), "wrap the text at 75"),
        (body(SIGNED, text="It raises\n#UD."), "begins with '#'"),
        (body(SIGNED).replace("x86/kvm: Do", "Do"), "the subject has no subsystem prefix"),
        (body(SIGNED).replace("Do it", "Do " + "x" * 80), "the subject has 92 characters"),
        (body(SIGNED).replace("Do it", "do it"), "continues in lower case"),
        (body(SIGNED).replace("Do it", "Do it."), "ends with a period"),
        (body(SIGNED).replace("Do it", "Apply a_b.cocci"), "only names a semantic patch"),
        (body(SIGNED).replace("Do it", "Apply a-b.cocci in x.c"), "only names a semantic patch"),
        (body(SIGNED).replace("Do it", "Added it"), 'not in imperative mood: "Added"'),
        (body(SIGNED).replace("Do it", "Fixing it"), 'not in imperative mood: "Fixing"'),
    ],
)
def test_finds(message, problem):
    problems = list_problems(message)
    assert len(problems) == 1 and problem in problems[0], problems


def test_a_subject_and_a_line_may_have_75_characters_and_not_76():
    subject = "x86/kvm: Do ".ljust(75, "x")
    assert list_problems(body(SIGNED).replace("x86/kvm: Do it", subject)) == []
    assert list_problems(body(SIGNED).replace("x86/kvm: Do it", subject + "x")) == [
        "the subject has 76 characters; the limit is 75"
    ]
    line = "word " * 14 + "words"
    assert (len(line), list_problems(body(SIGNED, text=line))) == (75, [])
    assert list_problems(body(SIGNED, text=line + "x")) == [
        "the line has 76 characters; wrap the text at 75"
    ]


def diff(*lines: str) -> str:
    return "--- a/a.c\n+++ b/a.c\n@@ -1,1 +10,9 @@ x\n" + "\n".join(lines) + "\n"


def declared(*lines: str) -> list[tuple[str, str]]:
    findings = check_declarations(commit(body(SIGNED)), diff(*lines))
    return [
        (finding.where, finding.text.partition('"')[2].partition('"')[0]) for finding in findings
    ]


def test_added_declarations_in_reverse_fir_tree_order():
    head = ("+int f(void)", "+{")
    long, short = "+\tunsigned long start = first(), end;", "+\tint ret;"
    assert declared(*head, long, short, "+\treturn 0;", "+}") == []
    assert declared(*head, short, long, "+\treturn 0;", "+}") == [("a.c:13", long[2:])]
    # One that needs the other has to follow it.
    assert declared(*head, "+\tint a = 1;", "+\tunsigned long b = a + 1;", "+}") == []
    # What was there already is not this patch's.
    assert declared(" int f(void)", " {", " \tint ret;", long, "+\treturn 0;", " }") == []
    # Members of a type may have any order, and statements are not declarations.
    assert declared("+struct x {", short, long, "+};") == []
    assert declared(*head, "+\tgoto out;", "+\treturn something_longer;", "+}") == []


def test_a_declaration_is_reported_with_its_own_file_and_line():
    added = ("+\f", "+++ x;", "+int f(void)", "+{", "+\tint ret;", "+\tunsigned long start;")
    assert declared(*added, "+}") == [("a.c:15", added[-1][2:])]


def test_a_series_has_different_subjects():
    twice = [commit(body(SIGNED), str(n)) for n in range(2)]
    assert [f.text for f in check_series(twice)] == ['2 patches have the subject "x86/kvm: Do it"']
    many = [commit(body(SIGNED).replace("it", f"it {n}"), str(n)) for n in range(16)]
    assert [(f.failure, f.text[:10]) for f in check_series(many)] == [(False, "16 patches")]


def test_text_that_is_still_to_be_written_is_reported_with_its_place():
    problem = "replace EDITME and the text after it with your own"
    drafted = commit(body(SIGNED, text="Because.\nEDITME: describe the problem"))
    [finding] = check_commit(drafted, KNOWN.get, SENDER)
    assert (finding.text, finding.where, finding.failure) == (problem, "message:4", True)
    [finding] = check_series([commit(body(SIGNED))], "Do it\n\nEDITME: describe it\n")
    assert (finding.text, finding.where, finding.commit) == (problem, "cover letter:3", None)
    assert not list(check_series([commit(body(SIGNED))], "Do it\n\nBecause.\n"))


def test_the_subject_is_line_1_of_a_message():
    lines = ["x86/kvm: Do it", "", "Because.", "# one", "word " * 16, "EDITME: more", "", SIGNED]
    findings = list(check_commit(commit("\n".join(lines)), KNOWN.get, SENDER))
    assert sorted(finding.where for finding in findings) == ["message:4", "message:5", "message:6"]


X86, MM = commit(body(SIGNED)), commit(body(SIGNED).replace("x86/kvm", "mm"), "3")


@pytest.mark.parametrize(
    ("subject", "commits", "problem"),
    [
        ("x86: Do all of it", (X86,), ""),
        ("x86: all of it", (X86,), 'continues in lower case after the prefix: "all"'),
        ("Do all of it", (X86,), "the subject has no subsystem prefix"),
        ("Do all of it", (X86, MM), ""),
        ("treewide: Do all of it", (X86, MM), ""),
        ("x86: Apply a-b.cocci", (X86,), "only names a semantic patch"),
        ("Apply a-b.cocci", (X86, MM), "only names a semantic patch"),
        ("x86: Do all of it.", (X86,), "ends with a period"),
        ("x86: Did all, adding it", (X86,), ""),
        ("x86: Adding it", (X86,), 'not in imperative mood: "Adding"'),
        ("x86: Do " + "x" * 80, (X86,), "the limit is 75"),
    ],
)
def test_the_subject_of_the_cover_letter(subject, commits, problem):
    found = list(check_cover_subject(subject, commits, lambda commit: False))
    assert [problem in finding.text and finding.where for finding in found] == (
        ["cover letter"] if problem else []
    ), found


def test_the_cover_letter_may_continue_in_lower_case_where_a_patch_may():
    assert not list(check_cover_subject("x86: do it", (X86, MM), lambda commit: commit == MM))
