# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that git refuses are refused here: git itself is the measure."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, strategies as st

from patchgen.model.treepath import refuse_new_path, refuse_tree_path
from tests.support.examples import examples

_EMPTY = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


@pytest.fixture(scope="module")
def repository() -> Path:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        for key in ("core.protectHFS", "core.protectNTFS"):
            subprocess.run(["git", "-C", folder, "config", key, "true"], check=True)
        yield Path(folder)


def git_accepts(repository: Path, path: str, mode: str) -> bool:
    (repository / ".git/index").unlink(missing_ok=True)
    entry = f"{mode} {_EMPTY}\t".encode() + os.fsencode(path) + b"\0"
    command = ["git", "-C", repository, "update-index", "-z", "--index-info"]
    done = subprocess.run(command, input=entry, capture_output=True, check=False)
    listed = subprocess.run(
        ["git", "-C", repository, "ls-files", "-z"], capture_output=True, check=True
    )
    assert done.returncode == 0 or not listed.stdout
    return bool(listed.stdout)


_PIECES = [
    *[
        ".git",
        ".GIT",
        ".Git",
        "git~1",
        "GIT~1",
        "git~2",
        ".gitmodules",
        ".gitMODULES",
        "gitmod~1",
        "gitmod~4",
        "gitmod~5",
    ],
    *["gi7eba~1", "gi7e~123", "GI7EB~12", "~1234567", "gi7eba~0", "::$INDEX_ALLOCATION", "modules"],
    *[".", "..", "/", "\\", ":", "a", "g", "i", "t"],
    *(" ", "\u200c", "\u202e", "\ufeff", "\u200b", "\u0130", "\udcff", "\n", "é"),
]


@examples(150, *HealthCheck)
@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=5).map("".join))
@example(".g\u200cit")
@example("a/.GIT\udcff/x")
@example("a/git~1 . :x")
@example("a\\.git")
@example(".gitmodules\\")
@pytest.mark.parametrize("mode", ["100644", "120000"])
def test_the_rule_is_gits(repository, mode, path):
    accepted = refuse_tree_path(path, mode) is None
    # Less is accepted here: git does not look at what follows a backslash that begins a name, and
    # for a link it looks for .gitmodules in the last name only.
    if accepted or (mode == "100644" and "/\\" not in "/" + path):
        assert accepted == git_accepts(repository, path, mode), path


@pytest.mark.parametrize(
    "path",
    [
        *[
            "/a",
            "a/",
            "a//b",
            "./a",
            "a/./b",
            "../a",
            "a/..",
            ".git/hooks/post-commit",
            ".GIT/x",
            "git~1/x",
            ".git./x",
        ],
        *("", ".git /x", "a/.git", ".git::$INDEX_ALLOCATION/x", "a\\b", "a\nb", "a\0b"),
        *("a\x1bb", "a\u202eb", "x" * 256, "a/" * 2100 + "b", "a\udcffb"),
    ],
    ids=lambda path: ascii(path)[:30],
)
def test_a_manifest_names_no_path_that_somebody_cannot_check_out(path):
    assert refuse_new_path(path) is not None


@pytest.mark.parametrize(
    "path", ["a", "arch/x86/Kconfig", ".gitignore", "git~/x", "a.git", "é/b c"]
)
def test_other_paths_are_fine(path):
    assert refuse_new_path(path) is None


@pytest.mark.parametrize(
    "path", [".gitmodules", ".GitModules", "gitmod~1", "GI7EBA~1", "a/gi7eba~2"]
)
def test_a_link_in_the_place_of_gitmodules_is_refused_as_git_does(repository, path):
    assert refuse_tree_path(path, "120000") is not None
    assert not git_accepts(repository, path, "120000")
