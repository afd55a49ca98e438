# SPDX-License-Identifier: GPL-2.0-or-later
"""A reroll of a variant's series on a base that took one of its patches, found by no probe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.small_variant import VARIANT, apply_small as apply, make_small_tree

RULES = """
[[patch]]
name = "free"
message = "free.txt.j2"
[[patch.rules]]
file = "free.cocci.j2"
on = {on}
{containing}
must_fire = {{ free = ">=1" }}
"""
LINES = """
[[patch]]
name = "old"
message = "free.txt.j2"
[[patch.replace]]
file = "x.c"
old = "old.txt"
new = "new.txt"
"""
GLOB = {"on": '"*.c"', "containing": 'containing = "kfree("'}
V1 = "patchgen/mine-v1"


@pytest.fixture
def tree(tmp_path, git) -> Path:
    return make_small_tree(tmp_path, git)


def add_patch(tree: Path, text: str) -> None:
    """Add a patch without a probe to the variant."""
    folder = tree.parent / "mine"
    files = {
        "manifest.toml": VARIANT["manifest.toml"] + text,
        "free.cocci.j2": "@free@\nexpression x;\nposition p;\n@@\n-kfree@p(x);\n+kvfree(x);\n",
        "free.txt.j2": "toy: Use kvfree\n\nIt frees more.\n",
        "old.txt": "\tkfree(p);\n",
        "new.txt": "\tkvfree(p);\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content)


@pytest.mark.parametrize(
    "text",
    [RULES.format(**GLOB), RULES.format(on='["x.c", "y.c"]', containing=""), LINES],
    ids=["no file has the tokens", "the rule finds nothing", "the lines are replaced"],
)
def test_a_patch_that_the_base_has_is_left_out_and_its_commit_is_named(patchgen, tree, git, text):
    add_patch(tree, text)
    apply(patchgen, tree)
    git(tree, "cherry-pick", V1)
    taken = git(tree, "rev-parse", "--short=12", "HEAD").strip()
    args = ("reroll", V1, "--tree", tree, "--onto", "master", "--json")
    result = patchgen(*args)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["patches"] == ["toy: Do it"]
    assert document["remarks"] == [
        f'dropped, the base has it, by {taken} ("toy: Use kvfree"): "toy: Use kvfree"'
    ]
    # The version without it is made again as well: its record names the patch.
    again = patchgen("reroll", "patchgen/mine-v2", "--tree", tree, "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["patches"] == ["toy: Do it"]
    git(tree, "cherry-pick", f"{V1}~1")
    refused = patchgen(*args, "--dry-run")
    assert refused.code == 1 and "[already-applied]" in refused.err


def test_new_places_of_a_patch_that_the_base_has_are_changed(patchgen, tree, git):
    add_patch(tree, RULES.format(**GLOB))
    apply(patchgen, tree)
    git(tree, "cherry-pick", V1)
    (tree / "z.c").write_text("void z(void *p)\n{\n\tkfree(p);\n}\n")
    git(tree, "add", "z.c")
    git(tree, "commit", "-q", "-m", "new place")
    result = patchgen("reroll", V1, "--tree", tree, "--onto", "master", "--json")
    assert json.loads(result.out)["patches"] == ["toy: Do it", "toy: Use kvfree"]
    assert git(tree, "diff", "--name-only", "patchgen/mine-v2~1", "patchgen/mine-v2") == "z.c\n"


@pytest.mark.parametrize("optional", [False, True])
def test_apply_leaves_out_a_patch_only_if_it_is_optional(patchgen, tree, git, optional):
    add_patch(tree, RULES.format(**GLOB).replace("\nmessage", "\noptional = true\nmessage", 1))
    manifest = tree.parent / "mine/manifest.toml"
    if not optional:
        manifest.write_text(manifest.read_text().replace("optional = true\n", ""))
    apply(patchgen, tree)
    git(tree, "cherry-pick", V1)
    result = patchgen(
        "apply", "--variant", tree.parent / "mine", "--tree", tree, "--force", "--json"
    )
    if optional:
        assert result.code == 0, result.err
        assert [patch["name"] for patch in json.loads(result.out)["patches"]] == ["kconfig"]
    else:
        assert result.code == 1
        assert "the base has no *.c with kfree( [base-lacks-needs]" in result.err
        assert "hint: `optional = true` leaves" in result.err and "`probe`" in result.err


@pytest.mark.parametrize(("on", "code"), [('"drivers/**/*.c"', 0), ('"drivers/x.c"', 1)])
def test_a_glob_of_an_optional_patch_may_have_no_file_but_a_path_may_not(patchgen, tree, on, code):
    text = RULES.format(on=on, containing="").replace("\nmessage", "\noptional = true\nmessage", 1)
    add_patch(tree, text)
    result = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert result.code == code, result.err
    assert ("the base has no drivers/x.c" in result.err) == bool(code)
