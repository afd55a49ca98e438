# SPDX-License-Identifier: GPL-2.0-or-later
"""The line of a cover letter that says what was tested."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from patchgen.model.base import Oid
from patchgen.model.finding import Finding
from patchgen.model.series import Cover
from patchgen.series import Record, put_testing, take_out_testing
from patchgen.verify.record_testing import describe_testing

RECORD = Record(variant="v", revision=1, base=Oid("0"), describe="v6.1")
ROW = "  Tested:  "
PARAGRAPH = st.text("abc .:;\n ", min_size=1, max_size=60).map(
    lambda text: "\n".join(line.strip() for line in text.split("\n") if line.strip()) or "x"
)


def letter(body: str) -> Cover:
    return Cover("s", body)


@given(PARAGRAPH, PARAGRAPH, st.sampled_from(["not yet", "by me, in a guest", None]), PARAGRAPH)
def test_the_line_about_testing_can_be_removed_again(above, below, text, summary):
    row = [] if text is None else [f"  Base:    v6.1\n{ROW}{text}"]
    cover = letter("\n\n".join([above, *row, below]) + "\n")
    changed, record = put_testing(cover, RECORD, summary, "1")
    assert " ".join(summary.split()) in " ".join(changed.body.split())
    assert "not yet" not in changed.body and (text in (None, "not yet") or text in changed.body)
    assert take_out_testing(changed, record) == (cover, RECORD)
    # A second one replaces the first.
    again, record = put_testing(changed, record, "something else", "2")
    assert take_out_testing(again, record) == (cover, RECORD)


def test_a_line_rewrapped_by_b4_or_by_hand_is_recognised():
    cover = letter(f"Body.\n\n  Base:    v6.1\n{ROW}not yet\n\nMore.\n")
    changed, record = put_testing(cover, RECORD, "builds " * 30, "1")
    wrapped = replace(changed, body=textwrap.fill(record.testing.text, 40) + "\n\nMore.\n")
    out, _ = take_out_testing(wrapped, record)
    assert "builds" not in out.body and "More." in out.body


def test_text_edited_by_hand_is_preserved():
    cover = letter(f"Body.\n\n{ROW}not yet\n")
    changed, record = put_testing(cover, RECORD, "builds as x86_64", "1")
    edited = replace(
        changed, body=changed.body.replace("builds as x86_64", "builds as x86_64, I saw it")
    )
    assert "I saw it" in take_out_testing(edited, record)[0].body


def test_only_checks_without_findings_are_recorded_as_passed():
    columns = ("lint", "checkpatch", "am", "x86_64", "i386", "sections", "code", "boot")
    summary = describe_testing(columns, [])
    assert "for x86_64 and i386 (gcc" in summary and "no new section mismatch" in summary
    assert "checkpatch --strict is clean" in summary
    assert "boots in QEMU, without SEV and TDX" in summary
    assert ", WERROR=0)" in describe_testing(columns, [], ["WERROR=0"])
    notes = [
        Finding("build", "the base does not build", config="i386", failure=False),
        Finding("checkpatch", "the base has no checkpatch.pl", failure=False),
        Finding("build", "no configuration builds it", where="a.c", failure=False),
    ]
    summary = describe_testing(columns, notes)
    assert "for x86_64 (gcc" in summary and "i386" not in summary and "checkpatch" not in summary
    assert "; not built: a.c;" in summary


def test_a_file_that_was_not_built_is_named_once():
    notes = [
        Finding("build", "not checked", Oid(commit), where, failure=False)
        for commit, where in (("1", "b.c"), ("2", "a.c"), ("3", "b.c"))
    ]
    assert describe_testing(("x86_64",), notes).endswith("; not built: a.c, b.c")


@pytest.mark.parametrize("columns", [(), ("lint", "am"), ("lint", "am", "code"), ("sections",)])
def test_checks_of_the_form_alone_are_not_a_test(columns):
    assert describe_testing(columns, []) == ""
