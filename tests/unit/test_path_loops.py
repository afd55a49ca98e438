# SPDX-License-Identifier: GPL-2.0-or-later
"""A loop of symbolic links is a path like others that cannot be opened, and never a bug."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "patchgen"


def test_no_module_resolves_paths_in_the_way_that_raises_for_a_loop():
    """Path.resolve() raises RuntimeError for a loop (Python 3.11); os.path.realpath() does not."""
    found = [
        f"{path}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(".resolve")
        and not node.args
        and "__file__" not in ast.unparse(node)
    ]
    assert found == []


def test_a_loop_in_the_place_of_the_output_is_named(patchgen, toy, git):
    (toy / "outgoing").symlink_to("outgoing")
    done = patchgen("apply", "--variant", "pvops", "--backend", "sev", "--tree", toy)
    assert (done.code, done.out) == (1, "")
    assert str(toy / "outgoing") in done.err and len(done.err.splitlines()) <= 2
    assert git(toy, "branch", "--format=%(refname:short)").split() == ["master"]
