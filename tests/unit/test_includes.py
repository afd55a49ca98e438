# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers are found next to the files that are run, else in folders that are listed on demand."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.model.base import Oid
from patchgen.odb import Entry
from patchgen.sweep.includes import HeaderFinder, Includes, Listing

FILES = {
    name: ("100644", Oid(name))
    for name in ("fs/a/x.c", "fs/a/own.h", "fs/a/sub/deep.h", "lib/far.h", "include/linux/all.h")
} | {f"lib/n{number}/x.h": ("100644", Oid("")) for number in range(20)}


class Tree:
    """A tree that counts how often it is listed, and by which folder."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def below(self, paths) -> dict[str, Entry]:
        [folder] = map(str, paths)
        self.asked.append(folder)
        start = "" if folder == "." else f"{folder}/"
        return {name: entry for name, entry in FILES.items() if name.startswith(start)}


@pytest.fixture
def tree() -> Tree:
    return Tree()


def listing(tree: Tree, *paths: str) -> Listing:
    known = {name: FILES[name] for name in FILES if name.startswith(paths or "")}
    return Listing(known, tuple(map(PurePosixPath, paths)), tree.below)


def test_headers_next_to_the_files_need_no_listing(tree):
    files = listing(tree, "fs")
    assert files.find("fs/a/own.h") == "fs/a/own.h" and files.find("fs/a/gone.h") is None
    assert listing(tree).find("lib/gone.h") is None
    assert listing(tree, "fs/a/x.c").find("fs/a/x.c") == "fs/a/x.c"
    assert tree.asked == []


def test_another_folder_is_listed_once(tree):
    files = listing(tree, "fs")
    assert files.find("lib/far.h") == "lib/far.h"
    assert files.find("lib/gone.h") is None and files.find("lib/n3/x.h") is not None
    assert tree.asked == ["lib"]


def test_the_whole_tree_is_listed_where_folders_are_many(tree):
    files = listing(tree, "fs")
    assert all(files.find(f"lib/n{number}/x.h") is not None for number in range(20))
    assert files.find("include/linux/all.h") is not None
    assert len(tree.asked) < 12 and tree.asked[-1] == "."


@pytest.mark.parametrize("path", ["../x.h", "/etc/passwd"])
def test_what_is_not_in_a_tree_is_not_looked_for(tree, path):
    assert listing(tree, "fs").find(path) is None and tree.asked == []


@pytest.mark.parametrize(
    ("style", "found"),
    [
        (Includes.LOCAL, ["fs/a/own.h", "lib/far.h"]),
        (Includes.ALL, ["fs/a/own.h", "include/linux/all.h", "lib/far.h"]),
        (Includes.NONE, []),
    ],
)
def test_each_style_follows_includes_as_far_as_spatch(tree, style, found):
    source = (
        b'#include "own.h"\n#include "../../lib/far.h"\n#include <linux/all.h>\n#include "no"\n'
    )
    finder = HeaderFinder(style, listing(tree, "fs"), ("include",), lambda *_: b"")
    assert list(finder.find("fs/a/x.c", source)) == found
