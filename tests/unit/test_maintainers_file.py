# SPDX-License-Identifier: GPL-2.0-or-later
"""MAINTAINERS: which section has a file, by the rules that stand at its top."""

from __future__ import annotations

import pytest

from patchgen.kernel import SectionMatcher, parse_maintainers
from patchgen.kernel.section_match import REST

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


def owner(text: str, path: str) -> str | None:
    """Return the name of the section that a path belongs to first, None for THE REST."""
    sections = SectionMatcher(parse_maintainers(text)).find([path]).by_path[path]
    return next((section.name for section in sections if section.name != REST), None)


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
def test_the_section_with_the_deepest_pattern_owns_a_file(path, name):
    assert owner(TEXT, path) == name


def test_a_section_has_its_people_and_lists():
    sections = SectionMatcher(parse_maintainers(TEXT)).find(["drivers/net/tun.c"])
    section = sections.by_path["drivers/net/tun.c"][0]
    assert section.maintainers == ("Jane Doe <jane@example.org>", "John Roe <john@example.org>")
    assert section.lists == ("netdev@vger.example.org",)


def test_text_outside_of_sections_is_left_out():
    assert owner("", "a.c") is None
    assert owner("prose\n\nprose\n", "a.c") is None
