"""MAINTAINERS: which section has a file, by the rules that stand at its top."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.kernel import parse_maintainers

TEXT = """\
List of maintainers
===================

Descriptions of section entries
-------------------------------
	M: *Mail* patches to: FullName <address@domain>
	F: *Files* and directories wildcard patterns.

Maintainers List
----------------

NETWORKING DRIVERS
M:	Jane Doe <jane@example.org>
M:	John Roe <john@example.org>
L:	netdev@vger.example.org
S:	Maintained
F:	drivers/net/
X:	drivers/net/wireless/

NETWORKING DRIVERS (WIRELESS)
M:	Wim Less <wim@example.org>
F:	drivers/net/wireless

ACME ETHERNET
M:	Ada Acme <ada@example.org>
F:	drivers/net/ethernet/acme/*
F:	include/linux/acme?.h

SOC ZORK
M:	Zork <zork@example.org>
N:	zork[0-9]

THE REST
M:	Linus <linus@example.org>
F:	*
F:	*/
"""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("drivers/net/tun.c", "NETWORKING DRIVERS"),
        ("drivers/net/ethernet/other/x.c", "NETWORKING DRIVERS"),
        ("drivers/net/ethernet/acme/x.c", "ACME ETHERNET"),
        # `*` stays within a folder.
        ("drivers/net/ethernet/acme/sub/x.c", "NETWORKING DRIVERS"),
        ("include/linux/acme1.h", "ACME ETHERNET"),
        ("include/linux/acme12.h", None),
        # A folder without a slash is one all the same; X: takes it out of the other.
        ("drivers/net/wireless/a/b.c", "NETWORKING DRIVERS (WIRELESS)"),
        ("drivers/netfoo/a.c", None),
        ("arch/arm/boot/zork7.c", "SOC ZORK"),
        ("kernel/fork.c", None),
    ],
)
def test_the_deepest_pattern_says_whose_a_file_is(path, name):
    section = parse_maintainers(TEXT).find(PurePosixPath(path))
    assert (section.name if section else None) == name


def test_a_section_has_its_people_and_lists():
    section = parse_maintainers(TEXT).find(PurePosixPath("drivers/net/tun.c"))
    assert section is not None
    assert section.maintainers == ("Jane Doe <jane@example.org>", "John Roe <john@example.org>")
    assert section.lists == ("netdev@vger.example.org",)


def test_a_regular_expression_that_python_lacks_is_taken_literally():
    text = "ODD\nM:\ta@example.org\nN:\ta(?|b\n"
    assert parse_maintainers(text).find(PurePosixPath("x/a(?|b.c")) is not None
    assert parse_maintainers(text).find(PurePosixPath("x/ab.c")) is None


def test_what_is_no_section_is_left_out():
    assert parse_maintainers("").find(PurePosixPath("a.c")) is None
    assert parse_maintainers("prose\n\nM: x\nF: a.c\n").find(PurePosixPath("a.c")) is None
