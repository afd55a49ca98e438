# SPDX-License-Identifier: GPL-2.0-or-later
"""Any change of a text is stated as replacements that result in it, or has a reason."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, strategies as st

from patchgen.edit import replace_text, with_line_ends_of
from patchgen.model.base import Oid, TreeFile
from patchgen.model.plan import ReplaceText
from patchgen.newvariant.replacements import (
    NotTextError,
    escape_code,
    escape_prose,
    find_replacements,
)
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import render_text

FILE = TreeFile(PurePosixPath("a"), "100644", Oid(""))
# Few different lines, so that most of them occur several times.
LINES = st.lists(st.sampled_from([b"a", b"b", b"\tc", b"", b"}"]), max_size=12)


@st.composite
def contents(draw: st.DrawFn, ending: bytes) -> bytes:
    lines = draw(LINES)
    last = ending if draw(st.booleans()) else b""
    return ending.join(lines) + (last if lines else b"")


def make(before: bytes, after: bytes) -> bytes:
    content = before
    for each in find_replacements(FILE, before, after):
        edit = ReplaceText(FILE, each.old.encode(), each.new.encode())
        content = with_line_ends_of(content, replace_text(content, edit))
    return content


@given(contents(b"\n"), contents(b"\n"))
def test_replacements_result_in_the_other_text(before, after):
    if not before and after:
        with pytest.raises(NotTextError):
            make(before, after)
    else:
        assert make(before, after) == after


@given(contents(b"\r\n"), contents(b"\r\n"))
def test_with_other_line_ends_they_do_too_or_there_is_a_reason(before, after):
    try:
        assert make(before, after) == after
    except NotTextError as err:
        assert ("line ends" if before else "is empty before") in str(err)


def test_a_file_with_crlf_is_changed():
    assert make(b"a\r\nb\r\na\r\n", b"a\r\nc\r\na\r\n") == b"a\r\nc\r\na\r\n"


def test_very_many_changes_are_one_replacement():
    before = b"".join(b"same\n%d\n" % number for number in range(50))
    after = before.replace(b"same", b"other")
    assert make(before, after) == after
    [replacement] = find_replacements(FILE, before, after)
    assert replacement.old.startswith("same\n0\n") and replacement.old.endswith("\n48\nsame\n")


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (b"a\nb\xff\n", "text that is not UTF-8"),
        (b"a\nb\0\n", "is binary"),
        (b"a\nb\rc\n", "carriage returns"),
        (b"a\nb\r\n", "line ends"),
        (b"\xef\xbb\xbfa\nb\n", "byte order mark"),
    ],
)
def test_what_a_template_cannot_state_has_a_reason(after, reason):
    with pytest.raises(NotTextError, match=reason):
        make(b"a\nb\n", after)


def test_bytes_that_are_not_utf8_elsewhere_stay():
    assert make(b"\xff\na\nb\n", b"\xff\na\nc\n") == b"\xff\na\nc\n"


MARKS = st.text(st.sampled_from("{}%#<>= -\n\"'a"), max_size=30)


@pytest.mark.slow
@given(MARKS)
def test_a_template_of_any_text_results_in_it(tmp_path_factory, text):
    folder: Path = tmp_path_factory.mktemp("templates")
    (folder / "code").write_text(escape_code(text))
    (folder / "prose.txt.j2").write_text(escape_prose(text))
    for name in ("code", "prose.txt.j2"):
        assert render_text(name, [SourceFolder(folder)], {}) == text


@pytest.mark.parametrize("text", ["{{{% x %}", "{#{", "<%<%= a %>", "<<%# b", "x\n<%\n\n{{ a }}"])
def test_delimiters_of_templates_are_text(tmp_path, text):
    (tmp_path / "code").write_text(escape_code(text))
    (tmp_path / "prose.txt.j2").write_text(escape_prose(text))
    for name in ("code", "prose.txt.j2"):
        assert render_text(name, [SourceFolder(tmp_path)], {}) == text
