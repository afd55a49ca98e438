# SPDX-License-Identifier: GPL-2.0-or-later
"""A version that was sent: no command proposes to send its mails again."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from patchgen.mail import read_mails
from patchgen.odb import Repository
from patchgen.pipeline.journal import Journal, MailState, begin_entries, set_state
from tests.support.small_variant import apply_small as apply, make_small_tree

V1 = "patchgen/mine-v1"
WARNING = "warning: v1 was sent on 20"
FAST = [f"--skip={check}" for check in ("checkpatch", "sections", "build", "code")]


@pytest.fixture
def tree(tmp_path, git) -> Path:
    return make_small_tree(tmp_path, git)


@pytest.fixture
def sent(patchgen, tree) -> Path:
    """Return the tree with version 1 of the series, which was sent."""
    apply(patchgen, tree)
    result = patchgen("import", V1, "--tree", tree, "-v", "1", "--series", V1)
    assert result.code == 0, result.err
    return tree


@pytest.mark.parametrize("command", ["format", "apply"])
def test_its_mails_are_not_to_be_sent_again(patchgen, sent, command):
    args = {
        "format": ("format", V1),
        "apply": ("apply", "--variant", sent.parent / "mine", "-v", "1", "--force"),
    }
    result = patchgen(*args[command], "--tree", sent)
    assert result.code == 0, result.err
    assert WARNING in result.err
    assert f"  patchgen reroll --tree {sent} {V1}\n" in result.out
    assert "patchgen send" not in result.out and "send-email" not in result.out


@pytest.mark.parametrize("command", ["format", "apply"])
def test_its_document_has_the_warning(patchgen, sent, command):
    args = {
        "format": ("format", V1),
        "apply": ("apply", "--variant", sent.parent / "mine", "-v", "1", "--force"),
    }
    document = json.loads(patchgen(*args[command], "--tree", sent, "--json").out)
    assert any(text.startswith("v1 was sent on 20") for text in document["warnings"])


@pytest.mark.parametrize("option", [("-v", "1"), ("--branch", V1)])
def test_an_existing_branch_of_it_is_refused_with_the_next_version(patchgen, sent, option):
    result = patchgen("apply", "--variant", sent.parent / "mine", *option, "--tree", sent)
    assert result.code == 1 and "and its version, v1, was sent" in result.err
    hint = "hint: make the next version: `patchgen reroll patchgen/mine-v1` carries over"
    assert hint in result.err and "`-v 2` does not; or replace it" in result.err


def test_verify_proposes_the_next_version(patchgen, sent):
    result = patchgen("verify", V1, "--tree", sent, "--skip=lint", *FAST)
    assert "It was sent on 20" in result.out
    assert f"patchgen reroll --tree {sent} {V1}" in result.out
    assert "patchgen send" not in result.out


def record_part(tree: Path, document: dict[str, Any]) -> None:
    """Record that the cover letter of version 1 was sent, and its patches were not."""
    with closing(Repository(tree)) as repository:
        journal = Journal(repository, document["change_id"], 1)
        cover, *others = begin_entries(read_mails(Path(document["mails"][0]).parent))
        with journal.lock():
            journal.write((set_state(cover, MailState.SENT), *others))


@pytest.mark.parametrize("is_complete", [True, False], ids=["sent", "partly sent"])
@pytest.mark.parametrize("command", ["format", "verify", "send"])
def test_a_variable_is_set_in_the_next_version(patchgen, tree, command, is_complete):
    variable = '[variables.link]\ntype = "url"\ndefault = ""\nhelp = "x"\nask = "name it"\n'
    with (tree.parent / "mine/manifest.toml").open("a") as manifest:
        manifest.write(variable)
    document = apply(patchgen, tree, "--signoff")
    args = {
        "format": ("format", V1),
        "verify": ("verify", V1, *FAST),
        "send": ("send", V1, "--dry-run", "--skip-checks", "--to", "a@example.org"),
    }

    def read_remedy() -> list[str]:
        result = patchgen(*args[command], "--tree", tree)
        remedy = re.search(
            "link is empty: name it; `(.*) link=\\.\\.\\.` sets", result.out + result.err
        )
        assert remedy is not None, result.out + result.err
        return shlex.split(remedy[1])

    assert read_remedy() == ["patchgen", "reroll", V1, "-v", "1", "--define"]
    if is_complete:
        assert patchgen("import", V1, "--tree", tree, "-v", "1", "--series", V1).code == 0
    else:
        record_part(tree, document)
    if command == "send":
        # A version of which a mail was sent is refused before its variables are read.
        return
    remedy = read_remedy()
    assert remedy == ["patchgen", "reroll", V1, "--define"]
    done = patchgen(*remedy[1:], "link=https://example.org/a", "--tree", tree)
    assert done.code == 0, done.err


def test_the_rest_of_a_version_is_sent_with_send_only(patchgen, tree):
    record_part(tree, apply(patchgen, tree))
    result = patchgen("format", V1, "--tree", tree)
    assert "warning: a part of v1 was sent on 20" in result.err
    assert "patchgen send" in result.out
    assert "send-email" not in result.out and "reroll" not in result.out


def test_the_lists_of_a_letter_are_made_again_in_the_next_version(patchgen, tree, git):
    cover = tree.parent / "mine/cover.txt.j2"
    cover.write_text(f"{cover.read_text()}\nA tool, patchgen, made this series.\n")
    record_part(tree, apply(patchgen, tree))
    git(tree, "checkout", "-q", V1)
    git(tree, "commit", "-q", "--allow-empty", "-m", "lib: Add mine\n\nBecause.\n")
    git(tree, "checkout", "-q", "master")
    reroll = f"`patchgen reroll {V1}` makes them again"
    assert (
        f"1 patch added since it was generated, so its lists and numbers are not those of "
        f"this series; {reroll}" in patchgen("format", V1, "--tree", tree).err
    )
    assert reroll in patchgen("verify", V1, "--tree", tree, *FAST).out


def test_an_existing_branch_of_a_draft_is_refused_without_it(patchgen, tree):
    apply(patchgen, tree)
    result = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert result.code == 1 and "already exists [branch-exists]" in result.err
    assert "was sent" not in result.err and "reroll" not in result.err


def test_a_draft_is_formatted_without_a_warning(patchgen, tree):
    apply(patchgen, tree)
    result = patchgen("format", V1, "--tree", tree)
    assert "was sent" not in result.err
    assert "patchgen send" in result.out and "git send-email" in result.out
