# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a report, as text: one file without markup from the tree, the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

from patchgen.audit.document import describe_audit
from patchgen.model.base import Oid
from patchgen.report.diff_lines import LineKind, read_file_diffs
from patchgen.report.result_lines import describe_results
from patchgen.report.results import AuditDocument, CheckResults
from tests.support.hostile_audit import hostile_audit
from tests.support.hostile_report import DIFF, LONG, hostile_page, hostile_report
from tests.support.hostile_status import MARKUP
from tests.support.html import read_html


def test_names_and_code_are_never_markup():
    page = hostile_page()
    reader = read_html(page)
    assert MARKUP not in page and "&lt;img src=x" in page
    assert reader.tags.count("script") == 1 and "img" not in reader.tags
    assert reader.handlers == []
    assert re.search(r"default-src (?:'|&#39;)none(?:'|&#39;); script-src (?:'|&#39;)sha256-", page)
    assert all(reference.startswith("#") for reference in reader.references)
    assert page == hostile_page()


def test_bytes_that_are_not_text_are_escaped():
    page = hostile_page()
    page.encode("utf-8")
    assert "caf\\xe9 \\u202e \\x1b[31m" in page and "café" in page
    assert not {"\u202e", "\x1b"} & set(page)


def test_a_very_long_line_is_cut_and_what_is_left_out_is_counted():
    page = hostile_page()
    assert LONG[:2000] in page and LONG[:2001] not in page
    assert "98000 more characters" in page


def test_a_check_that_was_not_run_is_not_left_out():
    text = " ".join(re.sub("<[^>]*>", " ", hostile_page()).split())
    assert "Verify not run : no result is recorded or given" in text
    assert "Audit not run : no result is given" in text
    assert "Leftovers not run : no result is given" in text


def test_the_diffs_of_many_patches_are_folded_and_their_semantic_patch_is_shown_once():
    few, many = hostile_page(), hostile_page(200)
    assert many.count("<article ") == 200 and "<details open>" in few
    assert 'class="file" open' in few and 'class="file" open' not in many
    assert few.count('class="smpl"') == many.count('class="smpl"') == 1


def test_an_audit_of_the_series_its_base_or_another_commit_is_named_so():
    series = hostile_report().series
    counts = "2 of 2 early sites bypass the op"
    for commit, tree, name in (
        ("b" * 40, "0" * 40, "the base"),
        ("1" * 40, "f" * 40, "the last patch"),
        ("2" * 40, "0" * 40, "another commit (222222222222)"),
    ):
        audit = replace(hostile_audit(), commit=commit)
        document = AuditDocument.model_validate(describe_audit(audit))
        trees = {Oid(commit): Oid(tree)}
        _, line, _ = describe_results(series, CheckResults(audit=document), trees)
        assert line.state == "done" and line.text.startswith(counts)
        assert line.text.endswith(f"on {name}, all branches")


def test_a_diff_is_read_with_all_its_files_and_lines():
    changed, odd, binary = read_file_diffs(DIFF)
    assert changed.path == f"drivers/{MARKUP}.c" and changed.notes == []
    lines = [line for block in changed.hunks[0].blocks for line in block.lines]
    assert [(line.kind.value, line.number) for line in lines] == [
        (" ", 1),
        ("-", 2),
        ("+", 2),
        ("+", 3),
        (" ", 4),
    ]
    assert [block.is_change for block in odd.hunks[0].blocks] == [True, False, True]
    assert (odd.count(LineKind.ADDED), odd.count(LineKind.REMOVED)) == (1, 1)
    assert binary.path == "logo.bin" and binary.hunks == []
    assert binary.notes == [
        "new file mode 100644",
        "Binary files /dev/null and b/logo.bin differ",
    ]


def test_the_part_of_a_line_that_differs_is_marked():
    head = "diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,2 @@\n"
    diff = f"{head}-\tret = old_call(a, b);\n-int x;\n+\tret = new_call(a, b);\n+long y;\n"
    [file] = read_file_diffs(diff.encode())
    marked = [line.text[line.begin : line.end] for block in file.blocks for line in block.lines]
    assert marked == ["old", "int x", "new", "long y"]
