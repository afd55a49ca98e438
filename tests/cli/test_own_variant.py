# SPDX-License-Identifier: GPL-2.0-or-later
"""The series of a variant of the user's own, in a folder to which its name does not lead."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.small_variant import add_optional_patch, apply_small as apply, make_small_tree

V1 = "patchgen/mine-v1"


@pytest.fixture
def tree(tmp_path, git) -> Path:
    return make_small_tree(tmp_path, git)


def reroll(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    result = patchgen("reroll", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def replace_in_cover(git, tree: Path, branch: str, old: str, new: str) -> None:
    """Change the text of a branch's cover letter, as a stranger who wrote it could."""
    cover = git(tree, "show", "-s", "--format=%B", f"{branch}~1")
    assert old in cover
    args = ("-p", f"{branch}~2", "-m", cover.replace(old, new), f"{branch}~2^{{tree}}")
    below = git(tree, "commit-tree", *args).strip()
    patch = git(tree, "show", "-s", "--format=%B", branch)
    tip = git(tree, "commit-tree", "-p", below, "-m", patch, f"{branch}^{{tree}}").strip()
    git(tree, "update-ref", f"refs/heads/{branch}", tip)


@pytest.mark.parametrize("named", ["mine", "./mine", "{parent}/mine"])
def test_the_printed_reroll_works_in_another_folder(patchgen, tree, named):
    args = ("apply", "--variant", named.format(parent=tree.parent), "--tree", tree)
    made = patchgen(*args, cwd=tree.parent)
    assert made.code == 0, made.err
    document = reroll(patchgen, tree, V1)
    assert document["branch"] == "patchgen/mine-v2"
    assert "variant" not in " ".join(document["warnings"])
    assert reroll(patchgen, tree, "patchgen/mine-v2")["branch"] == "patchgen/mine-v3"
    status = patchgen("status", V1, "--tree", tree, "--onto", "master")
    assert "--variant" not in status.err


def test_a_variant_below_the_current_folder_is_found_from_elsewhere(patchgen, tree):
    (tree.parent / "semantic-patches").mkdir()
    (tree.parent / "mine").rename(tree.parent / "semantic-patches/mine")
    made = patchgen("apply", "--variant", "mine", "--tree", tree, cwd=tree.parent)
    assert made.code == 0, made.err
    assert reroll(patchgen, tree, V1)["branch"] == "patchgen/mine-v2"


def test_a_variant_that_was_moved_is_asked_for_once(patchgen, tree):
    apply(patchgen, tree)
    moved = (tree.parent / "mine").rename(tree.parent / "moved")
    refused = patchgen("reroll", V1, "--tree", tree)
    assert refused.code == 2
    assert f"unknown variant 'mine': {tree.parent / 'mine'}, from which" in refused.err
    assert "[variant-unknown]" in refused.err and "`--variant FOLDER`" in refused.err
    assert reroll(patchgen, tree, V1, "--variant", moved)["revision"] == 2
    assert reroll(patchgen, tree, "patchgen/mine-v2")["revision"] == 3


def test_the_folder_of_the_series_is_used_in_place_of_another_of_the_name(patchgen, tree):
    apply(patchgen, tree)
    other = tree.parent / "elsewhere/semantic-patches/mine"
    shutil.copytree(tree.parent / "mine", other)
    (other / "new.j2").write_text("config OTHER\n")
    result = patchgen("reroll", V1, "--tree", tree, cwd=other.parents[1])
    assert result.code == 0, result.err
    assert f"mine is the variant in {tree.parent / 'mine'}, from which" in result.err
    assert "No patch has changed." in result.out


def test_the_record_of_the_series_has_no_path(patchgen, tree, git):
    apply(patchgen, tree)
    assert str(tree.parent) not in git(tree, "show", "-s", "--format=%B", f"{V1}~1")


@pytest.mark.parametrize("stored", ["", "[]", "5", '{"format": 1, "name": "mine", "folder": "x"}'])
def test_a_damaged_file_is_like_none(patchgen, tree, stored):
    apply(patchgen, tree)
    [path] = tree.glob(".git/patchgen/variants/*.json")
    path.write_text(stored)
    refused = patchgen("reroll", V1, "--tree", tree)
    assert refused.code == 2 and "`--variant FOLDER`" in refused.err
    assert reroll(patchgen, tree, V1, "--variant", tree.parent / "mine")["revision"] == 2


def test_a_branch_leads_to_no_folder_of_its_own_choice(patchgen, tree, git):
    document = apply(patchgen, tree)
    change_id = document["change_id"]
    git(tree, "branch", "path", V1)
    replace_in_cover(git, tree, "path", '"variant": "mine"', f'"variant": "{tree.parent}/mine"')
    refused = patchgen("reroll", "path", "--tree", tree)
    assert refused.code == 2 and "[variant-unknown]" in refused.err
    # The change-id becomes the name of a file.
    [stored] = tree.glob(".git/patchgen/variants/*.json")
    shutil.copy(stored, tree / "outside.json")
    git(tree, "branch", "id", V1)
    replace_in_cover(git, tree, "id", change_id, "../../../outside")
    refused = patchgen("reroll", "id", "--tree", tree)
    assert refused.code == 1 and "the change-id '../../../out" in refused.err
    # The folder belongs to the variant of the series, not to another name.
    git(tree, "branch", "other", V1)
    replace_in_cover(git, tree, "other", '"variant": "mine"', '"variant": "other"')
    refused = patchgen("reroll", "other", "--tree", tree)
    assert refused.code == 2 and "unknown variant 'other'" in refused.err


