# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of a new series: a warning if it is another series, or if others may not have it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.small_variant import apply_small, make_small_tree

WARNING = (
    "the base is HEAD, {place} the series patchgen/mine-v1, whose patches are not upstream; "
    "`--base {base}` makes the new series without them"
)


@pytest.fixture
def small(tmp_path: Path, patchgen, git) -> Path:
    """Return a tree with the series patchgen/mine-v1 checked out, and a variant `other`."""
    tree = make_small_tree(tmp_path, git)
    apply_small(patchgen, tree)
    git(tree, "switch", "-q", "patchgen/mine-v1")
    shutil.copytree(tmp_path / "mine", tmp_path / "other")
    for name in ("manifest.toml", "new.j2"):
        path = tmp_path / "other" / name
        text = path.read_text().replace("NEW", "OTHER")
        path.write_text(text.replace('"mine"', '"other"'))
    return tree


def apply_other(patchgen, tree: Path, *args: str) -> list[str]:
    """Return the warnings of `apply` that are about the base."""
    result = patchgen("apply", tree.parent / "other", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return [text for text in json.loads(result.out)["warnings"] if "the base is HEAD" in text]


def test_apply_warns_that_the_base_is_the_tip_of_a_series(small, patchgen, git):
    shown = patchgen("apply", small.parent / "other", "--tree", small, "--dry-run")
    warning = WARNING.format(place="the tip of", base="master")
    assert f"warning: {warning}\n" in shown.err
    # The base has each patch of `mine`, which is no less surprising.
    assert apply_small(patchgen, small, "--dry-run")["warnings"] == [warning]
    git(small, "switch", "-q", "--detach")
    assert apply_other(patchgen, small) == [warning]


def test_apply_warns_of_a_commit_within_a_series(small, patchgen, git):
    git(small, "tag", "v6.1", "master")
    git(small, "branch", "-m", "master", "topic")
    git(small, "switch", "-q", "--detach", "HEAD~")
    assert apply_other(patchgen, small) == [WARNING.format(place="a commit of", base="v6.1")]


def test_a_base_that_the_user_chose_has_no_warning(small, patchgen, git):
    assert not apply_other(patchgen, small, "--base", "patchgen/mine-v1")
    assert not apply_other(patchgen, small, "--base", "master", "--force")
    git(small, "switch", "-q", "master")
    assert not apply_other(patchgen, small, "--force")
    git(small, "merge", "-q", "--ff-only", "patchgen/mine-v1")
    assert not apply_other(patchgen, small, "--force")


def test_run_split_has_the_same_warning(small, patchgen):
    rule = small.parent / "free.cocci"
    result = patchgen(
        "run", rule, "--tree", small, "--split", "none", "--subject", "toy: Do it", "--json"
    )
    assert result.code == 0, result.err
    warning = WARNING.format(place="the tip of", base="master")
    assert warning in json.loads(result.out)["series"]["warnings"]


PRIVATE = "the base {:.12} is not on a remote branch or a tag; others may not have it"


@pytest.fixture
def plain(tmp_path: Path, git) -> Path:
    """Return a tree without a series, and a variant `mine`."""
    return make_small_tree(tmp_path, git)


def test_apply_and_run_warn_once_of_a_base_that_others_may_not_have(plain, patchgen, git):
    warning = PRIVATE.format(git(plain, "rev-parse", "master").strip())
    made = patchgen("apply", plain.parent / "mine", "--tree", plain)
    assert made.err.count(f"warning: {warning}\n") == 1
    args = ("--tree", plain, "--split", "file", "--subject", "lib: Use it")
    made = patchgen("run", plain.parent / "free.cocci", *args)
    assert made.err.count(f"warning: {warning}\n") == 1
    # `format` has the same words.
    assert f"warning: {warning}\n" in patchgen("format", "patchgen/mine-v1", "--tree", plain).err


@pytest.mark.parametrize("ref", ["refs/tags/v6.1", "refs/remotes/origin/master"])
def test_a_base_that_others_have_has_no_warning(plain, patchgen, git, ref):
    git(plain, "update-ref", ref, "master")
    assert not [text for text in apply_small(patchgen, plain)["warnings"] if "others may" in text]


def test_a_version_that_was_sent_does_not_publish_its_base(plain, patchgen, git):
    git(plain, "tag", "sent/x-v1", "master")
    warnings = apply_small(patchgen, plain, "--base", "master")["warnings"]
    assert PRIVATE.format(git(plain, "rev-parse", "master").strip()) in warnings
