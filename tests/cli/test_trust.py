# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen trust`: what may run code, by content, and what takes the trust away."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from patchgen.truststore import TrustEntry
from tests.support.kernels import commit_all

RULE = "@r@\nposition p;\n@@\n* kfree@p(...)\n\n"
SCRIPT = "@script:python@\np << r.p;\n@@\nopen({canary!r}, 'a').write('x')\n"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def tree(tmp_path: Path, canary: Path) -> Path:
    """Return a repository with three semantic patches, two of which run code."""
    folder = tmp_path / "tree"
    (folder / "scripts/coccinelle").mkdir(parents=True)
    (folder / "a.c").write_text("void a(void *p)\n{\n\tkfree(p);\n}\n")
    script = SCRIPT.format(canary=str(canary))
    (folder / "scripts/coccinelle/one.cocci").write_text(RULE + script)
    (folder / "scripts/coccinelle/part.cocci").write_text("@q@\n@@\n* vfree(...)\n\n")
    two = '#include "part.cocci"\n' + RULE + script
    (folder / "scripts/coccinelle/two.cocci").write_text(two)
    commit_all(folder, "tree")
    return folder


ONE = "scripts/coccinelle/one.cocci"


def test_a_file_that_runs_code_needs_no_option_once_it_is_trusted(patchgen, tree, canary):
    done = patchgen("run", ONE, cwd=tree)
    assert done.code == 1 and not canary.exists()
    assert f"hint: read it; then `patchgen trust {ONE}` trusts it as it is now" in done.err
    done = patchgen("trust", ONE, cwd=tree)
    assert done.code == 0 and f"{ONE}:6: a script runs code" in done.out
    assert patchgen("run", ONE, cwd=tree).code == 0
    assert canary.exists()


def test_a_file_on_disk_is_trusted_outside_of_a_repository(patchgen, tree, canary):
    folder = tree.parent / "own"
    folder.mkdir()
    (folder / "one.cocci").write_text((tree / ONE).read_text())
    (folder / "one.c").write_text((tree / "a.c").read_text())
    done = patchgen("test", "one.cocci", "--update", cwd=folder)
    assert done.code == 1 and not canary.exists()
    [command] = re.findall(r"hint: read it; then `patchgen (.*)` trusts", done.err)
    assert command == "trust one.cocci"
    done = patchgen(*command.split(), cwd=folder)
    assert done.code == 0 and f"trusted: {entry_id()}" in done.out
    patchgen("test", "one.cocci", "--update", cwd=folder)
    assert canary.exists()
    for args in (("gone.cocci",), ("one.cocci", "--tree", folder.parent)):
        done = patchgen("trust", *args, cwd=folder)
        assert done.code == 1 and "[not-a-repository]" in done.err


def entry_id() -> str:
    [entry] = json.loads(store().read_text())["entries"]
    return TrustEntry(**entry).id


def test_a_hint_has_a_command_that_works_in_the_current_folder(patchgen, tree, git):
    """It names the tree and the commit that `run` was given; the path may be in neither."""
    git(tree, "rm", "-q", ONE)
    git(tree, "commit", "-qm", "gone")
    other = tree.parent / "my one.cocci"
    other.write_text(git(tree, "show", f"HEAD~:{ONE}") + "\n")
    places = [
        (tree, (ONE, "--base", "HEAD~"), [ONE, "--rev", "HEAD~"]),
        (
            tree.parent,
            (ONE, "--tree", "tree", "--base", "HEAD~"),
            [ONE, "--tree", "tree", "--rev", "HEAD~"],
        ),
        (tree / "scripts", ("../../my one.cocci",), ["../../my one.cocci"]),
    ]
    for folder, args, expected in places:
        done = patchgen("run", *args, cwd=folder)
        [command] = re.findall(r"hint: read it; then `patchgen (.*)` trusts", done.err)
        assert shlex.split(command) == ["trust", *expected]
        assert patchgen(*shlex.split(command), cwd=folder).code == 0
        done = patchgen("run", *args, cwd=folder)
        assert done.code == 0, done.err
        store().unlink()


def test_the_hint_to_a_change_works_in_a_folder_of_the_tree(patchgen, tree):
    assert patchgen("trust", ONE, cwd=tree).code == 0
    with (tree / ONE).open("a") as file:
        file.write("# changed\n")
    done = patchgen("run", "coccinelle/one.cocci", cwd=tree / "scripts")
    [command] = re.findall(r"hint: `(git .*?)` shows how; then ", done.err)
    args = shlex.split(command)
    diff = subprocess.run(args, cwd=tree / "scripts", check=True, capture_output=True, text=True)
    assert "+# changed" in diff.stdout


