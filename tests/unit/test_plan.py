# SPDX-License-Identifier: GPL-2.0-or-later
"""What a base has already is found out before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.errors import RefusedError, SpecError
from patchgen.model.base import Base, Oid
from patchgen.model.plan import ReplaceText
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


def without_probe(table: str) -> str:
    """Return the manifest with another table in place of the probe and the new file."""
    return MANIFEST[: MANIFEST.index("probe")] + table


NEW_FILES = """
[[patch.new_files]]
path = "new.c"
template = "text.j2"

[[patch.new_files]]
path = "lib/other.c"
template = "text.j2"
"""


def test_a_patch_without_a_probe_is_there_if_its_new_files_are(tmp_path):
    manifest = without_probe(NEW_FILES)
    [patch] = plan(tmp_path, {"a.c": b""}, manifest).patches
    assert patch.present_at is None and len(patch.edits) == 2
    [patch] = plan(tmp_path, {"new.c": b"x", "lib/other.c": b"y"}, manifest).patches
    assert str(patch.present_at) == "new.c:1"
    with pytest.raises(RefusedError, match=r"cannot add new\.c: the base already has it"):
        plan(tmp_path, {"new.c": b"x"}, manifest)


LINES = """
[[patch.lines]]
file = "Kconfig"
template = "text.j2"
after = "config A"
"""


def test_lines_without_a_probe_are_refused_as_they_would_be_added_twice(tmp_path):
    with pytest.raises(SpecError, match=r"patch\[1\].*needs a `probe`.*such as"):
        plan(tmp_path, {"Kconfig": b"config A\n"}, without_probe(LINES))
    [patch] = plan(tmp_path, {"Kconfig": b"config A\n"}, without_probe(LINES + NEW_FILES)).patches
    assert len(patch.edits) == 3


REPLACE = """
[[patch.replace]]
file = "Kconfig"
old = "old"
new = "text.j2"
"""


def test_the_lines_to_replace_are_not_empty(tmp_path):
    (tmp_path / "old").write_text("config A\n")
    [patch] = plan(tmp_path, {"Kconfig": b"config A\n"}, without_probe(REPLACE)).patches
    assert [type(edit) for edit in patch.edits] == [ReplaceText]
    (tmp_path / "old").write_text("")
    with pytest.raises(
        SpecError, match=r"manifest\.toml:14: patch\[1\]\.replace\[1\]\.old: is empty"
    ):
        plan(tmp_path, {"Kconfig": b"config A\n"}, without_probe(REPLACE))


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
