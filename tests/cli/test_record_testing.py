# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify --record`: what passed is in the cover letter, as long as it holds."""

from __future__ import annotations

import html
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.small_variant import VARIANT, apply_small, make_small_tree

V1 = "patchgen/mine-v1"
TESTED = "checkpatch --strict is clean"
COVER = 'toy: Mine\n\nIt is new.\n\n{% include "cover-end.txt.j2" %}\n'


@pytest.fixture
def small(git, tmp_path) -> Path:
    """Return a tree with a checkpatch.pl, next to a variant whose letter has the usual end."""
    tree = make_small_tree(tmp_path, git)
    (tmp_path / "mine" / "cover.txt.j2").write_text(COVER)
    (tree / "scripts").mkdir()
    (tree / "scripts" / "checkpatch.pl").write_text("#!/usr/bin/perl\nexit 0;\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "checkpatch")
    return tree


def record(patchgen: Patchgen, tree: Path, *args: str):
    return patchgen("verify", *(args or (V1,)), "--tree", tree, "--record", "--skip", "build")


def letter(patchgen: Patchgen, tree: Path, branch: str = V1) -> tuple[str, str]:
    """Return the letter's mail, in one line, and the warnings."""
    result = patchgen("format", branch, "--tree", tree, "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    text = Path(document["mails"][0]).read_text()
    return " ".join(text.split()), "\n".join(document["warnings"])


def assert_page_states_facts(patchgen: Patchgen, tree: Path, fact: str) -> None:
    """Check that the page for reviewers has this note, and no command for the author."""
    result = patchgen("report", V1, "--tree", tree, "--html", tree.parent / "page.html")
    assert result.code == 0, result.err
    page = (tree.parent / "page.html").read_text()
    header = html.unescape(page.partition("</header>")[0])
    assert f'<p class="note">{fact}</p>' in header
    assert "patchgen verify" not in header and "patchgen reroll" not in header


def test_passed_checks_are_recorded_and_the_warning_is_removed(patchgen, git, small):
    apply_small(patchgen, small, "--signoff")
    text, warnings = letter(patchgen, small)
    assert "Tested: not yet" in text
    assert "the patches are not tested; `patchgen verify --record patchgen/mine-v1`" in warnings
    assert_page_states_facts(
        patchgen, small, "the cover letter says that the patches are not tested"
    )
    tree = git(small, "rev-parse", f"{V1}^{{tree}}")

    result = record(patchgen, small)
    assert result.code == 0, result.err
    recorded = f"recorded in the cover letter of {V1}: each patch by `patchgen verify`: {TESTED}"
    assert recorded in " ".join(result.out.split())
    assert max(map(len, result.out.splitlines())) <= 100
    sending = "makes its mails from the branch; to update those in the folder, run `patchgen format"
    assert f"{sending} {V1}`" in " ".join(result.out.split())
    assert git(small, "rev-parse", f"{V1}^{{tree}}") == tree
    text, warnings = letter(patchgen, small)
    assert f"Tested: each patch by `patchgen verify`: {TESTED}" in text and "not yet" not in text
    assert "tested" not in warnings
    # The record is not a hand edit, and a second one changes nothing.
    assert "state: as generated" in patchgen("explain", f"{V1}~1", "--tree", small).out
    assert record(patchgen, small).code == 0
    assert letter(patchgen, small)[0].count(TESTED) == 1


def test_it_lapses_when_a_patch_changes(patchgen, git, small):
    apply_small(patchgen, small, "--signoff")
    assert record(patchgen, small).code == 0
    git(small, "checkout", "-q", V1)
    message = git(small, "show", "-s", "--format=%B", "HEAD").strip()
    git(small, "commit", "-q", "--amend", "-m", f"{message}\nReviewed-by: Di <di@example.org>")
    assert TESTED in letter(patchgen, small)[0], "tags are not what checkpatch has tested"
    git(small, "commit", "-q", "--amend", "-m", "toy: Do it well\n\nBecause.")
    assert TESTED not in letter(patchgen, small)[0], "checkpatch has not read this message"
    git(small, "reset", "-q", "--hard", "HEAD@{1}")
    assert TESTED in letter(patchgen, small)[0]
    (small / "Kconfig").write_text("config OTHER\n")
    git(small, "commit", "-q", "-a", "--amend", "--no-edit")
    text, warnings = letter(patchgen, small)
    assert "Tested: not yet" in text and TESTED not in text
    assert "the patches have changed since they were tested" in warnings
    sent = patchgen("send", "--tree", small, V1, "--dry-run", "--to", "di@example.org")
    assert "the patches have changed since they were tested" in sent.err


def test_a_reroll_keeps_it_for_the_same_patches_and_drops_it_for_others(patchgen, git, small):
    variant = ("--tree", small, "--variant", small.parent / "mine")
    apply_small(patchgen, small, "--signoff")
    assert record(patchgen, small).code == 0
    done = patchgen("reroll", V1, *variant)
    assert done.code == 0 and "since they were tested" not in done.err
    assert TESTED in letter(patchgen, small, "patchgen/mine-v2")[0]
    (small / "x.c").write_text("int x;\n")
    git(small, "commit", "-q", "-a", "-m", "newer")
    done = patchgen("reroll", V1, *variant, "-v", "3", "--onto", "master")
    assert done.code == 0
    assert "warning: the patches have changed since they were tested" in done.err
    text, _ = letter(patchgen, small, "patchgen/mine-v3")
    assert "Tested: not yet" in text and TESTED not in text


def test_the_text_of_the_sender_is_preserved(patchgen, git, small):
    manifest = small.parent / "mine" / "manifest.toml"
    table = '[variables.tested]\ntype = "text"\ndefault = ""\nhelp = "h"\n\n[[patch]]'
    manifest.write_text(VARIANT["manifest.toml"].replace("[[patch]]", table))
    apply_small(patchgen, small, "--signoff", "--define", "tested=booted in a guest")
    assert record(patchgen, small).code == 0
    text, warnings = letter(patchgen, small)
    assert f"Tested: booted in a guest; each patch by `patchgen verify`: {TESTED}" in text
    assert "tested" not in warnings


def test_a_series_that_does_not_pass_is_not_recorded_as_tested(patchgen, git, small):
    apply_small(patchgen, small)
    before = git(small, "rev-parse", V1)
    result = record(patchgen, small)
    assert result.code == 1 and "the cover letter was not changed" in result.err
    assert git(small, "rev-parse", V1) == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((f"master..{V1}",), "is not a branch"),
        (("outgoing/mine-v1",), "is not a branch"),
        ((V1, "--skip", "checkpatch"), "nothing to record"),
        (("plain", "--base", "master"), "has no record of how it was generated"),
    ],
)
def test_where_nothing_can_be_recorded_the_reason_is_printed(patchgen, git, small, args, message):
    apply_small(patchgen, small, "--signoff")
    git(small, "checkout", "-q", "-b", "plain", "master")
    (small / "y.c").write_text("int y;\n")
    git(small, "commit", "-q", "-a", "-s", "-m", "toy: Do y\n\nBecause.")
    args = tuple(str(small / arg) if arg.startswith("outgoing") else arg for arg in args)
    before = git(small, "for-each-ref")
    result = record(patchgen, small, *args)
    assert result.code == 1 and message in result.err
    assert git(small, "for-each-ref") == before


