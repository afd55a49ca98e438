# SPDX-License-Identifier: GPL-2.0-or-later
"""Credit: the trailers, links and recipients that a variant's manifest names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from patchgen.series.trailers import parse_message
from tests.conftest import Patchgen
from tests.support.small_variant import add_optional_patch, apply_small, make_small_tree

PVOPS = "patchgen/pvops-v4"
ASHISH = "Ashish Kalra <ashish.kalra@amd.com>"
SEAN = "Sean Christopherson <seanjc@google.com>"
LINK = "https://lore.kernel.org/r/20210820-1@example.org/"
VARIABLES = """
[variables.idea]
type = "person"
default = "Bea <bea@example.org>"
help = "whose idea it is"

[variables.link]
type = "url"
default = ""
help = "where it was discussed"
ask = "where the thread is"

[recipients]
cc = ["Bea <bea@example.org>", "Cy <cy@example.org>"]
"""
TRAILERS = 'trailers = { Suggested-by = "{idea}", Link = "{link}" }'


@pytest.fixture
def small(git, tmp_path) -> Path:
    """Return a tree next to a variant with an idea of Bea's."""
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES, TRAILERS)
    return tree


def add_to_manifest(tree: Path, tables: str, keys: str) -> None:
    path = tree.parent / "mine" / "manifest.toml"
    text = path.read_text().replace("[[patch]]", f"{tables}\n[[patch]]", 1)
    path.write_text(text.replace('name = "kconfig"', f'name = "kconfig"\n{keys}'))


def trailers(git, tree: Path, revision: str) -> list[str]:
    message = parse_message(git(tree, "log", "-1", "--format=%B", revision))
    return [str(trailer) for trailer in message.trailers]


def recipients(patchgen: Patchgen, tree: Path, branch: str) -> list[tuple[list, list]]:
    result = patchgen("send", "--tree", tree, branch, "--dry-run", "--skip-checks", "--json")
    assert result.code == 0, result.err
    return [(mail["to"], mail["cc"]) for mail in json.loads(result.out)["mails"]]


def test_trailers_of_a_manifest_have_the_tip_tree_s_order(patchgen, git, small):
    apply_small(patchgen, small, "--signoff", "--define", f"link={LINK}")
    suggested, signed, link = trailers(git, small, "patchgen/mine-v1")
    assert suggested == "Suggested-by: Bea <bea@example.org>" and link == f"Link: {LINK}"
    assert signed.startswith("Signed-off-by: ")
    result = patchgen("verify", "patchgen/mine-v1", "--tree", small, "--skip", "build")
    assert "Signed-off-by" not in result.out and "the variable" not in result.out


def test_an_empty_link_is_reported_and_never_invented(patchgen, git, small):
    args = ("apply", "--variant", small.parent / "mine", "--tree", small, "--signoff")
    result = patchgen(*args)
    notice = (
        "the variable link is empty: where the thread is; "
        "`patchgen reroll patchgen/mine-v1 -v 1 --define link="
    )
    assert result.code == 0 and notice in result.err.splitlines()[-1]
    assert "http" not in git(small, "log", "--format=%B", "master..patchgen/mine-v1")
    for command in ("format", "send --dry-run", "verify --skip build --skip checkpatch"):
        result = patchgen(*command.split(), "--tree", small, "patchgen/mine-v1")
        assert result.code == 0 and notice in result.out + result.err, command

    args = ("reroll", "patchgen/mine-v1", "-v", "1", "--define", f"link={LINK}")
    result = patchgen(*args, "--tree", small, "--variant", small.parent / "mine")
    assert result.code == 0, result.err
    assert trailers(git, small, "patchgen/mine-v1")[-1] == f"Link: {LINK}"
    assert notice not in patchgen("format", "--tree", small, "patchgen/mine-v1").err


