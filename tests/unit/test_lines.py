# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that are put into a file end as the file's do, and replace what is there once."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.edit.lines import insert_lines, replace_text, with_line_ends_of
from patchgen.errors import RefusedError
from patchgen.model.base import Oid, TreeFile
from patchgen.model.plan import InsertLines, ReplaceText


@pytest.mark.parametrize("before", [True, False])
def test_lines_end_as_the_files_do(before):
    file = TreeFile(PurePosixPath("Kconfig"), "100644", Oid(""))
    edit = InsertLines(file, b"config NEW\n\tbool\n", ("config OLD",), before)
    for content in (b"config A\nconfig OLD\nb\n", b"config OLD\n", b"a\nconfig OLD"):
        crlf = content.replace(b"\n", b"\r\n")
        after = with_line_ends_of(crlf, insert_lines(crlf, edit))
        if b"\n" in content:
            assert after == insert_lines(content, edit).replace(b"\n", b"\r\n")


def test_a_file_with_both_line_ends_is_unchanged():
    assert with_line_ends_of(b"a\r\nb\n", b"a\r\nb\nc\n") == b"a\r\nb\nc\n"
    assert with_line_ends_of(None, b"a\n") == b"a\n"


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    file = TreeFile(PurePosixPath("Makefile"), "100644", Oid(""))
    return with_line_ends_of(content, replace_text(content, ReplaceText(file, old, new)))


@pytest.mark.parametrize(
    ("content", "old", "new", "after"),
    [
        (b"a\nb\nc\n", b"b\n", b"x\ny\n", b"a\nx\ny\nc\n"),
        (b"a\nb\nc\n", b"b\nc\n", b"", b"a\n"),
        (b"a\nb", b"b\n", b"b\n", b"a\nb\n"),
        (b"a\nb\n", b"b\n", b"c", b"a\nc"),
        (b"a\nb\n", b"a\n", b"c", b"c\nb\n"),
        (b"a\r\nb\r\n", b"a\n", b"c\nd\n", b"c\r\nd\r\nb\r\n"),
        (b"a\na\nb\n", b"a\nb\n", b"a\nc\n", b"a\na\nc\n"),
    ],
)
def test_lines_that_occur_once_are_replaced(content, old, new, after):
    assert replaced(content, old, new) == after


@pytest.mark.parametrize(
    ("content", "old", "message"),
    [
        (b"a\n", b"b\n", "Makefile: lacks the lines 'b'; it must have them exactly once"),
        (b"\n\tb\n\n\tb\n", b"\n\tb\n", "has the lines 'b' ... more than once"),
        (b"a\nab\n", b"b\n", "lacks the lines"),
    ],
)
def test_lines_that_do_not_occur_once_are_refused(content, old, message):
    with pytest.raises(RefusedError) as err:
        replaced(content, old, b"new\n")
    assert message in str(err.value)


def test_lines_that_were_added_already_are_not_added_again():
    once = replaced(b"a\nb\n", b"a\n", b"a\nnew\n")
    with pytest.raises(RefusedError, match=r"already has the lines 'a' \.\.\."):
        replaced(once, b"a\n", b"a\nnew\n")
