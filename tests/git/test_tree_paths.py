# SPDX-License-Identifier: GPL-2.0-or-later
"""A path of the tree is relative to the folder that --tree names, the current one by default."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from patchgen.cli.tree_options import resolve_paths
from patchgen.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path, git) -> Path:
    folder = tmp_path / "tree"
    (folder / "drivers/net").mkdir(parents=True)
    git(tmp_path, "init", "-q", folder)
    return folder


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [
        ("", "drivers/net", "drivers/net"),
        ("", ".", "."),
        ("", "./drivers//net/", "drivers/net"),
        ("drivers", "net/x.c", "drivers/net/x.c"),
        ("drivers", ".", "drivers"),
        ("drivers", "..", "."),
        ("drivers/net", "../../fs/x.c", "fs/x.c"),
        ("drivers/net", "*.c", "drivers/net/*.c"),
        ("drivers", "no/such", "drivers/no/such"),
    ],
)
def test_a_path_is_relative_to_the_folder_in_the_tree(tree, monkeypatch, folder, name, path):
    assert resolve_paths(tree / folder, [name]) == (PurePosixPath(path),)
    monkeypatch.chdir(tree / folder)
    assert resolve_paths(Path(), [name]) == (PurePosixPath(path),)


def test_an_absolute_path_in_the_tree_is_a_path_of_the_tree(tree):
    absolute = os.path.realpath(tree / "drivers/net")
    assert resolve_paths(tree / "drivers", [absolute]) == (PurePosixPath("drivers/net"),)


def test_the_paths_of_a_bare_repository_are_relative_to_its_top(tmp_path, git):
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    assert resolve_paths(tmp_path / "bare.git", ["fs"]) == (PurePosixPath("fs"),)
    with pytest.raises(UsageError, match="is not a path in the tree"):
        resolve_paths(tmp_path / "bare.git", ["../fs"])


@pytest.mark.parametrize("name", ["", "../..", "../../elsewhere", "/etc"])
def test_a_path_outside_of_the_tree_is_refused(tree, name):
    with pytest.raises(UsageError, match="is not a path in the tree"):
        resolve_paths(tree / "drivers", [name])


def test_a_link_out_of_the_tree_is_a_path_of_the_tree(tree):
    """git reads the path as it is written: the tree has a link at it."""
    (tree / "link").symlink_to("/etc")
    assert resolve_paths(tree, ["link/x.c"]) == (PurePosixPath("link/x.c"),)
    assert resolve_paths(tree, ["link/../fs"]) == (PurePosixPath("fs"),)
