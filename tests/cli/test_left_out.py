# SPDX-License-Identifier: GPL-2.0-or-later
"""Backends and patches that a variant leaves out on some bases, with the reason from the base."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support.small_variant import VARIANT, apply_small, make_small_tree

HEAD = VARIANT["manifest.toml"].replace("[[patch]]", 'backends = ["one", "two"]\n\n[[patch]]', 1)
COVER = "toy: Mine\n\nFor {{ backends | join(' and ') }}.\n"
BACKEND = """\
schema = 1
[backend]
name = "{name}"
title = "Backend {name}"
{head}
[[patch]]
name = "{name}"
message = "message.txt.j2"
probe = {{ file = "Kconfig", tokens = "config {upper}" }}
{patch}
[[patch.lines]]
file = "Kconfig"
template = "{name}.j2"
before = "config LAST"
"""
FACTS = """
[facts.frees]
file = "*.c"
tokens = "kfree(p);"
[facts.checks]
file = "*.c"
tokens = "if (p)"
"""
LEFT_OUT = """
[[left_out]]
when = "frees"
reason = "this base cannot use two"
on_request = true
evidence = [
    { fact = "frees", say = "frees memory" },
    { fact = "checks", say = "checks a pointer" },
    { fact = "!checks", say = "no check of the pointer" },
]
"""
SERVED = """
[[patch.left_out]]
reason = "served by the base"
evidence = { fact = "frees", say = "frees it" }
"""
LINE = (
    "two left out: this base cannot use two (x.c:3 frees memory; no check of the pointer)\n"
    "    made on request: --backend one --backend two\n"
)


@pytest.fixture
def tree(tmp_path: Path, git: Callable[..., str]) -> Path:
    top = make_small_tree(tmp_path, git)
    write_variant(tmp_path / "mine", FACTS + LEFT_OUT)
    return top


def write_variant(folder: Path, head: str, patch: str = "") -> None:
    (folder / "manifest.toml").write_text(HEAD)
    (folder / "cover.txt.j2").write_text(COVER)
    for name, extra in (("one", ("", "")), ("two", (head, patch))):
        backend = folder / "backends" / name
        backend.mkdir(parents=True, exist_ok=True)
        text = BACKEND.format(name=name, upper=name.upper(), head=extra[0], patch=extra[1])
        (backend / "manifest.toml").write_text(text)
        (backend / "message.txt.j2").write_text(f"toy: Add {name}\n\nBecause.\n")
        (backend / f"{name}.j2").write_text(f"config {name.upper()}\n")


def cover_of(document: dict) -> str:
    return Path(document["mails"][0]).read_text()


def test_a_backend_is_left_out_with_what_the_base_shows(patchgen, tree):
    document = apply_small(patchgen, tree)
    assert document["backends"] == ["one"]
    [left_out] = document["left_out"]
    assert left_out == {
        "backend": "two",
        "patch": None,
        "reason": "this base cannot use two",
        "evidence": [
            {"site": "x.c:3", "text": "frees memory"},
            {"site": None, "text": "no check of the pointer"},
        ],
        "lacks": [],
        "on_request": True,
    }
    assert [patch["name"] for patch in document["patches"]] == ["kconfig", "one"]
    assert "For one.\n" in cover_of(document)
    words = ("apply", "--variant", tree.parent / "mine", "--tree", tree, "--force")
    done = patchgen(*words)
    assert done.code == 0 and f"  {LINE}" in done.out


def test_a_backend_that_is_named_is_made_all_the_same(patchgen, tree):
    document = apply_small(patchgen, tree, "--backend", "two")
    assert (document["backends"], document["left_out"]) == (["two"], [])
    assert "For two.\n" in cover_of(document)
    # A base that has all of it leaves nothing out.
    document = apply_small(patchgen, tree, "--base", document["branch"], "--force")
    assert document["backends"] == ["one", "two"] and document["left_out"] == []


def test_a_base_without_the_evidence_gets_the_backend(patchgen, tree, git):
    for name in ("x.c", "y.c"):
        (tree / name).write_text("void f(void *p)\n{\n\tkvfree(p);\n}\n")
    git(tree, "commit", "-q", "-a", "-m", "another way")
    assert apply_small(patchgen, tree)["backends"] == ["one", "two"]


def test_nothing_is_made_of_what_the_base_serves_itself(patchgen, tree):
    write_variant(tree.parent / "mine", FACTS + LEFT_OUT.replace("on_request = true\n", ""))
    words = ("apply", "--variant", tree.parent / "mine", "--tree", tree)
    done = patchgen(*words, "--backend", "two")
    assert (done.code, done.out) == (1, "")
    assert "two left out: this base cannot use two (x.c:3 frees memory;" in done.err
    assert "made on request" not in patchgen(*words, "--dry-run").out

    # One patch of a backend, whoever names it.
    write_variant(tree.parent / "mine", FACTS, SERVED)
    document = apply_small(patchgen, tree)
    assert [patch["name"] for patch in document["patches"]] == ["kconfig", "one"]
    done = patchgen(*words, "--backend", "two", "--dry-run")
    assert "  two left out: served by the base (x.c:3 frees it)\n" in done.out
    assert document["left_out"][0]["patch"] == "two"
    done = patchgen(*words, "--base", document["branch"], "--dry-run")
    assert "All other patches are already in" in done.out


def reroll(patchgen: Patchgen, tree: Path, *words: str | Path) -> dict:
    variant = ("--variant", tree.parent / "mine", "--tree", tree)
    done = patchgen("reroll", *variant, "--json", *words)
    assert done.code == 0, done.err + done.out
    return json.loads(done.out)


def test_a_reroll_keeps_the_backends_of_its_series(patchgen, tree, git):
    write_variant(tree.parent / "mine", FACTS)
    both = apply_small(patchgen, tree)["branch"]
    write_variant(tree.parent / "mine", FACTS + LEFT_OUT)
    document = reroll(patchgen, tree, both, "-v", "2")
    assert document["patches"] == ["toy: Do it", "toy: Add one", "toy: Add two"]
    assert document["left_out"] == []

    one = apply_small(patchgen, tree, "--branch", "sole", "--force")["branch"]
    write_variant(tree.parent / "mine", FACTS)
    document = reroll(patchgen, tree, one, "-v", "2")
    assert document["patches"] == ["toy: Do it", "toy: Add one"]
    assert document["left_out"][0]["backend"] == "two"
    again = reroll(patchgen, tree, document["branch"], "-v", "3", "--backend", "two")
    assert again["patches"] == ["toy: Do it", "toy: Add two"]


def test_show_lists_what_is_left_out_where(patchgen, tree):
    write_variant(tree.parent / "mine", FACTS + LEFT_OUT, SERVED)
    variant = str(tree.parent / "mine")
    backend, patch = json.loads(patchgen("show", variant, "--json").out)["left_out"]
    assert (backend["patch"], backend["when"], backend["on_request"]) == (None, ["frees"], True)
    assert backend["evidence"][2] == {"fact": "!checks", "say": "no check of the pointer"}
    assert (patch["patch"], patch["reason"]) == ("two", "served by the base")
    assert "this base cannot use two" in patchgen("show", variant).out


WRONG = {
    "an unknown key": ("on_request =", "on_requst =", "left_out[1].on_requst: unknown", "on_requ"),
    "no evidence": (LEFT_OUT[LEFT_OUT.index("evidence") :], "", "left_out[1].evidence: is", ""),
    "an empty list": (
        LEFT_OUT[LEFT_OUT.index("[\n") :],
        "[]\n",
        "needs at least 1 member",
        "",
    ),
    "an unknown key below": ('{ fact = "checks"', '{ fakt = "checks"', "fakt: unknown", "'fact'?"),
    "an unknown fact": ('"frees", say', '"freed", say', "unknown fact 'freed'", "mean 'frees'?"),
    "an unknown condition": (
        'when = "frees"',
        'when = "fees"',
        "unknown fact 'fees'",
        "mean 'frees'?",
    ),
}


@pytest.mark.parametrize(("old", "new", "problem", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_refused_by_file_and_line(patchgen, tree, old, new, problem, hint):
    assert old in LEFT_OUT
    write_variant(tree.parent / "mine", FACTS + LEFT_OUT.replace(old, new, 1))
    done = patchgen("apply", "--variant", tree.parent / "mine", "--tree", tree)
    assert (done.code, done.out) == (1, "")
    first = done.err.splitlines()[0]
    manifest = tree.parent / "mine/backends/two/manifest.toml"
    _, _, message = first.partition(f"{manifest}:")
    assert message and int(message.partition(":")[0]) > 10, first
    assert problem in message and hint in done.err