def test_trust_does_not_follow_a_path_to_other_content(patchgen, tree, canary, git):
    """A stranger's branch in the same repository has the same paths."""
    assert patchgen("trust", "scripts/coccinelle", cwd=tree).code == 0
    git(tree, "checkout", "-q", "-b", "stranger")
    with (tree / ONE).open("a") as file:
        file.write("# changed\n")
    (tree / "scripts/coccinelle/new.cocci").write_text((tree / ONE).read_text() + "# new\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "stranger")
    bare = tree.parent / "bare"
    git(tree, "clone", "-q", "--bare", tree, bare)
    done = patchgen("run", ONE, cwd=tree)
    assert done.code == 1
    assert "the semantic patch has changed since you trusted it on 20" in done.err
    assert "`git diff " in done.err and f" -- {ONE}`" in done.err
    # From a commit, not from disk.
    done = patchgen("run", ONE, "--tree", bare, "--base", "stranger", cwd=tree.parent)
    assert done.code == 1
    done = patchgen("run", "scripts/coccinelle/new.cocci", cwd=tree)
    assert done.code == 1 and "a script runs code" in done.err
    assert not canary.exists()
    # The content that was trusted is trusted in another clone, too.
    done = patchgen("run", ONE, "--tree", bare, "--base", "stranger~", cwd=tree.parent)
    assert done.code == 0 and canary.exists()


def test_trust_covers_what_a_file_includes(patchgen, tree, canary):
    two = "scripts/coccinelle/two.cocci"
    assert patchgen("trust", two, cwd=tree).code == 0
    part = tree / "scripts/coccinelle/part.cocci"
    part.write_text(part.read_text() + f"@script:python@\n@@\nopen({str(canary)!r}, 'a')\n")
    done = patchgen("run", two, cwd=tree)
    assert done.code == 1 and not canary.exists()


def test_trusting_again_reports_what_changed(patchgen, tree, git):
    assert (
        "  2 of 3 semantic patches run code"
        in patchgen("trust", "scripts/coccinelle", cwd=tree).out
    )
    with (tree / ONE).open("a") as file:
        file.write("# changed\n")
    (tree / "scripts/coccinelle/new.cocci").write_text((tree / ONE).read_text())
    (tree / "scripts/coccinelle/two.cocci").unlink()
    done = patchgen("trust", "scripts/coccinelle", cwd=tree)
    assert f"  changed: {ONE}\n" in done.out
    assert "  new: scripts/coccinelle/new.cocci\n" in done.out
    assert "  gone: scripts/coccinelle/two.cocci\n" in done.out
    assert patchgen("trust", cwd=tree).out.count("\n") == 1
    assert patchgen("run", ONE, cwd=tree).code == 0


def test_revoked_trust_is_gone(patchgen, tree):
    patchgen("trust", ONE, cwd=tree)
    patchgen("trust", "scripts/coccinelle", cwd=tree)
    listed = json.loads(patchgen("trust", "--json", cwd=tree).out)["trusted"]
    assert [each["path"] for each in listed] == [ONE, "scripts/coccinelle"]
    done = patchgen("trust", "--revoke", ONE, cwd=tree)
    assert f"still trusted by {listed[1]['id']}" in done.err
    assert patchgen("run", ONE, cwd=tree).code == 0
    assert patchgen("trust", "--revoke", listed[1]["id"], cwd=tree).code == 0
    assert patchgen("run", ONE, cwd=tree).code == 1
    done = patchgen("trust", "--revoke", ONE, cwd=tree)
    assert done.code == 2 and "is not an entry of the store" in done.err


def test_a_folder_names_what_is_not_trusted_and_runs_the_rest(patchgen, tree, canary):
    done = patchgen("run", "scripts/coccinelle", cwd=tree)
    assert done.err.count(" was not run: a script runs code") == 2 and not canary.exists()
    assert "hint: read them; then `patchgen trust PATH` trusts them as they are now" in done.err
    patchgen("trust", "scripts/coccinelle", cwd=tree)
    done = patchgen("run", "scripts/coccinelle", cwd=tree)
    assert "was not run" not in done.err and "hint" not in done.err and canary.exists()


def test_a_semantic_patch_without_code_needs_no_trust(patchgen, tree):
    done = patchgen("trust", "scripts/coccinelle/part.cocci", cwd=tree)
    assert done.code == 0 and "runs no code" in done.out
    assert not store().exists()


def store() -> Path:
    return Path(os.environ["HOME"]) / ".config/patchgen/trust.json"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.chmod(0o666), "others can write to"),
        (lambda path: path.parent.chmod(0o777), "others can write to"),
        (lambda path: path.write_text("{"), "is damaged"),
        (lambda path: path.write_text("[" * 100_000), "is damaged"),
        (lambda path: path.write_text('{"version": 1, "entries": [{"id": 1}]}'), "is damaged"),
        (lambda path: path.write_text('{"version": 2}'), "has version 2"),
        (lambda path: path.unlink() or os.mkfifo(path), "is not a regular file"),
        (lambda path: path.unlink() or path.mkdir(), "is not a regular file"),
    ],
)
def test_a_store_that_is_not_the_user_s_own_is_refused(patchgen, tree, canary, damage, message):
    patchgen("trust", ONE, cwd=tree)
    assert (store().stat().st_mode & 0o777, store().parent.stat().st_mode & 0o777) == (0o600, 0o700)
    damage(store())
    for args in (("run", ONE), ("trust",), ("trust", ONE)):
        done = patchgen(*args, cwd=tree)
        assert done.code == 1 and message in done.err and "trust.json" in done.err + str(store())
    assert not canary.exists()


def test_a_store_of_another_user_is_refused(patchgen, tree, canary):
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: only root can give a file to another user")
    patchgen("trust", ONE, cwd=tree)
    os.chown(store(), 12345, 12345)
    done = patchgen("run", ONE, cwd=tree)
    assert done.code == 1 and "belongs to another user" in done.err and not canary.exists()


@pytest.mark.parametrize(
    "args",
    [
        ("--revoke",),
        ("--list", "a"),
        ("--tree-config", "a"),
        ("--list", "--revoke", "a"),
        ("gone.cocci",),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_stored(patchgen, tree, args):
    done = patchgen("trust", *args, cwd=tree)
    assert done.code == 2 and "patchgen: " in done.err
    assert not store().exists()
