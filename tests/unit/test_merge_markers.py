# SPDX-License-Identifier: GPL-2.0-or-later
"""A content that still has any marker of a conflict is not resolved."""

from __future__ import annotations

import pytest

from patchgen.odb import has_markers


@pytest.mark.parametrize("marker", ["<<<<<<< ours", "||||||| base", ">>>>>>> theirs"])
@pytest.mark.parametrize("content", ["{}\n", "int a;\n{}\nint b;\n", "int a;\n{}"], ids=repr)
def test_each_marker_alone_is_one(marker, content):
    assert has_markers(content.format(marker).encode())


@pytest.mark.parametrize(
    "line", [" <<<<<<< a", "<<<<<< a", "a >>>>>>> b", "=======", "x = y >>>>>>> 1"]
)
def test_what_only_looks_like_a_marker_is_none(line):
    assert not has_markers(f"{line}\n".encode())
