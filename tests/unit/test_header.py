"""The metadata of a .cocci."""

from __future__ import annotations

import pytest

from patchgen.coccinelle.header import (
    Header,
    decode_cocci,
    find_references,
    read_header,
    read_own_options,
)
from patchgen.errors import SpecError
from patchgen.model.smpl import Mode

KERNEL = """\
// SPDX-License-Identifier: GPL-2.0-only
/// Find a use after free.
///
/// In two paragraphs.
//# Values may imply that a path is not possible,
//# which gives false hits.
// Confidence: Moderate
// Copyright: (C) 2012 Ada.
// Comments:
// Requires: 1.0.4
// Options: --no-includes --include-headers

virtual org // with a comment
virtual report, explain
virtual /* odd */
  patch
,
nsdeps

@free depends on report@
identifier virtual.ns;
expression E;
@@
 kfree(E, ns)
"""


def test_reads_the_header_that_kernel_scripts_have():
    assert read_header(KERNEL) == Header(
        purpose="Find a use after free.\n\nIn two paragraphs.",
        comments="Values may imply that a path is not possible,\nwhich gives false hits.",
        confidence="Moderate",
        options=("--no-includes", "--include-headers"),
        requires="1.0.4",
        modes=(Mode.PATCH, Mode.REPORT, Mode.ORG),
        virtuals=("explain", "nsdeps"),
        identifiers=("ns",),
    )


def test_a_text_without_metadata_has_an_empty_header():
    assert read_header("@@\n@@\n- f();\n") == Header()


def test_options_are_what_grep_and_cut_leave():
    text = "/*\n * Options: -D a: not this\n */\nint Options;\n//   Options:\n"
    assert read_header(text).options == ("-D", "a")


def test_virtual_names_stand_before_the_rules_and_outside_of_comments():
    text = "// virtual org\n/* virtual report */\n#spatch -D @\nvirtual context\n"
    text += "@r@\nidentifier x;\n@@\n virtual patch;\n"
    assert read_header(text).modes == (Mode.CONTEXT,)


@pytest.mark.parametrize(
    ("requires", "version", "met"),
    [
        ("1.0.4", "1.1.1", True),
        ("1.1.1", "1.1.1", True),
        ("1.0.10", "1.0.9", False),
        ("1.3", "1.1.1", False),
        ("1.0.0", "1.0.0-rc20", True),
        ("1.0.0-rc20", "1.0.0", False),
        ("1.1.1", "1.1.1-00523-gabcdef", True),
        ("1.1~1", "1.1", True),
        ("", "0.1", True),
    ],
)
def test_versions_are_ordered_as_sort_does(requires, version, met):
    assert Header(requires=requires).is_met_by(version) is met


def test_the_greatest_version_is_needed():
    assert read_header("// Requires: 1.0.9\n// Requires: 1.0.10\n").requires == "1.0.10"


def test_own_options_are_read_in_comments_as_well():
    lines = ["#spatch --c++", "/*", "\t# spatch -D a", "*/", "#spatch", "x #spatch -o y"]
    found = [(option.line, option.args) for option in read_own_options("\n".join(lines))]
    assert found == [(1, ("--c++",)), (3, ("-D", "a"))]
    assert read_header("\n".join(lines)).own_options == ("--c++", "-D", "a")


def test_other_files_are_named_before_the_rules():
    text = '#include "a@b.cocci"\nusing "x.iso" // using "y.iso"\nusing <std.iso>\n'
    text += '@r using "z.iso"@\n@@\n#include "never.cocci"\n f("using \\"q.iso\\"");\n'
    found = [(file.name, file.is_shipped) for file in find_references(text)]
    assert found[:1] == [("a@b.cocci", False)]
    assert found[1:] == [("x.iso", False), ("std.iso", True), ("z.iso", False)]


def test_windows_line_ends_become_line_feeds():
    text = decode_cocci(KERNEL.replace("\n", "\r\n").encode(), "a.cocci")
    assert text == KERNEL


def test_what_is_not_utf_8_is_refused_with_its_line():
    with pytest.raises(SpecError) as caught:
        decode_cocci(b"// one\r\n// Copyright: Andr\xe9\r\n@@\n", "dir/a.cocci")
    place = caught.value.place
    assert place is not None
    assert (place.file, place.line) == ("dir/a.cocci", 2)
    assert place.excerpt == "// Copyright: Andr\ufffd"
