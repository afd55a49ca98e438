# SPDX-License-Identifier: GPL-2.0-or-later
"""Which version a series is, and by which ids archives and answers know it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.support.small_variant import (
    VARIANT,
    apply_small as apply,
    make_small_tree,
    message_ids as ids,
)


@pytest.fixture
def tree(tmp_path, git) -> Path:
    return make_small_tree(tmp_path, git)


def test_somebodys_new_variant_is_not_posted_as_version_4(patchgen, tree):
    document = apply(patchgen, tree)
    assert document["branch"] == "patchgen/mine-v1"
    assert "Subject: [PATCH 0/1] toy: Mine" in Path(document["mails"][0]).read_text()


def test_the_manifest_sets_the_first_version(patchgen, tree):
    manifest = tree.parent / "mine" / "manifest.toml"
    text = VARIANT["manifest.toml"]
    manifest.write_text(text.replace('title = "', 'first_version = 4\ntitle = "'))
    assert apply(patchgen, tree)["branch"] == "patchgen/mine-v4"
    chosen = apply(patchgen, tree, "-v", "7", "-o", tree.parent / "v7")
    assert chosen["branch"] == "patchgen/mine-v7"
    for wrong in ("0", '"4"', "true"):
        manifest.write_text(text.replace('title = "', f'first_version = {wrong}\ntitle = "'))
        completed = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
        assert completed.code == 1 and "first_version" in completed.err


@pytest.mark.parametrize("how", ["sent", "noted by b4"])
def test_the_version_after_one_that_went_out_is_the_next_one(patchgen, tree, git, how):
    first = apply(patchgen, tree)
    if how == "sent":
        completed = patchgen("import", "patchgen/mine-v1", "--tree", tree, "-v", "1")
        assert completed.code == 0, completed.err
    else:
        cover = git(tree, "show", "-s", "--format=%B", first["cover_commit"])
        noted = cover.replace('"prefixes": []', '"prefixes": [], "history": {"v1": ["a@b"]}')
        args = ("-p", "master", "-m", noted, "master^{tree}")
        below = git(tree, "commit-tree", *args).strip()
        args = ("-p", below, "-m", "toy: Do it", f"{first['tip']}^{{tree}}")
        tip = git(tree, "commit-tree", *args).strip()
        git(tree, "update-ref", "refs/heads/patchgen/mine-v1", tip)
    second = apply(patchgen, tree, "-o", tree.parent / "second")
    assert second["branch"] == "patchgen/mine-v2"
    assert second["change_id"] == first["change_id"]
    assert any("v1 was sent, so this is v2" in each for each in second["warnings"])
    assert set(ids(first)).isdisjoint(ids(second))


def test_a_version_that_went_out_counts_when_its_branch_is_deleted(patchgen, tree, git):
    first = apply(patchgen, tree)
    args = ("import", "patchgen/mine-v1", "--tree", tree, "-v", "1", "--series")
    assert patchgen(*args, "patchgen/mine-v1").code == 0
    git(tree, "branch", "-D", "patchgen/mine-v1")
    second = apply(patchgen, tree, "-o", tree.parent / "second")
    assert second["branch"] == "patchgen/mine-v2"
    assert second["change_id"] == first["change_id"]
    other = apply(patchgen, tree, "-o", tree.parent / "o", "--branch", "patchgen/mine-too-v1")
    assert other["change_id"] != first["change_id"]


def test_the_cover_letter_has_no_header_in_raw_utf_8(patchgen, tree, git):
    git(tree, "config", "user.name", "Ada Übergang")
    head = Path(apply(patchgen, tree)["mails"][0]).read_bytes().partition(b"\n\n")[0]
    assert head.isascii() and b"From: =?utf-8?q?Ada_=C3=9Cbergang?= <ada@example.org>" in head


def test_a_campaign_begins_with_version_1(patchgen, tree):
    rule = tree.parent / "free.cocci"
    completed = patchgen("run", rule, "--tree", tree, "--split", "file", "--json")
    assert completed.code == 0, completed.err
    assert json.loads(completed.out)["series"]["branch"] == "patchgen/free-v1"


def test_series_on_other_bases_share_no_id(patchgen, tree, git, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    git(tree, "commit", "-q", "--allow-empty", "-m", "other base")
    made = [
        apply(patchgen, tree, "--base", base, "--branch", branch, "-o", tree.parent / base)
        for base, branch in (("master", "mine-v1"), ("master~1", "other/mine-v1"))
    ]
    assert made[0]["change_id"] != made[1]["change_id"]
    assert set(ids(made[0])).isdisjoint(ids(made[1]))


def test_other_patches_of_the_same_series_have_other_message_ids(patchgen, tree, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = apply(patchgen, tree)
    before = ids(first)
    again = apply(patchgen, tree, "--force")
    assert ids(again) == before and again["change_id"] == first["change_id"]
    (tree.parent / "mine" / "new.j2").write_text("config NEW\n\tbool\n")
    other = apply(patchgen, tree, "--force")
    assert other["change_id"] == first["change_id"]
    assert set(ids(other)).isdisjoint(before)


def test_a_review_tag_leaves_the_message_ids_as_they_are(patchgen, tree, git):
    first = apply(patchgen, tree)
    plan = json.loads(
        patchgen("send", "--tree", tree, first["branch"], "--dry-run", "--json", "--to", "a@b").out
    )
    assert [f"<{mail['message_id']}>" for mail in plan["mails"]] == ids(first)
    branch = first["branch"]
    message = git(tree, "show", "-s", "--format=%B", branch).rstrip()
    message += "\n\nReviewed-by: Bea <bea@x.org>\n"
    args = ("-p", f"{branch}~1", "-m", message, f"{branch}^{{tree}}")
    git(tree, "update-ref", f"refs/heads/{branch}", git(tree, "commit-tree", *args).strip())
    plan = json.loads(
        patchgen("send", "--tree", tree, branch, "--dry-run", "--json", "--to", "a@b").out
    )
    assert [f"<{mail['message_id']}>" for mail in plan["mails"]] == ids(first)


def test_a_reroll_of_a_version_that_was_not_sent_names_the_way_to_make_it_again(patchgen, tree):
    apply(patchgen, tree)
    args = ("reroll", "patchgen/mine-v1", "--tree", tree, "--dry-run")
    noted = re.search("^note: v1 was not sent; `(.*)` makes that", patchgen(*args).out, re.M)
    assert patchgen(*shlex.split(noted[1])[1:]).out.startswith("v1, 1 patch\n")
    assert json.loads(patchgen(*args, "--json").out)["unsent_revision"] == 1
    again = patchgen("reroll", "patchgen/mine-v1", "--tree", tree, "-v", "1")
    assert again.code == 0 and "note:" not in again.out
    sent = ("import", "patchgen/mine-v1", "--tree", tree, "-v", "1", "--series")
    assert patchgen(*sent, "patchgen/mine-v1").code == 0
    result = patchgen(*args)
    assert result.out.startswith("v2, 1 patch\n") and "note:" not in result.out
    assert json.loads(patchgen(*args, "--json").out)["unsent_revision"] is None


def test_a_branch_that_is_checked_out_has_to_be_left_for_that(patchgen, tree, git):
    apply(patchgen, tree)
    git(tree, "switch", "-q", "patchgen/mine-v1")
    shown = patchgen("reroll", cwd=tree).out
    command = "patchgen reroll patchgen/mine-v1 -v 1"
    note = f"note: v1 was not sent; switch to another branch in {tree}, then `{command}` makes"
    assert note in shown
    # The new branch cannot make the old version, and names the one that can.
    result = patchgen("reroll", "patchgen/mine-v2", "-v", "1", cwd=tree)
    assert result.code == 2 and "v1 is older than patchgen/mine-v2, which has v2" in result.err
    assert f"hint: `{command}` makes v1 again; or omit the version" in result.err
    git(tree, "switch", "-q", "master")
    assert patchgen(*command.split()[1:], cwd=tree).code == 0
    git(tree, "branch", "-D", "patchgen/mine-v1")
    result = patchgen("reroll", "patchgen/mine-v2", "-v", "1", cwd=tree)
    assert "hint: omit the version to make the next one" in result.err


def test_explain_prints_the_id_of_a_base_without_a_tag_once(patchgen, tree, git):
    apply(patchgen, tree)
    base = git(tree, "rev-parse", "master").strip()
    assert f"\n  base: {base}\n" in patchgen("explain", "patchgen/mine-v1", "--tree", tree).out
    git(tree, "tag", "v6.1", "master")
    apply(patchgen, tree, "--force")
    out = patchgen("explain", "patchgen/mine-v1", "--tree", tree).out
    assert f"\n  base: v6.1 ({base[:12]})\n" in out
