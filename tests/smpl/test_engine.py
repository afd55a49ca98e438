# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan where spatch cannot finish never makes a patch with less in it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from patchgen.coccinelle import find_spatch
from patchgen.edit.engine import make_patches
from patchgen.errors import ToolError
from patchgen.model.plan import HitCount, PlannedPatch, RunRules
from patchgen.model.series import MadePatch
from patchgen.model.smpl import SemanticPatch
from tests.support.memory_tree import MemoryTree

# Each `...` of the second rule may end at any of the calls of SLOW: the paths multiply.
TEXT = (
    "@quick@\n@@\n-old();\n+new();\n"
    "@slow@\nexpression list es;\n@@\n f(...);\n" + "... when any\n f(...);\n" * 40 + "-g(es);\n"
)
QUICK = b"void quick(void)\n{\n\told();\n}\n"
SLOW = b"void slow(void)\n{\n%s}\n" % b"".join(
    b"\tif (a%d) f(%d); else g(%d);\n" % (n, n, n) for n in range(300)
)


def make(
    tree: MemoryTree, *, optional: bool, must_fire: Mapping[str, HitCount]
) -> tuple[MadePatch, ...]:
    run = RunRules(SemanticPatch("slow.cocci", TEXT), tree.files, must_fire)
    patch = PlannedPatch("one", None, "message.txt", (), edits=(run,), optional=optional)
    return make_patches((patch,), tree, find_spatch(), timeout_s=1)


def test_a_file_that_spatch_gives_up_on_is_not_left_out_of_a_patch():
    tree = MemoryTree({"a.c": QUICK, "b.c": SLOW, "c.c": QUICK})
    with pytest.raises(
        ToolError, match=r"patch one: slow\.cocci: spatch gave up on b\.c after 1 s"
    ):
        make(tree, optional=False, must_fire={"quick": HitCount(2)})


def test_an_optional_patch_does_not_vanish_where_spatch_gives_up():
    with pytest.raises(ToolError, match=r"spatch gave up on b\.c"):
        make(MemoryTree({"b.c": SLOW}), optional=True, must_fire={})
