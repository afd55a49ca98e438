# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts print about places, as Coccinelle's own library prints it."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.coccinelle.reports import ScriptOutput, read_context, read_reports
from patchgen.model.outcome import ReportedPlace

SOURCE = "int f(int x)\n{\n\tfoo(x);\n\tif (x)\n\t\tfoo(x +\n\t\t    1);\n\treturn 0;\n}\n"
RULE = """\
virtual report, org, context
@r@
expression e;
position p;
@@
* foo@p(e)
@script:python@
p << r.p;
e << r.e;
@@
"""
PATH = PurePosixPath("dir/a.c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/a.c").write_text(SOURCE)
    return tmp_path


def run(folder: Path, script: str, *options: str) -> str:
    (folder / "r.cocci").write_text(RULE + script)
    argv = [find_spatch().path, "--very-quiet", *options, "--sp-file", "r.cocci", "dir/a.c"]
    return subprocess.run(
        argv, cwd=folder, capture_output=True, check=True, stdin=subprocess.DEVNULL
    ).stdout.decode()


def test_reads_what_print_report_prints(folder):
    script = 'coccilib.report.print_report(p[0], "WARNING: foo on " + e)\nprint("and more")\n'
    output = read_reports(run(folder, script, "--no-show-diff"))
    assert output.other_text == "and more\n" * 2
    first, second = output.reports
    assert first == ReportedPlace(PATH, 3, 2, "WARNING: foo on x", end_line=3, end_column=5)
    assert (second.line, second.column) == (5, 3)
    assert SOURCE.splitlines()[2][1:4] == "foo"


def test_reads_what_org_mode_prints(folder):
    script = 'coccilib.org.print_todo(p[0], "foo")\ncocci.print_secs("see", p)\n'
    script += 'coccilib.org.print_safe_todo(p[0], "a[1]\\nb")\ncocci.print_main("main", p)\n'
    script += 'coccilib.org.print_link(p[0])\nprint("* a headline")\n'
    output = read_reports(run(folder, script, "--no-show-diff"))
    assert output.other_text == "* a headline\n" * 2
    where = {"end_line": 3, "end_column": 5}
    assert output.reports[:5] == tuple(
        ReportedPlace(PATH, 3, 2, text, **where)
        for text in ("foo", "see", "a@(1)\nb", "main dir/a.c::3", "dir/a.c::3")
    )
    assert len(output.reports) == 10


def test_reads_the_marks_of_context_mode(folder):
    assert read_context(run(folder, "pass\n")) == (
        ReportedPlace(PATH, 3, None, "foo(x);", end_line=4),
        ReportedPlace(PATH, 5, None, "foo(x +", end_line=6),
        ReportedPlace(PATH, 6, None, "1);", end_line=7),
    )
    prefixed = run(folder, "pass\n", "--patch", ".")
    assert [each.path for each in read_context(prefixed)] == [PATH, PATH, PATH]


def test_reads_marks_of_lines_that_look_like_headers():
    diff = "--- a.c\n+++ /tmp/x-a.c\n@@ -1,3 +1,2 @@ f\n a\n--- b.c\n c\n\\ No newline\n"
    diff += "diff -u x y\n--- d.c\n+++ /tmp/y-d.c\n@@ -7 +6,0 @@\n-x\n"
    assert read_context(diff) == (
        ReportedPlace(PurePosixPath("a.c"), 2, None, "-- b.c", end_line=3),
        ReportedPlace(PurePosixPath("d.c"), 7, None, "x", end_line=8),
    )


@pytest.mark.parametrize(
    ("line", "report"),
    [
        ("a.c:3:5-5: x", ReportedPlace(PurePosixPath("a.c"), 3, 6, "x")),
        ("a.c:3:5-2: x", ReportedPlace(PurePosixPath("a.c"), 3, 6, "x")),
        ("a.c:3:-1--1: x", ReportedPlace(PurePosixPath("a.c"), 3, None, "x")),
        ("a.c:3:0: x - y", ReportedPlace(PurePosixPath("a.c"), 3, 1, "x - y")),
        ("a.c:3: warning: x", ReportedPlace(PurePosixPath("a.c"), 3, None, "warning: x")),
        ("t/a b.c:3:0-1: x", ReportedPlace(PurePosixPath("t/a b.c"), 3, 1, "x", "", 3, 2)),
        ("/tt/a.c:3:0-1: ", ReportedPlace(PurePosixPath("/tt/a.c"), 3, 1, "", "", 3, 2)),
        (
            "a.c:3:0-1: x: 5:6-7: y",
            ReportedPlace(PurePosixPath("a.c"), 3, 1, "x: 5:6-7: y", "", 3, 2),
        ),
    ],
)
def test_reads_each_form_of_a_line(line, report):
    assert read_reports(line + "\n") == ScriptOutput((report,), "")


@pytest.mark.parametrize(
    "line",
    [
        "Something: 3: x",
        "time 10:20:30: x",
        "* TODO [[view:a.c::face=x::linb=1::colb=0::cole=1][not closed",
        "see [[view:a.c::face=x::linb=1::colb=0::cole=1][x]]",
        "<analysis>",
        'b\'<?xml version="1.0"?><analysis></analysis',
        "<analysis><!DOCTYPE x></analysis>",
        "<analysis><a></analysis>",
        "b'<?xml \\xzz</analysis>'",
        f"a.c:{'1' * 5000}:0-1: x",
        "",
        "  indented",
    ],
)
def test_other_output_is_unchanged(line):
    assert read_reports(f"{line}\n") == ScriptOutput((), f"{line}\n")


def test_indented_lines_belong_to_the_report_before_them():
    output = read_reports("one\na.c:1:0-1: x\n\tmore\n  and more \nrest\n  of it\nb.c:1:0-1: y")
    assert [each.text for each in output.reports] == ["x\n\tmore\n  and more", "y"]
    assert output.other_text == "one\nrest\n  of it\n"


@pytest.mark.parametrize("form", ["{}", "{!r}"])
def test_reads_the_xml_of_firehose(form):
    xml = (
        '<?xml version="1.0" encoding="utf-8"?>\n<analysis><results><issue><message>bad &lt; x'
        '</message><location><file given-path="/root/a.c"/><function name="f"/><range><point '
        'column="4" line="2"/><point column="9" line="3"/></range></location></issue>'
        '<issue><location><file/><point line="x"/></location></issue></results></analysis>'
    )
    text = xml if form == "{}" else form.format(xml.encode())
    output = read_reports(f"before\n{text}\nafter\n")
    report = ReportedPlace(PurePosixPath("/root/a.c"), 2, 5, "bad < x", end_line=3, end_column=10)
    assert output == ScriptOutput(
        (report, ReportedPlace(PurePosixPath(), 1, None, "")), "before\nafter\n"
    )
