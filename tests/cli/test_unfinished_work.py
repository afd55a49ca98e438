# SPDX-License-Identifier: GPL-2.0-or-later
"""A series does not have the work on its branch that is not committed; the commands say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.small_variant import apply_small as apply, make_small_tree

V1 = "patchgen/mine-v1"
COMMANDS = (
    ("format", V1),
    ("reroll", V1, "--dry-run"),
    ("send", V1, "--dry-run", "--skip-checks", "--to=list@example.org"),
)
REBASE = f"a rebase of {V1} has not ended"
CHANGES = f"{V1} is checked out, and x.c has changes that are not committed"


@pytest.fixture
def tree(tmp_path, git, patchgen) -> Path:
    top = make_small_tree(tmp_path, git)
    apply(patchgen, top)
    return top


@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
def test_changes_of_tracked_files_are_reported_on_their_branch_only(patchgen, git, tree, command):
    def run() -> str:
        done = patchgen(*command, "--tree", tree)
        assert "[" not in done.err, done.err
        return done.err

    (tree / "x.c").write_text("int changed;\n")
    assert "not committed" not in run()
    git(tree, "switch", "-q", V1)
    assert CHANGES in run()
    git(tree, "add", "x.c")
    assert CHANGES in run()
    git(tree, "reset", "-q", "--hard")
    # Another time of the file is no change, and neither is a file that git does not track.
    os.utime(tree / "x.c", (1, 1))
    (tree / "new.c").write_text("int new;\n")
    assert "not committed" not in run() and "rebase" not in run()
    (tree / "x.c").unlink()
    assert CHANGES in run()


@pytest.mark.parametrize("command", COMMANDS, ids=[command[0] for command in COMMANDS])
@pytest.mark.parametrize("linked", [False, True])
def test_a_rebase_that_has_not_ended_is_reported(patchgen, git, tree, command, linked):
    top = tree
    if linked:
        top = tree.parent / "linked"
        git(tree, "worktree", "add", "-q", top, V1)
    git(top, "-c", "sequence.editor=sed -i 1s/pick/edit/", "rebase", "-q", "-i", f"{V1}~1", V1)
    done = patchgen(*command, "--tree", tree)
    assert REBASE in done.err
    git(top, "rebase", "--abort")
    assert REBASE not in patchgen(*command, "--tree", tree).err
