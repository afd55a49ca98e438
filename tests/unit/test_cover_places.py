# SPDX-License-Identifier: GPL-2.0-or-later
"""The places that a cover letter names are those of the series' trees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from patchgen.verify.cover_places import check_cover_places

BASE = b"""\
#define old(x) ({ x; })

int f(int x)
{
	return 1;
}

static int
g(int x)
{
	f(x);
	return old(x);
}

DEFINE_IDTENTRY(exc_h)
{
	f(1);
}
"""
# With two more lines at the top.
TIP = b"/* 1 */\n/* 2 */\n" + BASE
OF_TIP = "x: Do it\n\nThe calls, as looked up in the tree\nwith all patches on top:\n\n  "


def check(
    letter: str,
    base: Mapping[str, bytes] | None = None,
    tip: Mapping[str, bytes] | None = None,
) -> list[tuple[int, str]]:
    base, tip = base or {"lib/a.c": BASE}, tip or {"lib/a.c": TIP}
    return list(
        check_cover_places(
            letter, lambda path: base.get(str(path)), lambda path: tip.get(str(path))
        )
    )


@pytest.mark.parametrize(
    "place",
    [
        "lib/a.c:5 f()",
        "lib/a.c:7 f()",
        "lib/a.c:14 g()",
        "lib/a.c:20",
        # A call that the line has, a macro, and a function that a macro defines.
        "lib/a.c:13 f()",
        "lib/a.c:3 old()",
        "lib/a.c:19 exc_h()",
        # Not about these trees, or not about a file.
        "a.c:500",
        "/home/a/lib/b.c:5",
        "https://example.org/lib/b.c:5",
        "WARNING: at lib/b.c:500 f+0x10/0x20",
        "example.org:443",
        "semantic-patches/b.cocci:5",
        "../lib/b.c:5",
    ],
)
def test_accepts_places_of_either_tree(place):
    assert check(f"x: Do it\n\n  what: {place}\n({place}) and {place}, too\n") == []


def test_a_quote_may_be_about_any_version():
    assert check("x: Do it\n\nAda wrote:\n> lib/b.c:5 f() is wrong\n") == []


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("lib/b.c:5 f()", "the file does not exist"),
        ("lib/b/Kconfig:5", "the file does not exist"),
        ("lib/a.c:21", "the file has 20 lines"),
        ("lib/a.c:0", "the file has 20 lines"),
        ("lib/a.c:5 missing()", "the file does not define missing()"),
        ("lib/a.c:14 f()", "line 14 is not in f()"),
        ("lib/a.c:1 g()", "line 1 is not in g()"),
    ],
)
def test_finds_a_place_of_neither_tree(place, fault):
    text = f"{place} is neither in the base nor in the tree with all patches: {fault}"
    assert check(f"x: Do it\n\nText.\n  what: {place}:\n") == [(4, text)]


def test_a_list_of_the_tree_with_all_patches_is_not_looked_up_in_the_base():
    # In the base, line 10 is in g(); on top, it is above it.
    assert check(f"{OF_TIP}lib/a.c:14 g()\n") == []
    assert check("x: Do it\n\n  lib/a.c:10 g()\n") == []
    fault = "lib/a.c:10 g() is not in the tree with all patches: line 10 is not in g()"
    assert check(f"{OF_TIP}lib/a.c:10 g()\n") == [(6, fault)]
    # Text by a person, and what the base has already.
    assert check(f"{OF_TIP}lib/a.c:9\n\nIn the base, lib/a.c:10 g() is it.\n") == []


def test_a_name_in_assembler_is_looked_up_as_a_word():
    tree = {"lib/a.S": b"SYM_FUNC_START(f)\n\tret\nSYM_FUNC_END(f)\n"}
    assert check("x: Do it\n\n  lib/a.S:2 f()\n", tree, tree) == []
    [(_, text)] = check("x: Do it\n\n  lib/a.S:2 g()\n", tree, tree)
    assert text.endswith(": the file does not define g()")