@pytest.mark.parametrize("option", ["--dry-run", "--no-b4"])
def test_a_series_that_cannot_be_rerolled_is_applied_again(patchgen, git, small, option):
    args = ("apply", "--variant", small.parent / "mine", "--tree", small, option)
    advice = "the variable link is empty: where the thread is; `--define link=...` sets it"
    assert advice in patchgen(*args).err
    again = patchgen(*args, "--force", "--define", f"link={LINK}")
    assert again.code == 0 and "link" not in again.err


@pytest.mark.parametrize(("patch", "reported"), [("kconfig", True), ("another", False)])
def test_a_value_for_another_patch_is_not_reported_missing(
    patch, reported, patchgen, git, tmp_path
):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.replace("[rec", f'ask_for = ["{patch}"]\n\n[rec'), TRAILERS)
    result = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert result.code == 0, result.err
    assert ("the variable link is empty" in result.err) == reported


@pytest.mark.parametrize("needs_patch", [False, True])
def test_a_value_for_an_unneeded_patch_is_not_reported_missing(
    needs_patch, patchgen, git, tmp_path
):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.replace("[rec", 'ask_for = ["maybe"]\n\n[rec'), TRAILERS)
    variant = tree.parent / "mine"
    add_optional_patch(variant, "x.c")
    if needs_patch:
        (tree / "x.c").write_text("void f(void)\n{\n\tmaybe_old(1);\n}\n")
        git(tree, "commit", "-q", "-a", "-m", "call")
    result = patchgen("apply", "--variant", variant, "--tree", tree)
    assert result.code == 0, result.err
    assert ("the variable link is empty" in result.err) == needs_patch


def test_a_link_that_was_added_by_hand_is_not_reported_missing(patchgen, git, small):
    apply_small(patchgen, small, "--signoff")
    git(small, "checkout", "-q", "patchgen/mine-v1")
    git(small, "commit", "-q", "--amend", "--trailer", f"Link: {LINK}", "--no-edit")
    result = patchgen("format", "--tree", small)
    assert result.code == 0 and "the variable" not in result.err


def test_a_reroll_keeps_the_values_and_removes_an_old_one(patchgen, git, small):
    variant = ("--variant", small.parent / "mine", "--tree", small)
    apply_small(patchgen, small, "--define", f"link={LINK}", "--define", "idea=Di <di@e.org>")
    git(small, "checkout", "-q", "patchgen/mine-v1")
    # A reviewer's tag is the only edit.
    args = ("--amend", "--trailer", "Acked-by: Ed <ed@e.org>", "--no-edit")
    git(small, "commit", "-q", *args)
    result = patchgen("reroll", *variant, "patchgen/mine-v1")
    assert result.code == 0, result.err
    expected = ["Suggested-by: Di <di@e.org>", f"Link: {LINK}", "Acked-by: Ed <ed@e.org>"]
    assert trailers(git, small, "patchgen/mine-v2") == expected
    result = patchgen("reroll", *variant, "patchgen/mine-v2", "--define", "idea=Fay <fay@e.org>")
    assert result.code == 0, result.err
    expected = [*expected[1:], "Suggested-by: Fay <fay@e.org>"]
    assert sorted(trailers(git, small, "patchgen/mine-v3")) == sorted(expected)


def test_people_of_a_manifest_get_every_mail_once_under_their_name_of_the_mailmap(
    patchgen, git, small
):
    (small / "MAINTAINERS").write_text(
        "Maintainers\n===\n\nALL\nM:\tCy New <cy@example.org>\nS:\tMaintained\nF:\t*\n"
    )
    (small / ".mailmap").write_text("Bea New <bea@new.example.org> <bea@example.org>\n")
    git(small, "add", "-A")
    git(small, "commit", "-q", "-m", "people")
    apply_small(patchgen, small)
    everybody = (["Cy New <cy@example.org>"], ["Bea New <bea@new.example.org>"])
    assert recipients(patchgen, small, "patchgen/mine-v1") == [everybody, everybody]


