# SPDX-License-Identifier: GPL-2.0-or-later
"""`--force` replaces a version: a warning names its options that the new one lacks."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.support.small_variant import apply_small, make_small_tree

PERSON = "Kay <k@example.org>"
REPLACED = "the replaced version had other options: add `{}` to this command to make it with them "
VARIABLE = '[variables.link]\ntype = "string"\ndefault = ""\nhelp = "x"\n'


@pytest.fixture
def small(tmp_path: Path, git) -> Path:
    tree = make_small_tree(tmp_path, git)
    with (tmp_path / "mine/manifest.toml").open("a") as manifest:
        manifest.write(VARIABLE)
    return tree


def replace(patchgen, tree: Path, *args: str) -> list[str]:
    """Make the variant's series again, and return the warnings about options."""
    warnings = apply_small(patchgen, tree, "--force", *args)["warnings"]
    return [text for text in warnings if "options" in text]


def test_apply_names_the_options_of_the_version_that_it_replaces(small, patchgen):
    options = ("--signoff", "-D", "link=a b", "--to", PERSON, "--cc-cover", PERSON)
    apply_small(patchgen, small, *options)
    assert replace(patchgen, small, *options) == []
    [warning] = replace(patchgen, small, "--signoff", "-D", "link=other")
    assert warning.startswith(REPLACED.format(f"--to '{PERSON}' --cc-cover '{PERSON}'"))
    # The options in the warning are those that make the same version again.
    apply_small(patchgen, small, "--force", *options)
    [warning] = replace(patchgen, small)
    _, named, _ = warning.split("`")
    assert shlex.split(named) == list(options)
    assert replace(patchgen, small) == []


def test_a_sign_off_by_hand_counts(small, patchgen, git):
    branch = apply_small(patchgen, small, "--no-b4")["branch"]
    git(small, "switch", "-q", branch)
    git(small, "commit", "-q", "--amend", "--no-edit", "--signoff")
    git(small, "switch", "-q", "master")
    [warning] = replace(patchgen, small)
    assert warning.startswith(REPLACED.format("--signoff"))


def test_another_variant_on_the_branch_has_options_of_its_own(small, patchgen, tmp_path):
    apply_small(patchgen, small, "--signoff")
    manifest = tmp_path / "mine/manifest.toml"
    manifest.write_text(manifest.read_text().replace('name = "mine"', 'name = "other"'))
    assert replace(patchgen, small, "--branch", "patchgen/mine-v1") == []


def test_run_split_has_the_same_warning(small, patchgen):
    args = ("run", small.parent / "free.cocci", "--tree", small, "--split", "none")
    args += ("--subject", "toy: Do it", "--json")
    assert patchgen(*args, "--signoff", "--cc", PERSON).code == 0
    result = patchgen(*args, "--force")
    assert result.code == 0, result.err
    [warning] = [w for w in json.loads(result.out)["series"]["warnings"] if "options" in w]
    assert warning.startswith(REPLACED.format(f"--signoff --cc '{PERSON}'"))
