# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that are put into a file end as the file's do."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.edit.lines import insert_lines, with_line_ends_of
from patchgen.model.base import Oid, TreeFile
from patchgen.model.plan import InsertLines


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