def test_only_unparsed_code_with_the_words_of_a_rule_is_reported(patchgen, tree, git):
    broken = "static int {}(int a)\n{{\n\tasm(;\n\t{}\n}}\n"
    code = [broken.format("has_word", "maybe_old(a);"), broken.format("has_none", "other(a);")]
    macro = "DEFINE_THING(a\n\tmaybe_old(;\n\n"
    (tree / "x.c").write_text("".join([*code, "void f(void)\n{\n\tmaybe_old(1);\n}\n"]))
    (tree / "y.c").write_text(macro)
    git(tree, "commit", "-q", "-a", "-m", "broken")
    add_optional_patch(tree.parent / "mine", "x.c")
    manifest = tree.parent / "mine/manifest.toml"
    manifest.write_text(manifest.read_text().replace('on = "x.c"', 'on = "*.c"'))
    warnings = [each for each in apply(patchgen, tree)["warnings"] if "parse" in each]
    assert warnings == [
        "spatch could not parse x.c:1 has_word(); rules do not match there",
        "spatch could not parse y.c:1; rules do not match there",
    ]


def test_only_a_command_that_writes_is_refused_in_a_bare_repository(patchgen, tree, git, tmp_path):
    apply(patchgen, tree)
    bare = tmp_path / "bare.git"
    git(tree, "clone", "-q", "--bare", tree, bare)
    mbox = tmp_path / "replies"
    mbox.write_bytes(b"From x\nFrom: A <a@b.org>\nSubject: Re: x\nMessage-ID: <1@b.org>\n\nHi\n")
    split = ("run", tmp_path / "free.cocci", "--split", "none", "--subject", "toy: Do it")
    commands = [
        ("apply", tmp_path / "mine", "--force"),
        ("reroll", V1, "--variant", tmp_path / "mine"),
        split,
    ]
    for args in commands:
        assert patchgen(*args, "--dry-run", cwd=bare).code == 0, args
        refused = patchgen(*args, cwd=bare)
        assert refused.code == 2 and "[bare-repository]" in refused.err
    assert patchgen("trailers", V1, mbox, cwd=bare).code == 0


def test_only_patches_of_the_series_are_named_for_a_change_log(patchgen, tree):
    add_optional_patch(tree.parent / "mine", "x.c")
    apply(patchgen, tree)
    refused = patchgen("reroll", V1, "--tree", tree, "--changes", "kconfg=Rename it")
    listed = "it has [changelog-patch]:\n  kconfig (1/1 toy: Do it)\nhint: cover="
    assert refused.code == 2 and listed in refused.err
    refused = patchgen("reroll", V1, "--tree", tree, "--changes", "maybe=Rename it")
    assert refused.code == 1 and "v2 has no patch 'maybe'" in refused.err


def test_optional_patches_that_find_nothing_are_not_called_present(patchgen, tree, git):
    add_optional_patch(tree.parent / "mine", "x.c")
    manifest = tree.parent / "mine/manifest.toml"
    head, _, optional = manifest.read_text().partition("[[patch]]")
    manifest.write_text(f"{head}[[patch]]{optional.partition('[[patch]]')[2]}")
    (tree / "x.c").write_text("void f(void)\n{\n\tmaybe_old(1);\n}\n")
    git(tree, "commit", "-q", "-a", "-m", "a place")
    apply(patchgen, tree)
    (tree / "x.c").write_text("void f(void)\n{\n}\n")
    git(tree, "commit", "-q", "-a", "-m", "gone")
    base = git(tree, "rev-parse", "--short=12", "master").strip()
    reason = f"o patch of mine finds anything to change in {base}"
    refused = patchgen("reroll", V1, "--tree", tree, "--onto", "master")
    assert refused.code == 1 and f"no patch is left: n{reason} [no-patch-left]" in refused.err
    options = ("--variant", tree.parent / "mine", "--tree", tree, "--branch", "second")
    applied = patchgen("apply", *options)
    assert applied.code == 0 and f"N{reason}." in applied.out


def test_a_change_of_the_only_patch_needs_no_name_in_the_cover_letter(patchgen, tree, git):
    apply(patchgen, tree)
    done = patchgen("reroll", V1, "--tree", tree, "--changes", "1=Rename it")
    assert done.code == 0, done.err
    letter = git(tree, "show", "-s", "--format=%B", "patchgen/mine-v2~1")
    assert "Changes in v2:\n- Rename it\n" in letter
