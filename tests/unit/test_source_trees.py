# SPDX-License-Identifier: GPL-2.0-or-later
"""Which git tree takes the patches for a file, by MAINTAINERS."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.kernel import FileTrees, SectionMatcher, match_trees, parse_maintainers
from patchgen.kernel.source_trees import parse_tree

MAINTAINERS = """\
NETWORKING
M:	Ada <ada@example.org>
L:	netlist@example.org
T:	git git://git.example.org/net/netwk.git
T:	git git://git.example.org/net/netwk-next.git
F:	drivers/net/
F:	net/
X:	drivers/net/own/

ONE DRIVER'S AUTHOR
M:	Bob <bob@example.org>
L:	netlist@example.org
T:	git https://forge.example.com/bob/adapter.git
F:	drivers/net/usb/adapter.*

ANOTHER DRIVER WITH A FOLDER
M:	Cid <cid@example.org>
T:	git https://forge.example.com/cid/card.git
F:	drivers/net/card/

RADIO
M:	Dan <dan@example.org>
T:	git https://git.example.org/radio/linux.git/ for-next
F:	drivers/net/radio/

RADIO ONE
M:	Eve <eve@example.org>
F:	drivers/net/radio/one/

RADIO TWO
M:	Fay <fay@example.org>
T:	git git://git.example.org/radio/linux.git other
F:	drivers/net/radio/two/

OLD NETWORK HARDWARE
M:	Gil <gil@example.org>
L:	netlist@example.org
F:	drivers/oldnet/

ANOTHER NET
L:	netlist@example.org
T:	git git://git.example.org/net/netwk-next.git
F:	lib/netwk*

THE REST
M:	Lin <lin@example.org>
L:	linux-kernel@vger.kernel.org
T:	git git://git.example.org/all/linux.git
F:	*
F:	*/
"""


def match(*names: str) -> FileTrees:
    matcher = SectionMatcher(parse_maintainers(MAINTAINERS))
    return match_trees(matcher, [PurePosixPath(name) for name in names])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("drivers/net/a.c", "netwk-next"),
        ("drivers/net/usb/adapter.c", "netwk-next"),
        ("drivers/net/card/c.c", "netwk-next"),
        ("drivers/net/radio/r.c", "radio"),
        ("drivers/net/radio/one/r.c", "radio"),
        ("drivers/net/radio/two/r.c", "radio"),
        ("drivers/net/own/o.c", "netwk-next"),
        ("drivers/oldnet/x.c", "netwk-next"),
        ("lib/netwk_helpers.c", "netwk-next"),
        ("lib/other.c", None),
    ],
)
def test_an_authors_own_tree_takes_no_patches_in_the_folder_of_a_subsystem(path, name):
    tree = match(path).find_tree(PurePosixPath(path))
    assert (tree and tree.name) == name


def test_the_trees_of_a_file_are_claimed_from_the_deepest_section_on():
    path = PurePosixPath("drivers/net/card/c.c")
    claims = match(str(path)).claims[path]
    assert [(claim.tree.name, claim.takes) for claim in claims] == [
        ("card", False),
        ("netwk-next", True),
    ]
    assert "cid@example.org" in claims[0].people


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("git git://git.kernel.org/pub/scm/a/b.git", "git https://git.kernel.org/pub/scm/a/b/"),
        ("git git://h.org/a/b-next.git", "git git://h.org/a/b.git fixes"),
        ("git git://h.org/a/b.git", "git://h.org/a/b.git"),
    ],
)
def test_a_tree_is_the_same_however_it_is_spelt(one, other):
    first, second = parse_tree(one), parse_tree(other)
    assert first is not None and second is not None and first.key == second.key


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("git git://git.kernel.org/pub/scm/linux/kernel/git/tip/tip.git x86/core", "tip"),
        ("git https://gitlab.freedesktop.org/drm/misc/kernel.git", "drm-misc"),
        ("git git://git.kernel.org/pub/scm/linux/kernel/git/mkl/linux-can-next.git", "can-next"),
        ("git git://git.kernel.org/pub/scm/linux/kernel/git/s390/linux.git", "s390"),
        ("quilt http://h.org/~ada/patches", "patches"),
    ],
)
def test_a_tree_has_a_short_name(value, name):
    tree = parse_tree(value)
    assert tree is not None and tree.name == name


def test_a_tree_line_without_a_location_is_none():
    assert parse_tree("git") is None and parse_tree("") is None
