# SPDX-License-Identifier: GPL-2.0-or-later
"""What a base has already is found out before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.errors import RefusedError
from patchgen.model.base import Base, Oid
from patchgen.spec import SeriesPlan, build_plan
from patchgen.spec.variant import load_variant
from tests.support.memory_tree import MemoryTree

MANIFEST = """\
schema = 1

[variant]
name = "mine"
title = "Mine"
cover = "text.j2"

[[patch]]
name = "both"
message = "text.j2"
probe = [
  { file = "a.c", tokens = "new_call (" },
  { file = "b.c", tokens = "new_call (" },
]

[[patch.new_files]]
path = "new.c"
template = "text.j2"
"""


def plan(folder: Path, contents: dict[str, bytes], manifest: str = MANIFEST) -> SeriesPlan:
    (folder / "manifest.toml").write_text(manifest)
    (folder / "text.j2").write_text("toy: Do it\n")
    variant, base = load_variant(folder), Base(Oid("1"), Oid("2"), "v6.1", "6.1.0")
    return build_plan(variant, [], base, MemoryTree(contents), {}, folder)


@pytest.mark.parametrize("absent", ["a.c", "b.c"])
def test_a_patch_that_is_there_by_half_is_made(tmp_path, absent):
    contents = {"a.c": b"new_call(1);\n", "b.c": b"\nnew_call(2);\n"}
    [there] = plan(tmp_path, contents).patches
    assert str(there.present_at) == "a.c:1" and there.edits == ()
    [half] = plan(tmp_path, contents | {absent: b"old_call();\n"}).patches
    assert half.present_at is None and len(half.edits) == 1


NEEDS = """\
[[needs]]
file = "c.c"
tokens = "helper ("
reason = "the patch calls it"

"""


def test_the_needs_of_a_patch_are_checked_if_the_base_has_half_of_it(tmp_path):
    manifest = MANIFEST.replace("[[patch]]", NEEDS + "[[patch]]", 1)
    contents = {"a.c": b"new_call(1);\n", "b.c": b"new_call(2);\n", "c.c": b""}
    assert len(plan(tmp_path, contents, manifest).patches) == 1
    with pytest.raises(RefusedError, match=r"c\.c lacks `helper \(`: the patch calls it"):
        plan(tmp_path, contents | {"b.c": b""}, manifest)