def test_a_user_keeps_people_of_a_manifest_out(patchgen, git, small):
    folder = Path(os.environ["HOME"]) / ".config" / "patchgen"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[recipients]\nignore = ["CY@example.org"]\n')
    apply_small(patchgen, small, "--to", "di@example.org")
    everybody = (["di@example.org"], ["Bea <bea@example.org>"])
    assert recipients(patchgen, small, "patchgen/mine-v1") == [everybody, everybody]
    # The next version keeps out a person whom the user removed from the letter by hand.
    git(small, "checkout", "-q", "--detach", "patchgen/mine-v1~1")
    letter = git(small, "log", "-1", "--format=%B").replace("Cc: Bea <bea@example.org>\n", "")
    git(small, "commit", "-q", "--amend", "--allow-empty", "-m", letter)
    git(small, "cherry-pick", "patchgen/mine-v1")
    git(small, "branch", "-f", "patchgen/mine-v1")
    args = ("reroll", "--tree", small, "patchgen/mine-v1", "--variant", small.parent / "mine")
    assert patchgen(*args).code == 0
    assert recipients(patchgen, small, "patchgen/mine-v2") == [(["di@example.org"], [])] * 2


@pytest.mark.parametrize(
    ("keys", "tables", "message"),
    [
        ('trailers = { Reviewed-by = "{idea}" }', "", "only the person it names can make"),
        ('trailers = { signed-off-by = "A <a@b.org>" }', "", "only the person it names can make"),
        ('trailers = { "not a key" = "x" }', "", "not a key"),
        ('trailers = { Link = "a\\nb" }', "", "the trailer Link has several lines"),
        ("", '[recipients]\ncc = ["nobody"]\n', "is not an address"),
        ("", '[recipients]\ncc = ["A <a@b.org>, B <b@b.org>"]\n', "is not one address"),
        ("", '[recipients]\nto = ["A <a@b.org>"]\n', "recipients.to"),
    ],
)
def test_a_manifest_speaks_for_nobody_and_names_people_as_mail_needs_them(
    patchgen, git, tmp_path, keys, tables, message
):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.partition("[recipients]")[0] + tables, keys)
    result = patchgen("apply", "--variant", tmp_path / "mine", "--tree", tree)
    assert result.code == 1 and message in result.err and "manifest.toml" in result.err


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("idea=Bea", "is not a person"),
        ("idea=bea@example.org", "has no name"),
        ("idea=A <a@b.org>, B <b@b.org>", "is not one address"),
        ("link=lore", "expected https://HOST/PATH"),
        ("link=https://lore.kernel.org/r/a b", "expected https://HOST/PATH"),
        ("link=javascript:alert(1)", "expected https://HOST/PATH"),
    ],
)
def test_a_person_and_a_link_are_what_a_trailer_can_have(patchgen, small, value, message):
    variant = small.parent / "mine"
    result = patchgen("apply", "--variant", variant, "--tree", small, "--define", value)
    assert result.code == 2 and message in result.err


def test_the_thread_s_design_is_credited_in_the_patches_that_carry_it(patchgen, toy, git):
    args = ("apply", "--variant", "pvops", "--tree", toy, "--signoff", "--json")
    document = json.loads(patchgen(*args, "--define", f"link={LINK}").out)
    credited = {
        patch["name"]
        for patch in document["patches"]
        if f"Suggested-by: {ASHISH}" in trailers(git, toy, patch["commit"])
    }
    assert credited == {"op", "callers", "hypercall", "sev"}
    everything = [line for p in document["patches"] for line in trailers(git, toy, p["commit"])]
    keys = {line.partition(":")[0] for line in everything}
    assert keys == {"Suggested-by", "Signed-off-by", "Link"}
    for to, cc in recipients(patchgen, toy, PVOPS):
        assert {ASHISH, SEAN} <= {*to, *cc}
    assert f"    {LINK}\n" in Path(document["mails"][0]).read_text()