BY_HAND = 'replace "not yet" in the line Tested: of the cover letter with what you tested; '


def read_warning(patchgen: Patchgen, tree: Path, branch: str = V1) -> str:
    """Return the one warning about a series that was not tested."""
    _, warnings = letter(patchgen, tree, branch)
    [warning] = [text for text in warnings.split("\n") if "are not tested" in text]
    return warning


def read_command(text: str) -> list[str]:
    """Return the arguments of the one command of patchgen in a text."""
    [command] = re.findall(r"`patchgen (.*?)`", text)
    return shlex.split(command)


def test_the_hints_lead_to_a_recorded_test(patchgen, small):
    apply_small(patchgen, small, "--signoff")
    command = read_command(read_warning(patchgen, small))
    assert command == ["verify", "--record", V1]
    no_build = ("--skip", "build", "--tree", small)
    refused = patchgen(*command, "--skip", "checkpatch", *no_build)
    assert refused.code == 1
    assert f"hint: do not skip checkpatch and build; or {BY_HAND}" in refused.err
    assert patchgen(*command, *no_build).code == 0
    text, warnings = letter(patchgen, small)
    assert TESTED in text and "not tested" not in warnings


def test_the_hints_skip_a_check_without_its_script_and_end_without_a_build(patchgen, git, small):
    git(small, "rm", "-q", "-r", "scripts")
    git(small, "commit", "-q", "-m", "no checkpatch")
    apply_small(patchgen, small, "--signoff")
    command = read_command(read_warning(patchgen, small))
    assert command == ["verify", "--record", V1, "--skip", "checkpatch"]
    # The base does not build.
    refused = patchgen(*command, "--skip", "build", "--tree", small)
    assert refused.code == 1 and f"hint: do not skip build; or {BY_HAND}" in refused.err


def test_a_series_is_tested_by_hand_where_verify_cannot(patchgen, git, toy):
    assert patchgen("apply", "pvops", "--tree", toy, "--signoff").code == 0
    branch = "patchgen/pvops-v4"
    warning = read_warning(patchgen, toy, branch)
    assert BY_HAND in warning and "patchgen verify" not in warning
    for skipped in ((), ("--skip", "checkpatch"), ("--skip", "checkpatch", "--skip", "build")):
        refused = patchgen("verify", branch, "--tree", toy, "--record", *skipped)
        assert refused.code == 1 and "has no scripts/checkpatch.pl and no Kconfig" in refused.err
        assert f"hint: {BY_HAND}" in refused.err
    message = git(toy, "show", "-s", "--format=%B", f"{branch}~4")
    assert message.count("Tested:  not yet") == 1
    args = ("-p", "master", "-m", message.replace("not yet", "in a guest"), "master^{tree}")
    edited = git(toy, "commit-tree", *args).strip()
    git(toy, "rebase", "-q", "--onto", edited, f"{branch}~4", branch)
    text, warnings = letter(patchgen, toy, branch)
    assert "Tested: in a guest" in text and "tested" not in warnings
