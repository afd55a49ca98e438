# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose idea a series is: trailers, links and recipients that a variant's manifest names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from patchgen.series.trailers import parse_message
from tests.conftest import Patchgen
from tests.support.small_variant import apply_small, make_small_tree

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
    done = patchgen("send", "--tree", tree, branch, "--dry-run", "--json")
    assert done.code == 0, done.err
    return [(mail["to"], mail["cc"]) for mail in json.loads(done.out)["mails"]]


def test_trailers_of_a_manifest_stand_in_the_tip_tree_s_order(patchgen, git, small):
    apply_small(patchgen, small, "--signoff", "--define", f"link={LINK}")
    suggested, signed, link = trailers(git, small, "patchgen/mine-v1")
    assert suggested == "Suggested-by: Bea <bea@example.org>" and link == f"Link: {LINK}"
    assert signed.startswith("Signed-off-by: ")
    done = patchgen("verify", "patchgen/mine-v1", "--tree", small, "--skip", "build")
    assert "Signed-off-by" not in done.out and "the variable" not in done.out


def test_an_empty_link_is_asked_for_and_never_made_up(patchgen, git, small):
    words = ("apply", "--variant", small.parent / "mine", "--tree", small, "--signoff")
    done = patchgen(*words)
    again = "`patchgen reroll patchgen/mine-v1 -v 1 --define link="
    asked = f"the variable link is empty: where the thread is; {again}"
    assert done.code == 0 and asked in done.err.splitlines()[-1]
    assert "http" not in git(small, "log", "--format=%B", "master..patchgen/mine-v1")
    for command in ("format", "send --dry-run", "verify --skip build --skip checkpatch"):
        done = patchgen(*command.split(), "--tree", small, "patchgen/mine-v1")
        assert done.code == 0 and asked in done.out + done.err, command

    again = ("reroll", "patchgen/mine-v1", "-v", "1", "--define", f"link={LINK}")
    done = patchgen(*again, "--tree", small, "--variant", small.parent / "mine")
    assert done.code == 0, done.err
    assert trailers(git, small, "patchgen/mine-v1")[-1] == f"Link: {LINK}"
    assert asked not in patchgen("format", "--tree", small, "patchgen/mine-v1").err


@pytest.mark.parametrize(("patch", "asks"), [("kconfig", True), ("another", False)])
def test_what_another_patch_needs_is_not_asked_for(patch, asks, patchgen, git, tmp_path):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.replace("[rec", f'ask_for = ["{patch}"]\n\n[rec'), TRAILERS)
    done = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert done.code == 0, done.err
    assert ("the variable link is empty" in done.err) == asks


MAYBE = """
[[patch]]
name = "maybe"
message = "message.txt.j2"
probe = { file = "x.c", tokens = "maybe_new(" }
optional = true
[[patch.rules]]
file = "maybe.cocci.j2"
on = "x.c"
must_fire = { maybe = 1 }
"""


@pytest.mark.parametrize("calls_for_it", [False, True])
def test_what_only_a_needless_patch_needs_is_not_asked_for(calls_for_it, patchgen, git, tmp_path):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.replace("[rec", 'ask_for = ["maybe"]\n\n[rec'), TRAILERS)
    variant = tree.parent / "mine"
    manifest = variant / "manifest.toml"
    manifest.write_text(manifest.read_text() + MAYBE)
    rule = "@maybe@\nposition p;\n@@\n-maybe_old@p\n+maybe_new\n (...)\n"
    (variant / "maybe.cocci.j2").write_text(rule)
    if calls_for_it:
        (tree / "x.c").write_text("void f(void)\n{\n\tmaybe_old(1);\n}\n")
        git(tree, "commit", "-q", "-a", "-m", "call")
    done = patchgen("apply", "--variant", variant, "--tree", tree)
    assert done.code == 0, done.err
    assert ("the variable link is empty" in done.err) == calls_for_it


def test_a_link_that_somebody_wrote_by_hand_is_not_asked_for(patchgen, git, small):
    apply_small(patchgen, small, "--signoff")
    git(small, "checkout", "-q", "patchgen/mine-v1")
    git(small, "commit", "-q", "--amend", "--trailer", f"Link: {LINK}", "--no-edit")
    done = patchgen("format", "--tree", small)
    assert done.code == 0 and "the variable" not in done.err


def test_a_reroll_keeps_the_values_and_takes_an_old_one_out(patchgen, git, small):
    variant = ("--variant", small.parent / "mine", "--tree", small)
    apply_small(patchgen, small, "--define", f"link={LINK}", "--define", "idea=Di <di@e.org>")
    git(small, "checkout", "-q", "patchgen/mine-v1")
    # No edit but a reviewer's tag.
    words = ("--amend", "--trailer", "Acked-by: Ed <ed@e.org>", "--no-edit")
    git(small, "commit", "-q", *words)
    done = patchgen("reroll", *variant, "patchgen/mine-v1")
    assert done.code == 0, done.err
    expected = ["Suggested-by: Di <di@e.org>", f"Link: {LINK}", "Acked-by: Ed <ed@e.org>"]
    assert trailers(git, small, "patchgen/mine-v2") == expected
    done = patchgen("reroll", *variant, "patchgen/mine-v2", "--define", "idea=Fay <fay@e.org>")
    assert done.code == 0, done.err
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
    # Taken out of the letter by hand: also by the next version.
    git(small, "checkout", "-q", "--detach", "patchgen/mine-v1~1")
    letter = git(small, "log", "-1", "--format=%B").replace("Cc: Bea <bea@example.org>\n", "")
    git(small, "commit", "-q", "--amend", "--allow-empty", "-m", letter)
    git(small, "cherry-pick", "patchgen/mine-v1")
    git(small, "branch", "-f", "patchgen/mine-v1")
    words = ("reroll", "--tree", small, "patchgen/mine-v1", "--variant", small.parent / "mine")
    assert patchgen(*words).code == 0
    assert recipients(patchgen, small, "patchgen/mine-v2") == [(["di@example.org"], [])] * 2


@pytest.mark.parametrize(
    ("keys", "tables", "said"),
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
    patchgen, git, tmp_path, keys, tables, said
):
    tree = make_small_tree(tmp_path, git)
    add_to_manifest(tree, VARIABLES.partition("[recipients]")[0] + tables, keys)
    done = patchgen("apply", "--variant", tmp_path / "mine", "--tree", tree)
    assert done.code == 1 and said in done.err and "manifest.toml" in done.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("idea=Bea", "is not a person"),
        ("idea=bea@example.org", "has no name"),
        ("idea=A <a@b.org>, B <b@b.org>", "is not one address"),
        ("link=lore", "expected https://HOST/PATH"),
        ("link=https://lore.kernel.org/r/a b", "expected https://HOST/PATH"),
        ("link=javascript:alert(1)", "expected https://HOST/PATH"),
    ],
)
def test_a_person_and_a_link_are_what_a_trailer_can_have(patchgen, small, word, said):
    variant = small.parent / "mine"
    done = patchgen("apply", "--variant", variant, "--tree", small, "--define", word)
    assert done.code == 2 and said in done.err


def test_the_thread_s_design_is_credited_in_the_patches_that_carry_it(patchgen, toy, git):
    words = ("apply", "--variant", "pvops", "--tree", toy, "--signoff", "--json")
    document = json.loads(patchgen(*words, "--define", f"link={LINK}").out)
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
