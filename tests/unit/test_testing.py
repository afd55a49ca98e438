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
def test_what_is_put_in_can_be_taken_out_again(above, below, words, summary):
    row = [] if words is None else [f"  Base:    v6.1\n{ROW}{words}"]
    cover = letter("\n\n".join([above, *row, below]) + "\n")
    put, record = put_testing(cover, RECORD, summary, "1")
    assert " ".join(summary.split()) in " ".join(put.body.split())
    assert "not yet" not in put.body and (words in (None, "not yet") or words in put.body)
    assert take_out_testing(put, record) == (cover, RECORD)
    # A second one replaces the first.
    again, record = put_testing(put, record, "something else", "2")
    assert take_out_testing(again, record) == (cover, RECORD)


def test_what_b4_or_somebody_wrapped_anew_is_found():
    cover = letter(f"Body.\n\n  Base:    v6.1\n{ROW}not yet\n\nMore.\n")
    put, record = put_testing(cover, RECORD, "builds " * 30, "1")
    wrapped = replace(put, body=textwrap.fill(record.testing.text, 40) + "\n\nMore.\n")
    out, _ = take_out_testing(wrapped, record)
    assert "builds" not in out.body and "More." in out.body


def test_the_words_that_somebody_changed_stay():
    cover = letter(f"Body.\n\n{ROW}not yet\n")
    put, record = put_testing(cover, RECORD, "builds as x86_64", "1")
    edited = replace(put, body=put.body.replace("builds as x86_64", "builds as x86_64, I saw it"))
    assert "I saw it" in take_out_testing(edited, record)[0].body


def test_only_what_passed_without_a_remark_is_said_to_be_tested():
    columns = ("lint", "checkpatch", "am", "x86_64", "i386", "sections", "code", "boot")
    said = describe_testing(columns, [])
    assert "for x86_64 and i386 (gcc" in said and "no new section mismatch" in said
    assert "checkpatch --strict is clean" in said
    assert "boots in QEMU, without SEV and TDX" in said
    assert ", WERROR=0)" in describe_testing(columns, [], ["WERROR=0"])
    notes = [
        Finding("build", "the base does not build", config="i386", failure=False),
        Finding("checkpatch", "the base has no checkpatch.pl", failure=False),
        Finding("build", "no configuration builds it", where="a.c", failure=False),
    ]
    said = describe_testing(columns, notes)
    assert "for x86_64 (gcc" in said and "i386" not in said and "checkpatch" not in said
    assert "no configuration builds a.c" in said


@pytest.mark.parametrize("columns", [(), ("lint", "am"), ("lint", "am", "code"), ("sections",)])
def test_checks_of_the_form_alone_are_not_a_test(columns):
    assert describe_testing(columns, []) == ""
