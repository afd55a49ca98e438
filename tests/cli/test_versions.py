# SPDX-License-Identifier: GPL-2.0-or-later
"""Which version a series is, and by which ids archives and answers know it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

VARIANT = {
    "manifest.toml": """\
schema = 1

[variant]
name = "mine"
title = "toy: Mine"
cover = "cover.txt.j2"

[[patch]]
name = "kconfig"
message = "message.txt.j2"
probe = { file = "Kconfig", tokens = "config NEW" }

[[patch.lines]]
file = "Kconfig"
template = "new.j2"
before = "config LAST"
""",
    "cover.txt.j2": "toy: Mine\n\nIt is new.\n",
    "message.txt.j2": "toy: Do it\n\nBecause.\n",
    "new.j2": "config NEW\n",
}
RULE = "@@ expression x; @@\n- kfree(x);\n+ kvfree(x);\n"


@pytest.fixture
def tree(tmp_path, git) -> Path:
    """Return a kernel tree of three files, and next to it a variant and a semantic patch for it."""
    for name, text in VARIANT.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "free.cocci").write_text(RULE)
    top = tmp_path / "linux"
    git(tmp_path, "init", "-q", "-b", "master", top)
    (top / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n")
    (top / "Kconfig").write_text("config LAST\n")
    (top / "x.c").write_text("void f(void *p)\n{\n\tkfree(p);\n}\n")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "base")
    return top


def apply(patchgen, tree: Path, *words: str | Path) -> dict:
    variant = tree.parent / "mine"
    done = patchgen("apply", "--variant", variant, "--tree", tree, "--json", *words)
    assert done.code == 0, done.err
    return json.loads(done.out)


def ids(document: dict) -> list[str]:
    texts = [Path(mail).read_text() for mail in document["mails"]]
    return [re.search(r"^Message-ID: (.*)$", text, re.MULTILINE)[1] for text in texts]


def test_somebodys_new_variant_is_not_posted_as_version_4(patchgen, tree):
    document = apply(patchgen, tree)
    assert document["branch"] == "patchgen/mine-v1"
    assert "Subject: [PATCH 0/1] toy: Mine" in Path(document["mails"][0]).read_text()


def test_the_manifest_says_which_version_the_first_is(patchgen, tree):
    manifest = tree.parent / "mine" / "manifest.toml"
    text = VARIANT["manifest.toml"]
    manifest.write_text(text.replace('title = "', 'first_version = 4\ntitle = "'))
    assert apply(patchgen, tree)["branch"] == "patchgen/mine-v4"
    chosen = apply(patchgen, tree, "-v", "7", "-o", tree.parent / "v7")
    assert chosen["branch"] == "patchgen/mine-v7"
    for wrong in ("0", '"4"', "true"):
        manifest.write_text(text.replace('title = "', f'first_version = {wrong}\ntitle = "'))
        done = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
        assert done.code == 1 and "first_version" in done.err


@pytest.mark.parametrize("how", ["sent", "noted by b4"])
def test_the_version_after_one_that_went_out_is_the_next_one(patchgen, tree, git, how):
    first = apply(patchgen, tree)
    if how == "sent":
        done = patchgen("import", "patchgen/mine-v1", "--tree", tree, "-v", "1")
        assert done.code == 0, done.err
    else:
        cover = git(tree, "show", "-s", "--format=%B", first["cover_commit"])
        noted = cover.replace('"prefixes": []', '"prefixes": [], "history": {"v1": ["a@b"]}')
        words = ("-p", "master", "-m", noted, "master^{tree}")
        below = git(tree, "commit-tree", *words).strip()
        words = ("-p", below, "-m", "toy: Do it", f"{first['tip']}^{{tree}}")
        tip = git(tree, "commit-tree", *words).strip()
        git(tree, "update-ref", "refs/heads/patchgen/mine-v1", tip)
    second = apply(patchgen, tree, "-o", tree.parent / "second")
    assert second["branch"] == "patchgen/mine-v2"
    assert second["change_id"] == first["change_id"]
    assert any("v1 went out, so this is v2" in each for each in second["warnings"])
    assert set(ids(first)).isdisjoint(ids(second))


def test_a_campaign_begins_with_version_1(patchgen, tree):
    rule = tree.parent / "free.cocci"
    done = patchgen("run", rule, "--tree", tree, "--split", "file", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["series"]["branch"] == "patchgen/free-v1"


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
    words = ("-p", f"{branch}~1", "-m", message, f"{branch}^{{tree}}")
    git(tree, "update-ref", f"refs/heads/{branch}", git(tree, "commit-tree", *words).strip())
    plan = json.loads(
        patchgen("send", "--tree", tree, branch, "--dry-run", "--json", "--to", "a@b").out
    )
    assert [f"<{mail['message_id']}>" for mail in plan["mails"]] == ids(first)
